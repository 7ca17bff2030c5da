"""One slice of a job: about fifteen seconds of painting between two checkpoints. The arq function `paint_slice`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

import structlog
import torch
from arq import Retry
from redis.exceptions import RedisError

from engine.contract.cleanup import clean_up
from engine.contract.events import Cancelled, Done, Failed, Notice, Started
from engine.contract.models import DEATHS, Busy, Claim, Fenced, Unreadable
from engine.contract.store import ReadError, StoreError, reason_of
from engine.painting.errors import PaintingError
from engine.process.metrics import DEVICE_SECONDS, ITERATIONS, JOBS_ENDED, SLICES, size_label
from engine.recipe.recipe import VERSION, Recipe, RecipeError
from engine.worker.checkpoints import pack
from engine.worker.context import Stop, WorkerContext
from engine.worker.handover import end_if_lost, leave, left_to_others
from engine.worker.paint_session import PaintSession
from engine.worker.reporter import Reporter
from engine.worker.results.finish import finish_files
from engine.worker.results.finished_files import keep_record
from engine.worker.results.png import encode
from engine.worker.slice_loop import LoopResult, run_slice_loop

T = TypeVar("T")

_TOO_NEW = (
    "It was asked for by a newer version of Impasto than any worker here knows: update the workers, and ask again."
)
_WAITS = "The painting waits, for what is painted cannot be stored now ({reason}); it goes on by itself once it can."
_UNREAD = "The painting waits, for its pictures cannot be fetched now ({reason}); it goes on by itself once they can."
_INCOMPLETE = "Pictures of the painting that it went on from are no longer kept, so they are missing here."
_LOST = "Some of its pictures were lost in the store, so they are missing here."
_GOES_ON = "The store of pictures can be used again: the painting goes on."

_log = structlog.get_logger(__name__)


async def paint_slice(ctx: dict[str, Any], job: str, iteration: int, epoch: int) -> None:
    """Paint the job's slice from `iteration`, if it is still to be painted; queue the next one.

    Raises nothing but arq's `Retry`, which leaves the slice where it was in the queue: what goes wrong with the recipe
    is told as `failed`; what goes wrong with the machine is logged, and the job is queued again by the reconciler. The
    process ends where its device is lost to it.
    """
    context: WorkerContext = ctx["context"]
    log = _log.bind(job=job, iteration=iteration)
    try:
        # Held before it is begun: a cancellation that arrives in between must find it here.
        with context.holding(job) as stop:
            claim = await context.jobs.start(job, iteration, epoch, context.id, context.settings.running)
            if claim is None:
                log.debug("nothing to paint: the slice was begun before, or the job has ended")
            else:
                await _paint_or_give_back(_Slice(context, claim, stop), log)
    except Busy:
        raise Retry from None  # another worker was quicker with another of the user's or the guild's
    except Fenced:
        log.warning("another worker has taken the job over")
    except Unreadable as error:
        await _decline(context, error, log)
    except RedisError as error:
        log.warning("the slice could not be begun, and will be again", reason=str(error))
    except Exception:
        log.exception("the slice broke off by an error of the program's own")
        await end_if_lost(context, job)


async def _paint_or_give_back(work: _Slice, log: Any) -> None:
    """What Redis or the store did is no fault of the job's: it is painted again, and no death is counted."""
    try:
        await work.run()
    except Fenced:
        await work.withdraw()
        raise
    except (RedisError, StoreError, OSError) as error:
        log.warning("the slice broke off, and will be painted again", reason=str(error))
        await work.give_back(error)


async def _decline(context: WorkerContext, job: Unreadable, log: Any) -> None:
    """A job that this program cannot read: for a worker that can, if there is one."""
    if not await leave(context, job.job, job.iteration, job.epoch, lambda worker: worker.recipes > VERSION):
        log.warning("the job cannot be read", reason=str(job))
        await context.jobs.refuse(job, _TOO_NEW)


def _count(recipe: Recipe, painted: LoopResult) -> None:
    labels = (recipe.name, size_label(recipe.size))
    SLICES.inc()
    ITERATIONS.labels(*labels).inc(max(0, painted.last - painted.first))
    DEVICE_SECONDS.labels(*labels).inc(painted.seconds)


