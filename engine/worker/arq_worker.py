"""arq's worker, made to outlast whatever lies in its queue: a rotten entry must not end what paints for everybody.

The one place that uses counters and tasks of arq's worker, which it does not promise (see its bound in pyproject.toml).
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import structlog
from arq.worker import Worker
from redis.exceptions import ResponseError, WatchError

from engine.contract.fair_queue import FairQueue
from engine.worker.context import WorkerContext

_log = structlog.get_logger(__name__)


_REST = 0.2  # s
_PATIENCE = 0.3
"""Seconds that who paints already leaves a slice to others: longer than an idle worker needs to see it."""
_IN_VIEW = 20
"""Slices that a look shows; where there are many workers, the first of them are soon gone."""


class SliceWorker(Worker):
    """What cannot be run is taken out of the queue, with a line in the log; the reconciler queues anew what is due."""

    painters = 1
    """Slices that it paints at a time; those that it takes up beyond them are got ready meanwhile."""
    _rests_until = 0.0
    _free: dict[bytes, float]
    """What was free when it last looked for one to get ready, and since when, by `time.monotonic`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._free = {}

    async def start_jobs(self, job_ids: list[bytes]) -> None:
        """Looks by itself at what may be begun; what arq has read, the queue's first, tells that there is something.

        Takes up one at a time. Where it has one to paint already, only what has been free for a while: it would wait
        here for the device, and an idle worker would have begun it.

        Leaves out names that are none, and instants before all time, which arq takes for numbers. And what waits until
        others of its user or guild are done: that stays in the queue, in its place. Begun and put back (arq's `Retry`)
        it would stand in front of everybody else's slices, and with a delay, which is counted from now, behind them.

        Where nothing may be begun the next look is a moment later, so that many idle workers do not keep Redis busy.
        """
        now = time.monotonic()
        if not job_ids or now < self._rests_until:
            return
        self._rests_until = now + _REST  # unless a slice ends meanwhile
        if await self.pool.zremrangebyscore(self.queue_name, "-inf", "-inf"):
            _log.error("entries of the queue were dated before all time")
        context: WorkerContext = self.ctx["context"]
        ahead = self.job_counter >= self.painters
        ready = await context.queue.ready(context.settings.running, _IN_VIEW, context.left)
        rotten = [name for name in ready if not _is_text(name)]
        if rotten:
            _log.error("entries of the queue cannot be read", count=len(rotten))
            await self.pool.zrem(self.queue_name, *rotten)
        due = [name for name in ready if _is_text(name)]
        self._free = {name: self._free.get(name, now) for name in due} if ahead else {}
        if ahead:
            due = [name for name in due if now - self._free[name] >= _PATIENCE]
        if due:
            self._rests_until = 0.0
            await self._take_up_one(due)

    async def _take_up_one(self, names: list[bytes]) -> None:
        """The first that no other worker has taken up meanwhile, and that arq doesn't pass over."""
        for name in names:
            try:
                await super().start_jobs([name])
            except WatchError as error:
                # The connection broke between arq's look at an entry and its claim: arq gives the entry's place back
                # only where the claim itself fails. What is due lies in the queue as before.
                self.job_counter -= 1
                self.sem.release()
                _log.warning("Redis went away before a slice could be claimed", reason=str(error))
                return
            if name.decode() in self.tasks:
                return

    def take_up_no_more(self) -> None:
        """What has been begun goes on."""
        self.allow_pick_jobs = False

    async def all_have_ended(self) -> None:
        """Waits for what has been begun, whichever way it ends."""
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)

    async def run_job(self, job_id: str, score: int) -> None:
        """Never raises for what the entry is."""
        try:
            await super().run_job(job_id, score)
        except (ResponseError, TypeError, ValueError) as error:
            _log.error("an entry of the queue cannot be run", entry=job_id, reason=str(error)[:300])
            await FairQueue(self.pool).forget(job_id)
        finally:
            self._rests_until = 0.0  # its successor is due at once


def _is_text(name: bytes) -> bool:
    try:
        name.decode()
    except ValueError:
        return False
    return True
