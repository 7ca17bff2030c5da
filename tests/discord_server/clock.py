"""The server's clock, which a test can turn forward, and the ids that carry its time."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from discord_server.codes import DISCORD_EPOCH_MS


class Clock:
    """Unix seconds of the machine plus what it has been turned forward by."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._last_id = 0

    def now(self) -> float:
        return time.time() + self._ahead

    def turn(self, seconds: float) -> None:
        if seconds < 0:
            raise ValueError("Discord's clock only goes forward: ids must grow")
        self._ahead += seconds

    def snowflake(self) -> int:
        """A new id, greater than all before."""
        milliseconds = int(self.now() * 1000) - DISCORD_EPOCH_MS
        self._last_id = max(milliseconds << 22, self._last_id + 1)
        return self._last_id

    def age(self, snowflake: int) -> float:
        """Seconds since the id was given out."""
        return self.now() - born(snowflake)


def born(snowflake: int) -> float:
    """Unix seconds at which the id was given out."""
    return ((snowflake >> 22) + DISCORD_EPOCH_MS) / 1000


def iso(seconds: float) -> str:
    """As Discord writes a moment."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()
