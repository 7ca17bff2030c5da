"""Notices when the event loop stands still: the bot answers within three seconds only because it never does."""

from __future__ import annotations

import asyncio
import time

import structlog

STALL = 0.1
"""Seconds of standing still that are worth a line in the log."""
_TICK = 0.02

_log = structlog.get_logger(__name__)


async def monitor_loop() -> None:
    """Watch for ever."""
    loop = asyncio.get_running_loop()
    while True:
        began, worked = loop.time(), time.thread_time()
        await asyncio.sleep(_TICK)
        late, work = loop.time() - began - _TICK, time.thread_time() - worked
        if late > STALL:
            # Little work in a long stall: the machine had no processor to spare.
            _log.warning("the event loop stood still", seconds=round(late, 3), work=round(work, 3))
