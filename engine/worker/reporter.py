"""Encodes, stores and tells what the loop has looked at, in order, while the loop goes on."""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType

from engine.contract.events import Best, Notice, Progress, Snapshot
from engine.contract.models import Claim
from engine.worker.checkpoints import Journal
from engine.worker.context import WorkerContext
from engine.worker.results.film import frame, side_of
from engine.worker.results.png import encode
from engine.worker.slice_loop import BestIterate, LoopReport


class Reporter:
    """One slice's reports: `async with Reporter(...)` waits until all is told.

    A picture is in the store before its event is in the stream. When telling fails, `stop` ends the loop, and the
    failure (`Fenced`, `StoreError`, a `RedisError`) is raised where the block ends.
    """

    def __init__(self, context: WorkerContext, claim: Claim, journal: Journal, stop: threading.Event) -> None:
        self._context, self._claim, self._journal, self._stop = context, claim, journal, stop
        self._reports: asyncio.Queue[LoopReport | None] = asyncio.Queue()
        self._told: list[Snapshot] = []
        self._loop = asyncio.get_running_loop()

    async def __aenter__(self) -> Reporter:
        self._task = asyncio.create_task(self._work())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reports.put_nowait(None)
        await self._task
        if kind is None:
            await self._tell_snapshots()

    def tell(self, report: LoopReport) -> None:
        """From the painting thread: pass a report on and return at once."""
        self._loop.call_soon_threadsafe(self._reports.put_nowait, report)

    async def _work(self) -> None:
        try:
            while (report := await self._reports.get()) is not None:
                await self._tell(report)
        except BaseException:
            self._stop.set()
            raise

    async def _tell(self, report: LoopReport) -> None:
        jobs, job = self._context.jobs, self._claim.job.id
        if report.notice:
            best = await self._kept(report.best) if report.best else None
            await jobs.emit(self._claim, Notice(job=job, iteration=report.iteration, text=report.notice, best=best))
        if report.progress and (progress := self._with_eta(report.progress)):
            await jobs.emit(self._claim, progress)
        if report.readback is None:
            return
        shown = await asyncio.to_thread(report.readback.read)
        if report.frame:
            blob = await asyncio.to_thread(frame, shown.picture, side_of(self._claim.job.recipe))
            self._journal.frames[report.iteration] = await self._put(report, "frame", "jpg", blob)
        if report.snapshot:
            blob = await asyncio.to_thread(encode, shown.picture)
            key = await self._put(report, "snapshot", "png", blob)
            self._journal.snapshots[report.iteration] = key
            await self._tell_snapshots()
            snapshot = Snapshot(job=job, iteration=report.iteration, picture=key, loss=shown.loss)
            await jobs.emit(self._claim, snapshot)
            self._told.append(snapshot)

    def _with_eta(self, progress: Progress) -> Progress | None:
        """Where the slice does not know its speed yet, by the worker's; None where that is not known either."""
        job, speed = self._claim.job, self._context.heartbeat.speed
        if progress.eta or progress.iteration >= job.iterations:
            return progress
        left = job.remaining_flops(progress.iteration)
        return progress.model_copy(update={"eta": left / speed}) if speed else None

    async def _kept(self, best: BestIterate) -> Best:
        shown = await asyncio.to_thread(best.readback.read)
        blob = await asyncio.to_thread(encode, shown.picture)
        name = f"jobs/{self._claim.job.id}/best-{best.iteration:05d}.png"
        return Best(iteration=best.iteration, picture=await self._context.store.put(name, blob), loss=shown.loss)

    async def _tell_snapshots(self) -> None:
        """All of this slice, for a Redis that was started anew may have lost its last moment; it drops what it has."""
        for snapshot in self._told:
            await self._context.jobs.emit(self._claim, snapshot, again=True)

    async def _put(self, report: LoopReport, kind: str, suffix: str, blob: bytes) -> str:
        # A slice that is painted again writes the same pixels under the same name, and nothing is left over.
        name = f"{kind}-{report.iteration:05d}.{suffix}"
        return await self._context.store.put(f"jobs/{self._claim.job.id}/{name}", blob)