class _Slice:
    def __init__(self, context: WorkerContext, claim: Claim, stop: Stop) -> None:
        self._context, self._claim, self._stop = context, claim, stop
        self._log = _log.bind(job=claim.job.id)
        self._seconds = 0.0
        """Seconds of painting, to be put down to the job's user and guild."""
        self._saved = ""
        """Key of the checkpoint that this slice wrote; empty before."""

    async def run(self) -> None:
        if self._claim.poisoned:
            await self._fail(f"The painting was set aside: {DEATHS} workers ended while on it.", quarantine=True)
            return
        if self._claim.cancelled and self._claim.iteration == 0:
            await self._leave()
            return
        if await left_to_others(self._context, self._claim):
            return
        if self._context.busy:
            await self._context.jobs.waits(self._claim, True)
        try:
            await self._context.with_room(self._claim, self._paint_and_end)
        except (RecipeError, PaintingError) as error:
            await self._fail(str(error))
        except torch.OutOfMemoryError:
            await self._fail("The picture does not fit into the device's memory: ask for a smaller size.")

    async def _paint_and_end(self) -> None:
        """Paint on for a slice, unless told to stop before; finish the job, or pass it on."""
        session = await self._unless(self._needless, self._context.session(self._claim))
        if session is None:
            await self._leave()
            return
        if not self._claim.cancelled and not self._stop.is_set():
            await self._paint(session)
        await self._end(session)

    def _needless(self) -> bool:
        """Whether a stopped slice needs no session, for which others may paint for long: nothing is to be shown."""
        return self._claim.iteration == 0 or self._context.draining

    async def _unless(self, needless: Callable[[], bool], work: Coroutine[Any, Any, T]) -> T | None:
        """What the work comes to; None if the slice is told to stop before, and the work is needless then."""
        doing, told = asyncio.create_task(work), asyncio.create_task(self._stop.told())
        try:
            await asyncio.wait([doing, told], return_when=asyncio.FIRST_COMPLETED)
            return None if not doing.done() and needless() else await doing
        finally:
            told.cancel()
            doing.cancel()

    async def _leave(self) -> None:
        """Give the job back as it was taken, or end it where nothing was painted."""
        context, claim = self._context, self._claim
        fields = await context.jobs.fields(claim.job.id)
        if fields.get("cancel") == "1" and claim.iteration == 0:
            await context.jobs.finish(claim, Cancelled(job=claim.job.id, iteration=0))
            context.say(f"{claim.job.id}: cancelled before it was begun")
            return
        await context.jobs.commit(claim, claim.iteration, None)
        await context.queue.put_back(claim.job.id, claim.iteration, claim.epoch)

    async def _paint(self, session: PaintSession) -> None:
        context, claim = self._context, self._claim
        await self._announce(session)
        # The lock is left first: others paint while what is left to tell is encoded and stored.
        async with Reporter(context, claim, session.journal, self._stop) as reporter, context.device_lock:
            await context.jobs.waits(claim, False)
            seconds = context.settings.impasto_slice_seconds
            about = (claim.job.id, session, self._stop, seconds, reporter.tell)
            try:
                painted = await context.in_painting_thread(claim.job.id, run_slice_loop, *about, pulse=context.pulse)
            except Exception:
                await end_if_lost(context, claim.job.id)  # before another job meets the same fault, and is blamed
                raise
        self._seconds = painted.seconds
        _count(session.painter.recipe, painted)
        if painted.last > painted.first:
            context.note_speed(painted.flops, painted.seconds)
            seconds = round(painted.seconds, 3)
            where = {"worker": context.id, "device": context.device_name}
            first, last = (session.before + iteration for iteration in (painted.first, painted.last))
            session.journal.slices.append({"from": first, "to": last, "seconds": seconds, **where})

    async def _announce(self, session: PaintSession) -> None:
        context, claim, iteration = self._context, self._claim, session.iteration
        if not session.journal.slices or claim.iteration == 0:
            width, height = session.painter.size
            note = context.weights_of(claim.job.recipe.weights).note
            await context.jobs.emit(
                claim,
                Started(
                    job=claim.job.id, iteration=iteration, device=context.device_name,
                    width=width, height=height, note=note,
                ),
            )  # fmt: skip
        elif session.journal.slices[-1]["device"].split(":")[0] != context.device.type:
            session.notices.append("Another kind of device goes on, so the last bits may differ from an uncut run.")
        for text in session.notices:
            await context.jobs.emit(claim, Notice(job=claim.job.id, iteration=iteration, text=text))
        session.notices.clear()

    async def _end(self, session: PaintSession) -> None:
        """Finish the job, or save where it stands and pass it on."""
        context, claim = self._context, self._claim
        fields = await context.jobs.fields(claim.job.id)
        if claim.job.study is not None and session.painted:
            await keep_record(context, claim.job, session)
        if session.iteration >= claim.job.iterations:
            # A film can take longer than a worker has that is to end.
            files = await self._unless(lambda: context.draining, finish_files(context, claim, session))
            if files is None:
                await self._pass_on(session)
                return
            files["checkpoint.safetensors"] = await self._save(session)
            note = session.trouble.text if session.trouble and session.alone else ""
            left_out = (_INCOMPLETE if claim.job.checkpoint else _LOST) if session.incomplete else ""
            done = Done(job=claim.job.id, iteration=session.iteration, files=files, note=note, left_out=left_out)
            await context.jobs.finish(claim, done, seconds=self._seconds)
            JOBS_ENDED.labels(done.kind).inc()
            context.say(f"{claim.job.id}: done, {session.iteration} iterations")
            await self._tidy()
        elif fields.get("cancel") == "1":
            await self._cancel(session)
        else:
            await self._pass_on(session)

    async def _pass_on(self, session: PaintSession) -> None:
        context, claim = self._context, self._claim
        moved = session.iteration != claim.iteration  # also backwards, when only an older checkpoint could be read
        checkpoint = await self._save(session) if moved else None
        dropped = await context.jobs.commit(claim, session.iteration, checkpoint, self._seconds)
        context.keep_warm(claim.job.id, session)
        most = context.settings.impasto_slice_seconds
        cost = claim.job.slice_cost(session.iteration, context.heartbeat.speed, most)
        await context.queue.enqueue(claim.job, session.iteration, claim.epoch, cost)
        await context.store.delete(*dropped)

    async def _cancel(self, session: PaintSession) -> None:
        context, claim, iteration = self._context, self._claim, session.iteration
        event = Cancelled(job=claim.job.id, iteration=iteration)
        if iteration:
            blob = await asyncio.to_thread(encode, session.picture)
            name = f"jobs/{claim.job.id}/cancelled-{iteration:05d}-{claim.epoch}.png"
            picture = await context.store.put(name, blob)
            checkpoint = await self._save(session)
            await context.jobs.commit(claim, iteration, checkpoint, self._seconds)  # what a child goes on from
            event = event.model_copy(update={"picture": picture, "checkpoint": checkpoint})
        await context.jobs.finish(claim, event)
        JOBS_ENDED.labels(event.kind).inc()
        context.say(f"{claim.job.id}: cancelled at iteration {iteration}")
        await self._tidy()

    async def _save(self, session: PaintSession) -> str:
        claim = self._claim
        identity = self._context.weights_of(claim.job.recipe.weights).identity
        blob = await asyncio.to_thread(pack, session.saved, session.journal, identity)
        name = f"checkpoint-{session.iteration:05d}-{claim.epoch}.safetensors"
        self._saved = f"jobs/{claim.job.id}/{name}"
        await self._context.store.put(self._saved, blob)
        if await self._context.jobs.waited(claim):
            await self._notice(_GOES_ON, session.iteration, waits=False)
        return self._saved

    async def _fail(self, reason: str, *, quarantine: bool = False) -> None:
        claim = self._claim
        self._log.warning("failed", reason=reason)
        self._context.say(f"{claim.job.id}: failed. {reason}")
        event = Failed(job=claim.job.id, iteration=claim.iteration, reason=reason)
        await self._context.jobs.finish(claim, event, quarantine=quarantine)
        JOBS_ENDED.labels(event.kind).inc()
        await self._tidy()

    async def give_back(self, error: Exception) -> None:
        """Let go of the job, as it stood before; the reconciler queues it again. Its audience is told of the store."""
        with suppress(Fenced, RedisError):
            if not isinstance(error, RedisError):
                text = _UNREAD if isinstance(error, ReadError) else _WAITS
                await self._notice(text.format(reason=reason_of(error)), self._claim.iteration, waits=True)
            await self._context.jobs.commit(self._claim, self._claim.iteration, None)

    async def _notice(self, text: str, iteration: int, *, waits: bool) -> None:
        event = Notice(job=self._claim.job.id, iteration=iteration, text=text, waits=waits)
        await self._context.jobs.emit(self._claim, event)

    async def withdraw(self) -> None:
        """Delete the checkpoint that was written, where the job does not know of it: another worker went on without."""
        fields = await self._context.jobs.fields(self._claim.job.id)
        if self._saved and all(self._saved not in fields.get(name, "") for name in ("checkpoints", "last")):
            with suppress(StoreError):
                await self._context.store.delete(self._saved)

    async def _tidy(self) -> None:
        job = self._claim.job.id
        try:
            await clean_up(self._context.jobs, self._context.store, job)
        except StoreError as error:
            self._log.warning("what is no longer needed stays until it is swept", reason=str(error))
