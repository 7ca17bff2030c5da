"""A bot whose lease is a third as long: one that stands still is soon followed by another."""

from __future__ import annotations

from engine.contract import connection

connection.BLOCK = 1000  # before others copy it: a lease is longer than a beat and a blocking read

from bot.lifecycle import leadership  # noqa: E402
from bot.terminal.main import run  # noqa: E402

__all__ = ["run"]

leadership.LEASE, leadership._BEAT = 3.0, 0.5
