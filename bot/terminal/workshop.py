"""Redis and a worker for one command: those of `REDIS_URL`, or a pair of our own that lives as long as the command."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from arq.connections import ArqRedis

from bot.processes import send
from engine.contract import workers
from engine.contract.connection import connect
from engine.contract.embedded import die_with_parent, embedded_redis
from engine.contract.settings import Settings
from engine.contract.store import Store
from engine.contract.workers import Worker


class WorkshopError(Exception):
    """There is nobody to paint; the text is one sentence, or empty when the worker has said it already."""


class Workshop:
    """A Redis, a store, and at least one worker that is ready."""

    def __init__(self, redis: ArqRedis, store: Store, worker: Worker) -> None:
        self.redis, self.store, self.worker = redis, store, worker


@asynccontextmanager
async def open_workshop(settings: Settings, folder: Path, weights: str, device: str) -> AsyncIterator[Workshop]:
    """The workshop of `REDIS_URL`, or one of our own with its data in `folder`. Raises `WorkshopError`."""
    async with AsyncExitStack() as stack:
        if settings.redis_url:
            async with connect(settings.redis_url, retries=1) as redis:  # a wrong address shows at once
                worker = _choose(await workers.living(redis), weights)
            redis = await stack.enter_async_context(connect(settings.redis_url))
            yield Workshop(redis, Store(settings.store), worker)
            return
        url = stack.enter_context(embedded_redis(folder / "redis"))
        store_url = (folder.absolute() / "store").as_uri()
        environment = os.environ | {
            "REDIS_URL": url,
            "STORE_URL": store_url,
            "IMPASTO_DATA": str(folder.absolute()),
            "IMPASTO_LOG": str(folder.absolute() / "worker.log"),
        }
        hand = _Hand([sys.executable, "-m", "engine.worker", "--weights", weights, "--device", device], environment)
        stack.push_async_callback(hand.dismiss)
        redis = await stack.enter_async_context(connect(url))
        await hand.hire()
        (worker,) = [w for w in await workers.living(redis) if w.id.endswith(f":{hand.pid}")]
        try:
            yield Workshop(redis, Store(store_url), worker)
        except asyncio.CancelledError:
            if not hand.lost:
                raise
            log = folder / "worker.log"
            raise WorkshopError(f"The worker ended and could not be started again: {log} says why.") from None


class _Hand:
    """A worker process, started anew when it dies; a job that kills it three times is set aside by the contract."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._command, self._environment = command, environment
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self._master = asyncio.current_task()
        self.lost = False
        """Whether it could not be started again; the task that made the hand is cancelled then."""

    @property
    def pid(self) -> int:
        assert self._process is not None  # noqa: S101 - hired first
        return self._process.pid

    async def hire(self) -> None:
        """Start the worker and wait until it is ready. Raises `WorkshopError` when it ends before."""
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            # A session of its own: Ctrl-C in the terminal is for the command, which stops the worker in order.
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        if not (await self._process.stdout.readline()).startswith(b"ready"):
            await self._process.wait()
            raise WorkshopError("")
        self._watch = asyncio.create_task(self._keep(self._process))

    async def _keep(self, process: asyncio.subprocess.Process) -> None:
        await process.wait()
        try:
            await self.hire()
        except (WorkshopError, OSError):
            self.lost = True
            assert self._master is not None  # noqa: S101 - hands are made in a task
            self._master.cancel()

    async def dismiss(self) -> None:
        """End the worker in order; it saves where it stands."""
        if self._watch is not None:
            self._watch.cancel()
        if self._process is not None and self._process.returncode is None:
            send(self._process, signal.SIGTERM)
            await self._process.wait()


def _choose(living: list[Worker], weights: str) -> Worker:
    if not living:
        raise WorkshopError("No worker is alive at REDIS_URL: start one with `impasto worker`.")
    if weights in ("auto", "random"):
        return living[0]
    for worker in living:
        if worker.weights == weights:
            return worker
    raise WorkshopError(
        f"No worker at REDIS_URL has the weights {weights}: start one with `impasto worker --weights {weights}`."
    )
