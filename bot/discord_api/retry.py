"""The one way in which a request to Discord is repeated."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import aiohttp
import discord
import structlog

from bot.discord_api.error_sentences import Verdict, verdict
from engine.process.metrics import RETRIES

FAILURES = (discord.HTTPException, discord.RateLimited, aiohttp.ClientError, OSError)
"""What a request to Discord may raise; time-outs are operating system errors."""
_FIRST_PAUSE, _SLOW_PAUSE, _LONGEST_PAUSE = 0.3, 6.0, 60.0  # s

for _reason in (Verdict.RETRY, Verdict.SLOW):  # from nothing, or the first one would not be counted
    RETRIES.labels(_reason)

_T = TypeVar("_T")
_log = structlog.get_logger(__name__)


async def persist(request: Callable[[], Awaitable[_T]], *, within: float = float("inf"), **about: str) -> _T:
    """Repeat, over whatever passes, what is safe to repeat; `about` goes to the log.

    Raises the first of `FAILURES` that does not pass, or the last one when so many seconds are over.
    """
    loop = asyncio.get_running_loop()
    until, pause = loop.time() + within, _FIRST_PAUSE
    while True:
        try:
            return await request()
        except FAILURES as error:
            reason = verdict(error)
            if reason not in (Verdict.RETRY, Verdict.SLOW) or loop.time() > until:
                raise
            RETRIES.labels(reason).inc()
            _log.info("a request is repeated", reason=str(error), verdict=str(reason), pause=pause, **about)
        await asyncio.sleep(max(pause, _SLOW_PAUSE) if reason is Verdict.SLOW else pause)
        pause = min(3 * pause, _LONGEST_PAUSE)
