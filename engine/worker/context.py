"""What a worker has at hand: Redis, the store, the weights, one device, and the sessions that are still warm."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import os
import secrets
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import ParamSpec, TypeVar

import structlog
import torch
from arq.connections import ArqRedis

from engine.contract import workers
from engine.contract.fair_queue import FairQueue
from engine.contract.jobs import Jobs
from engine.contract.models import Claim, Job
from engine.contract.settings import Settings
from engine.contract.store import BlobMissing, Store
from engine.painting.cuda.graphs import Graphs
from engine.painting.errors import TooLittleMemory
from engine.painting.painter import Painter
from engine.painting.state import State
from engine.recipe.presets import STAND_INS
from engine.recipe.recipe import RecipeError
from engine.worker.checkpoints import CheckpointError, CheckpointReader, Journal, unpack
from engine.worker.device import describe
from engine.worker.paint_session import PaintSession, load_picture, load_pictures
from engine.worker.shared_lock import SharedLock
from engine.worker.watchdog import Pulse
from engine.worker.weights.named_weights import Weights, load_weights

P = ParamSpec("P")
T = TypeVar("T")

_LEFT = 5.0  # s; a worker that paints looks at what has been free for a fraction of that
_WARM = 2  # sessions kept between slices: the one that was painted on, and the one before
_HALF = 30.0  # s of painting after which what was painted before them counts half in the smoothed speed

_log = structlog.get_logger(__name__)


class Stop(threading.Event):
    """Ends a slice. It is set in the event loop, where it can be awaited too; the painting thread looks at it."""

    def __init__(self) -> None:
        super().__init__()
        self._told = asyncio.Event()

    def set(self) -> None:
        super().set()
        self._told.set()

    async def told(self) -> None:
        """Waits until it is set."""
        await self._told.wait()


class WorkerContext:
    """What one worker works with. Its device paints one slice at a time; loading and encoding go on beside it."""

    def __init__(
        self, settings: Settings, redis: ArqRedis, weights: Weights, device: str, graphs: Graphs | None = None
    ) -> None:
        """`graphs` are those of the device, unless others are given."""
        self.id = f"{socket.gethostname()}:{secrets.token_hex(4)}:{os.getpid()}"
        """Unique also among copies of one machine, whose names and process ids may be alike."""
        self.settings = settings
        self.redis, self.jobs, self.queue = redis, Jobs(redis), FairQueue(redis)
        self.store = Store(settings.store)
        self._checkpoints = CheckpointReader(self.store)
        self.store_identity = ""
        self.weights = weights
        self.device = torch.device(device)
        self.device_name = describe(self.device)
        self._graphs = Graphs.on(self.device) if graphs is None else graphs
        self.slow = ""
        """Why nothing is painted the fast way, as a clause; empty where it is."""
        self._painting_thread = ThreadPoolExecutor(1, thread_name_prefix="painting")
        self.draining = False
        self.lost = False  # its device does nothing more for the process, which ends
        self._changed = asyncio.Event()
        self._stops: dict[str, Stop] = {}
        self._warm: OrderedDict[str, PaintSession] = OrderedDict()
        self._left: dict[str, float] = {}  # until when, by `time.monotonic`
        self._speed: float | None = None
        self._work = self._seconds = 0.0  # what the speed is made of
        self.pulse = Pulse()
        self.beat_at = float("-inf")
        """When the last heartbeat arrived, by `time.monotonic`."""
        self.device_lock = asyncio.Lock()
        """Held by the slice that is painted."""
        self._sessions = SharedLock()  # held by each slice that has a session in memory, or is about to

    @property
    def heartbeat(self) -> workers.Worker:
        """What the heartbeat says."""
        weights, most = self.weights, self.settings.running
        return workers.Worker(
            id=self.id, device=self.device_name, weights=weights.name, note=weights.note, network=weights.network,
            input=weights.input, slow=self.slow, jobs=tuple(self._stops), speed=self._speed, store=self.store_identity,
            user_running=most.user, guild_running=most.guild, slice_seconds=self.settings.impasto_slice_seconds,
        )  # fmt: skip

    @property
    def busy(self) -> bool:
        """Whether a slice that begins now waits for another one's."""
        return self.device_lock.locked() or self._sessions.closed() or len(self._stops) > 1

    def note_speed(self, flops: float, seconds: float) -> None:
        """Take so much work, done in so much time, into the speed that the heartbeat tells."""
        if flops > 0 and seconds > 0:
            kept = 0.5 ** (seconds / _HALF)
            self._work, self._seconds = kept * self._work + flops, kept * self._seconds + seconds
            self._speed = self._work / self._seconds

    @contextmanager
    def holding(self, job: str) -> Iterator[Stop]:
        """The event that stops the job's loop, for as long as this worker holds the job."""
        stop = self._stops[job] = Stop()
        if self.draining:
            stop.set()
        try:
            yield stop
        finally:
            if self._stops.get(job) is stop:  # else the job's next slice is here already
                del self._stops[job]
            self._changed.set()

    async def in_painting_thread(self, job: str, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do `work` for the job in the painting thread, after what waits there; the watchdog sees whether it hangs.

        All of torch's work on the processor is done in it: a second thread would bring a second team of OpenMP's, and
        with more threads than cores both wait by sleeping, which makes iterations half as slow again.
        """

        def watched() -> T:
            with self.pulse.of(job):
                return work(*args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._painting_thread, watched)

    async def check_fast_path(self, distrust: Callable[[torch.device, Graphs], str]) -> None:
        """Paint the fast way only where `distrust` finds nothing against it; without records both are the same."""
        if self._graphs.records:
            self.slow = await self.in_painting_thread("", distrust, self.device, self._graphs)
            self._graphs.drop()

    def say(self, line: str) -> None:
        """One line on standard output, for whoever watches the worker."""
        with suppress(OSError):  # nobody may be there to read it any more, or its disk be full
            print(line, flush=True)

    def stop(self, job: str) -> None:
        """End the job's slice within one iteration, if it is here."""
        if job in self._stops:
            self._stops[job].set()

    def drain(self) -> None:
        """End every slice within one iteration, and begin none."""
        self.draining = True
        self._changed.set()
        for stop in self._stops.values():
            stop.set()

    async def drained(self) -> None:
        """Waits until the context was told to drain, and holds nothing more."""
        while not self.draining or self._stops:
            await self._changed.wait()
            self._changed.clear()

    async def session(self, claim: Claim) -> PaintSession:
        """The job's session at the claim's iteration: warm, or from its checkpoint, or new.

        Raises `RecipeError` when this worker cannot paint the recipe, `PaintingError` when its pictures are gone, and
        `StoreError` when the store cannot be read: what is there again soon is not painted again.
        """
        warm = self._warm.pop(claim.job.id, None)
        parts = claim.job.parts
        if warm is not None and warm.iteration == claim.iteration and claim.iteration > 0:
            return await self._next(parts, warm) if warm.painted else warm
        for key in (*claim.checkpoints, *filter(None, [claim.job.checkpoint])):
            try:
                blob = await self._checkpoints.read(key)
                identity = self.weights_of(claim.job.recipe.weights).identity
                recipes = [part.recipe for part in parts]
                about = (blob, recipes, identity, self.device)
                state, journal = await self.in_painting_thread(claim.job.id, unpack, *about)
                session = await self._begin(parts, journal, state)
                if claim.checkpoints and key != claim.checkpoints[0]:
                    session.notices.append(
                        f"The last strokes were lost, so it goes on from iteration {session.iteration}."
                    )
                return await self._next(parts, session) if session.painted else session
            except (BlobMissing, CheckpointError) as error:
                _log.warning("a checkpoint cannot be used", job=claim.job.id, key=key, reason=str(error))
        session = await self._begin(parts, Journal())
        if claim.checkpoints or claim.job.checkpoint:
            session.notices.append("What had been painted was lost, so it starts over.")
        return session

    def keep_warm(self, job: str, session: PaintSession) -> None:
        """Keep the session in memory for the job's next slice."""
        self._warm[job] = session
        while len(self._warm) > _WARM:
            self._warm.popitem(last=False)

    async def with_room(self, claim: Claim, work: Callable[[], Awaitable[T]]) -> T:
        """What the work of a slice comes to; where memory was too little, it is done again without others' sessions.

        Those that are warm are dropped; that of a slice which is held here is waited for. Raises what the work raises.
        """
        try:
            async with self._sessions.shared():
                return await work()
        except (TooLittleMemory, torch.OutOfMemoryError):
            _log.warning("the memory was too little: once more, alone", job=claim.job.id, held=list(self._stops))
        await self.jobs.waits(claim, True)
        async with self._sessions.alone():
            await self.jobs.waits(claim, False)
            self._warm.clear()
            await self.in_painting_thread(claim.job.id, self._free_memory)
            return await work()

    def _free_memory(self) -> None:
        gc.collect()  # an error that a task has raised holds in a circle what it could not finish
        self._graphs.drop()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def has_weights(self, name: str) -> bool:
        """Whether a recipe that asks for the weights of this name can be painted here."""
        return name == self.weights.name or name in STAND_INS

    def leave_to_others(self, job: str) -> None:
        """Take no slice of the job up for a moment, in which another worker can."""
        now = time.monotonic()
        self._left = {job: now + _LEFT} | {other: until for other, until in self._left.items() if until > now}

    @property
    def left(self) -> list[str]:
        """The jobs whose slices are left to others for the moment."""
        return [job for job, until in self._left.items() if until > time.monotonic()]

    def weights_of(self, name: str) -> Weights:
        """The weights a recipe asks for: this worker's own, or stand-ins, which all have. Raises `RecipeError`."""
        if not self.has_weights(name):
            raise RecipeError(
                f"This painting needs the weights {name}, and the worker has {self.weights.name}: "
                "start a worker with those weights."
            )
        return self.weights if name == self.weights.name else load_weights(name, self.settings.impasto_cache)

    async def _begin(self, parts: Sequence[Job], journal: Journal, state: State | None = None) -> PaintSession:
        """The session of the painting that the journal tells of, at its `state`, or at its beginning."""
        painter = await self._painter(parts[journal.part])
        before = sum(part.recipe.iterations for part in parts[: journal.part])
        later = sum(part.remaining_flops(0) for part in parts[journal.part + 1 :])
        return await self.in_painting_thread(
            parts[0].id,
            lambda: PaintSession(
                painter,
                state or painter.begin(),
                journal,
                before=before,
                later=later,
                filmed=len(parts) == 1 and parts[0].film,
            ),
        )

    async def _next(self, parts: Sequence[Job], session: PaintSession) -> PaintSession:
        """The session of a study's next painting, where there is one."""
        journal = session.journal
        if journal.part + 1 == len(parts):
            return session
        return await self._begin(parts, dataclasses.replace(journal, part=journal.part + 1, frames={}))

    async def _painter(self, job: Job) -> Painter:
        weights = self.weights_of(job.recipe.weights)
        content, *frames = await load_pictures(self.store, job.content, job.recipe.frames)
        styles = [await load_picture(self.store, stored) for stored in job.styles]
        canvas = await load_picture(self.store, job.start) if job.start and job.recipe.start == "picture" else None
        over, of = [
            [await load_picture(self.store, mask) for mask in masks] for masks in (job.content_masks, job.style_masks)
        ]
        return await self.in_painting_thread(
            job.id, Painter, job.recipe, content, styles,
            frames=frames, canvas=canvas, content_masks=over, style_masks=of,
            convs=weights.convs, device=str(self.device), graphs=self._graphs, fast=not self.slow,
        )  # fmt: skip
