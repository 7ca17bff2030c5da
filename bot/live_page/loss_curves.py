"""The loss curves of open paintings, followed in the event stream, in as few points as a small plot needs."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import structlog
from arq.connections import ArqRedis
from redis.exceptions import RedisError

from engine.contract.connection import BLOCK
from engine.contract.events import STREAM, Event, Last, Progress, Snapshot, parse
from engine.contract.jobs import Jobs

POINTS = 200
PAUSE = 10.0
"""Seconds after a fault that is nobody's: it may come again, and each is a traceback."""
_BACK = 20_000
"""Entries of the stream that are looked through for what was told before."""

_log = structlog.get_logger(__name__)


class Losses:
    """By job: (iteration, loss), and the latest speed."""

    def __init__(self) -> None:
        self.curves: dict[str, list[tuple[int, float]]] = {}
        self.rates: dict[str, float] = {}

    async def follow(self, redis: ArqRedis) -> None:
        """For ever, through outages of Redis."""
        after = ""
        while True:
            try:
                after = after or await self._before(redis)
                reply: Any = await redis.xread({STREAM: after}, count=500, block=BLOCK)
                for _, entries in reply:
                    for entry, fields in entries:
                        after = entry.decode()  # first: what breaks this off is not read again
                        self._take(fields)
            except (RedisError, OSError) as error:
                _log.warning("the live page cannot follow", reason=str(error))
                await asyncio.sleep(1)
            except Exception:  # whatever lies in Redis: without this the curves would stand still, and nobody know
                _log.exception("the live page breaks off, and begins anew")
                await asyncio.sleep(PAUSE)

    async def _before(self, redis: ArqRedis) -> str:
        """Take in what was told of the open jobs; the entry to go on from."""
        standing = await Jobs(redis).standing()
        if not standing:
            newest: Any = await redis.xrevrange(STREAM, count=1)
            return newest[0][0].decode() if newest else "0"
        oldest = int(1000 * min(one.job.created for one in standing))
        entries: Any = await redis.xrange(STREAM, min=f"{oldest}-0", count=_BACK)
        for _, fields in entries:
            self._take(fields)
        return entries[-1][0].decode() if entries else f"{oldest}-0"

    def _take(self, fields: dict[bytes, bytes]) -> None:
        try:
            event = parse(fields)
        except (ValueError, KeyError):
            return  # the bot's dispatcher says so
        self.add(event)

    def add(self, event: Event) -> None:
        """What an event tells of a curve."""
        if isinstance(event, Last):
            self.curves.pop(event.job, None)
            self.rates.pop(event.job, None)
        elif isinstance(event, Progress | Snapshot) and math.isfinite(event.loss):
            curve = self.curves.setdefault(event.job, [])
            while curve and curve[-1][0] >= event.iteration:  # painted again after a worker's end
                curve.pop()
            curve.append((event.iteration, event.loss))
            if len(curve) > POINTS:
                del curve[1:-1:2]
            if isinstance(event, Progress) and math.isfinite(event.rate):
                self.rates[event.job] = event.rate
