"""Redis and a worker for one command: those of `REDIS_URL`, or a pair of our own that lives as long as the command."""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from arq.connections import ArqRedis

from bot.terminal.weights_check import inspect_weights
from bot.terminal.worker_process import WorkerError, WorkerProcess
from engine.contract import workers
from engine.contract.connection import connect
from engine.contract.models import Caps
from engine.contract.redis_check import check_redis
from engine.contract.settings import Settings, SettingsError
from engine.contract.store import Store
from engine.contract.workers import Worker
from engine.process.child_process import module_command
from engine.process.local_redis import embedded_redis
from engine.recipe.presets import STAND_INS

DIFFERENT_STORES = (
    "A worker at REDIS_URL uses another store than the one here, so that its pictures would be lost: give STORE_URL "
    "the same value for all, and where it is a folder, run them on one machine."
)


class Stack:
    """A Redis, by its URL too, a store, and at least one worker that is ready.

    Where others may use it too, `caps` is what one may ask of it.
    """

    def __init__(self, url: str, redis: ArqRedis, store: Store, worker: Worker, caps: Caps | None = None) -> None:
        self.url, self.redis, self.store, self.worker, self.caps = url, redis, store, worker, caps

    @property
    def own(self) -> bool:
        """Whether it lives as long as the command, and nobody else uses it."""
        return self.caps is None


@asynccontextmanager
async def open_stack(settings: Settings, folder: Path, weights: str) -> AsyncIterator[Stack]:
    """The stack of `REDIS_URL`, or one of our own with its data in `folder`. Raises `WorkerError`.

    `weights` are those that were asked for; where its worker is our own, the other settings are for that.
    """
    async with AsyncExitStack() as exits:
        if settings.redis_url:
            worker = await shared_worker(settings, weights)
            redis = await exits.enter_async_context(connect(settings.redis_url))
            yield Stack(settings.redis_url, redis, Store(settings.store), worker, settings.caps)
            return
        url = exits.enter_context(embedded_redis(folder / "redis"))
        store_url = (folder.absolute() / "store").as_uri()
        environment = os.environ | {
            "REDIS_URL": url,
            "STORE_URL": store_url,
            "IMPASTO_DATA": str(folder.absolute()),
            "IMPASTO_MONITORING": "off",
            "IMPASTO_LOG": str(folder.absolute() / "worker.log"),
        }
        wanted = {
            "--weights": weights,
            "--weights-input": settings.impasto_weights_input,
            "--device": settings.impasto_device,
        }
        options = [word for option in wanted.items() for word in option]
        process = WorkerProcess([*module_command("engine.worker"), *options], environment)
        exits.push_async_callback(process.stop)
        redis = await exits.enter_async_context(connect(url))
        await process.start()
        (worker,) = [w for w in await workers.living(redis) if w.id.endswith(f":{process.pid}")]
        try:
            yield Stack(url, redis, Store(store_url), worker)
        except asyncio.CancelledError:
            if not process.lost:
                raise
            raise WorkerError(process.lost) from None


async def shared_worker(settings: Settings, weights: str) -> Worker:
    """One of the workers of REDIS_URL that has these weights, a name or a file's path.

    Raises `WorkerError`, `StoreError`, or what `check_redis` does.
    """
    assert settings.redis_url is not None  # noqa: S101 - the caller has seen to it
    await check_redis(settings.redis_url)
    async with connect(settings.redis_url, retries=1) as redis:
        living = await workers.living(redis)
    if not living:
        raise WorkerError("No worker is alive at REDIS_URL: start one with `impasto worker`.")
    if workers.elsewhere(living, await Store(settings.store).prove()):
        raise SettingsError(DIFFERENT_STORES)
    if weights in ("auto", *STAND_INS):
        return living[0]
    name = weights if weights == "imagenet" else (await inspect_weights(weights, settings.impasto_weights_input)).name
    for worker in living:
        if worker.weights == name:
            return worker
    raise WorkerError(
        f"No worker at REDIS_URL has the weights {weights}: "
        f"start one with `impasto worker --weights {shlex.quote(weights)}`."
    )
