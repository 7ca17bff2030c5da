"""A bot that is never sure to lead: it asks Redis before each request, as any does that Redis has left for a while."""

from __future__ import annotations

from bot.lifecycle import leadership
from bot.terminal.main import run

__all__ = ["run"]

leadership.LEASE = 0.001
