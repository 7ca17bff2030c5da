"""The one settings object, read once from the environment and `.env`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from engine.contract.discretion import hide


class SettingsError(Exception):
    """A setting is missing or malformed; the text is one sentence for the operator."""


class Settings(BaseSettings):
    """Where things are and how much of the machine to use. `.env.example` explains each."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", env_ignore_empty=True)

    redis_url: str | None = None
    store_url: str | None = None
    impasto_data: Path = Field(default_factory=lambda: Path.home() / ".local" / "share" / "impasto")
    impasto_weights: str = "auto"
    impasto_device: str = "auto"
    impasto_slice_seconds: float = Field(default=15.0, gt=0, le=120)

    def model_post_init(self, _context: object, /) -> None:
        """What opens Redis and the store is not told to anybody."""
        hide(self.redis_url, self.store_url)

    @property
    def store(self) -> str:
        """URL of the object store; a folder in the data folder where none is set."""
        return self.store_url or (self.impasto_data.absolute() / "store").as_uri()

    @property
    def weights_cache(self) -> Path:
        """Where downloaded weights are kept, shared by all data folders of a user."""
        return Path.home() / ".cache" / "impasto"


def read_settings(**overrides: object) -> Settings:
    """The settings, with `overrides` over the environment's. Raises `SettingsError`."""
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        raise SettingsError(explain(error)) from error


def explain(error: ValidationError) -> str:
    """The first of the problems, in one sentence that names the setting."""
    first = error.errors()[0]
    name = "_".join(str(part) for part in first["loc"]).upper()
    if first["type"] == "missing":
        return f"The setting {name} is missing: put it into .env, as .env.example shows."
    return f"The setting {name} is not usable: {first['msg'].removeprefix('Value error, ')}."


def socket_folder() -> Path:
    """A new private folder with a path short enough for a unix socket (108 bytes)."""
    return Path(tempfile.mkdtemp(prefix="impasto-"))
