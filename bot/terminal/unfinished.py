"""The note of an unfinished painting: what it takes to go on with it."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass

from engine.contract.settings import Settings


@dataclass(frozen=True)
class Unfinished:
    """A job, and how it was asked for."""

    job: str
    """The job's id."""
    weights: str
    """The `--weights` it was asked with."""
    weights_input: str = "auto"
    """The `--weights-input` it was asked with."""
    own_redis: bool | None = None
    """Whether its Redis is the command's own, in the folder, and not one of `REDIS_URL`; None where an older version
    noted neither."""

    @classmethod
    def parse(cls, text: str) -> Unfinished:
        """Raises `ValueError` or `KeyError` where it is no such note."""
        note = json.loads(text)
        return cls(note["job"], note["weights"], note.get("weights_input", "auto"), note.get("own_redis"))

    def text(self) -> str:
        """The note as it is kept."""
        return json.dumps(dataclasses.asdict(self))

    def settings(self, settings: Settings) -> Settings:
        """The settings to go on with: a `REDIS_URL` that has come since is not that of a Redis of its own."""
        redis_url = None if self.own_redis else settings.redis_url
        return settings.model_copy(update={"impasto_weights_input": self.weights_input, "redis_url": redis_url})
