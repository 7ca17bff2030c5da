"""Waiting for something that is away, aloud."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

T = TypeVar("T")

_PAUSE = 2.0  # s between two tries
_REMINDER = 30.0  # s after which the same is said again

_log = structlog.get_logger(__name__)


async def until_there(
    what: str, attempt: Callable[[], Awaitable[T]], away: type[Exception], tell: Callable[[str], None] | None = None
) -> T:
    """What the attempt comes to, once it does not raise `away` any more; its sentences are told, or go to the log."""
    told, last = "", 0.0
    while True:
        try:
            found = await attempt()
        except away as error:
            now = asyncio.get_running_loop().time()
            if str(error) != told or now - last > _REMINDER:
                (tell or _log.warning)(f"{error} Trying on.")
                told, last = str(error), now
            await asyncio.sleep(_PAUSE)
        else:
            if told:
                (tell or _log.info)(f"{what} answers.")
            return found
