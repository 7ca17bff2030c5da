"""The one settings object, read once from the environment and `.env`."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from engine.contract.models import KEEP_DAYS, MOST_KEEP_DAYS, Caps, Running
from engine.contract.settings_file import misspelt, strangers, to_environment
from engine.process.folders import make_folder
from engine.process.redaction import hide

WEIGHTS_CACHED = "vgg19-imagenet.safetensors"
"""The pretrained weights in `Settings.impasto_cache`, once they were fetched."""


SLICE_SECONDS = 15.0
"""Seconds of painting in a slice, unless the settings say otherwise."""


class SettingsError(Exception):
    """A setting is missing or malformed; the text is one sentence for the operator."""


def _home() -> Path:
    """The user's home folder. Raises `SettingsError` where there is none."""
    try:
        return Path.home()
    except RuntimeError:
        raise SettingsError("There is no home folder: set HOME to a folder that can be written to.") from None


def parse_address(text: str) -> tuple[str, int] | None:
    """Host and port; None for `off`. Raises `ValueError`."""
    if text == "off":
        return None
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > 65535 or (":" in host and not host.startswith("[")):
        raise ValueError("give a port (9464), address and port (0.0.0.0:9464, [::]:9464), or off")
    return host.strip("[]") or "127.0.0.1", int(port)


def _checked_address(text: str) -> str:
    parse_address(text)
    return text


Address = Annotated[str, AfterValidator(_checked_address)]
"""Where to serve something: as `parse_address` takes it."""


class Settings(BaseSettings):
    """Where things are and how much of the machine to use. `.env.example` explains each."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", env_ignore_empty=True)

    redis_url: str | None = None
    store_url: str | None = None
    impasto_data: Path = Field(default_factory=lambda: _home() / ".local" / "share" / "impasto")
    impasto_cache: Path = Field(default_factory=lambda: _home() / ".cache" / "impasto")
    impasto_weights: str = "auto"
    impasto_weights_input: Literal["auto", "torchvision", "caffe"] = "auto"
    impasto_device: str = "auto"
    impasto_slice_seconds: float = Field(default=SLICE_SECONDS, gt=0, le=120)
    impasto_stuck_seconds: float = Field(default=600.0, gt=0)
    impasto_user_jobs: int = Field(default=3, ge=1)
    impasto_guild_jobs: int = Field(default=25, ge=1)
    impasto_total_jobs: int = Field(default=500, ge=1)
    impasto_user_seconds: int = Field(default=3600, ge=0)
    impasto_guild_seconds: int = Field(default=36000, ge=0)
    impasto_user_running: int = Field(default=2, ge=1)
    impasto_guild_running: int = Field(default=8, ge=1)
    impasto_keep_days: int = Field(default=KEEP_DAYS, ge=1, le=MOST_KEEP_DAYS)
    impasto_monitoring: Address = "off"
    impasto_log_level: Literal["debug", "info", "warning", "error"] = "info"
    impasto_log_format: Literal["json", "text"] = "json"

    def __init__(self, **values: Any) -> None:
        """Raises `ValidationError`, and `SettingsError` where there is a `.env` that cannot be read."""
        try:
            super().__init__(**values)
        except UnicodeError:
            raise SettingsError("The file .env here is not text in UTF-8: save it as that.") from None
        except OSError as error:
            raise SettingsError(f"The file .env here cannot be read: {error.strerror}.") from None

    @property
    def caps(self) -> Caps:
        """How many jobs may be open at a time, and what may be painted in a day."""
        return Caps(
            user=self.impasto_user_jobs, guild=self.impasto_guild_jobs, total=self.impasto_total_jobs,
            user_seconds=self.impasto_user_seconds, guild_seconds=self.impasto_guild_seconds,
        )  # fmt: skip

    @property
    def running(self) -> Running:
        """How many jobs workers may hold at a time."""
        return Running(user=self.impasto_user_running, guild=self.impasto_guild_running)

    @property
    def weights_cached(self) -> bool:
        """Whether the pretrained weights have been fetched."""
        return os.path.exists(self.impasto_cache / WEIGHTS_CACHED)  # noqa: PTH110 - it raises nothing

    @property
    def monitoring_address(self) -> tuple[str, int] | None:
        """Where health and metrics are served; None where nowhere. A port alone is of this machine only."""
        return parse_address(self.impasto_monitoring)

    @property
    def slice_timeout(self) -> float:
        """Seconds that arq allows for a slice. For what hangs beside the painting thread, which has a watchdog.

        Twice its patience, for a slice may wait until another's iterations are done, and its own come after.
        """
        return 600.0 + 2 * self.impasto_stuck_seconds

    @field_validator("impasto_data", "impasto_cache", "impasto_weights", mode="before")
    @classmethod
    def _at_home(cls, path: object) -> object:
        """`~` as a shell has it: in `.env`, or behind `=`, no shell reads it."""
        try:
            return str(Path(path).expanduser()) if isinstance(path, str) and path.startswith("~") else path
        except RuntimeError:
            raise ValueError(f"nobody knows the folder {path}: give it by its whole path") from None

    @field_validator("store_url")
    @classmethod
    def _is_a_store(cls, url: str | None) -> str | None:
        """What obstore would take for another place, or not at all."""
        scheme, separator, rest = (url or "file:///").partition("://")
        if not separator:
            raise ValueError(
                "give a folder as file:///var/lib/impasto/store (three slashes), and a bucket as s3://bucket/prefix"
            )
        if scheme == "file" and (not rest.startswith("/") or rest.startswith("/~") or "#" in rest or "?" in rest):
            raise ValueError(
                "give a folder by its whole path, as in file:///var/lib/impasto/store (three slashes), # and ? as %23 "
                "and %3F"
            )
        if "@" in rest.partition("/")[0]:
            raise ValueError("keys do not belong into it: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead")
        return url

    def data_folder(self) -> Path:
        """The data folder, made if need be. Raises `SettingsError` where it can't be written in."""
        try:
            make_folder(self.impasto_data)
        except OSError as error:
            raise SettingsError(
                f"The data folder {self.impasto_data} cannot be used ({error.strerror}): set IMPASTO_DATA to one that "
                "can be written in."
            ) from error
        return self.impasto_data

    def model_post_init(self, _context: object, /) -> None:
        """Hide the secrets in the addresses of Redis and the store wherever something is logged or printed."""
        hide(*(url for url in (self.redis_url, self.store_url) if url and "://" in url))

    @property
    def store(self) -> str:
        """URL of the object store; a folder in the data folder where none is set."""
        return self.store_url or (self.impasto_data.absolute() / "store").as_uri()


def read_settings(**overrides: object) -> Settings:
    """The settings, with `overrides` over the environment's. Raises `SettingsError`."""
    check_names()
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        raise SettingsError(explain(error)) from error


def check_names() -> None:
    """Before any settings are read: raises `SettingsError` where a name in the environment or `.env` is none."""
    if wrong := misspelt(Settings.model_fields):
        raise SettingsError(wrong)
    to_environment()


def unread_names(fields: Collection[str] = tuple(Settings.model_fields)) -> list[str]:
    """A sentence about each name in the environment that nobody reads, and that may be a misspelt one of `fields`."""
    return strangers(fields)


def explain(error: ValidationError) -> str:
    """The first of the problems, in one sentence that names the setting."""
    first = error.errors()[0]
    name = "_".join(str(part) for part in first["loc"]).upper()
    if first["type"] == "missing":
        return f"The setting {name} is missing: put it into .env, as .env.example shows."
    return f"The setting {name} is not usable: {first['msg'].removeprefix('Value error, ')}."
