"""A painting that a test paints in a worker's place: it is told exactly what the test wants told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from scene import Scene

from engine.contract.connection import connect
from engine.contract.events import Cancelled, Progress, Snapshot
from engine.contract.jobs import Jobs
from engine.contract.models import Claim


class ManualWorker:
    """Holds one job, as a worker does."""

    def __init__(self, jobs: Jobs, claim: Claim) -> None:
        self._jobs, self._claim, self._job = jobs, claim, claim.job

    async def progress(self, iteration: int) -> None:
        """How far it is, also where one asks for the queue."""
        event = Progress(job=self._job.id, iteration=iteration, loss=3, content=1, style=2, rate=5, eta=60)
        await self._jobs.emit(self._claim, event)
        await self._jobs.commit(self._claim, iteration, "a checkpoint")

    async def snapshot(self, iteration: int) -> None:
        """A picture of it: the content, for nobody looks closely."""
        event = Snapshot(job=self._job.id, iteration=iteration, picture=self._job.content.key, loss=1.0)
        await self._jobs.emit(self._claim, event)

    async def stopped(self, iteration: int) -> None:
        """It was cancelled."""
        event = Cancelled(job=self._job.id, iteration=iteration, picture=self._job.content.key)
        await self._jobs.finish(self._claim, event)


@asynccontextmanager
async def manual_worker(stage: Scene, job: str) -> AsyncIterator[ManualWorker]:
    """Takes the job; there must be no other worker."""
    async with connect(stage.pool.url) as redis:
        jobs = Jobs(redis)
        claim = await jobs.start(job, 0, 0, "by hand")
        assert claim is not None
        yield ManualWorker(jobs, claim)
