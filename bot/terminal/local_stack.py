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
from redis.exceptions import RedisError

from bot.terminal.weights_check import inspect_weights
from bot.terminal.worker_process import WorkerError, WorkerProcess
from engine.contract import workers
from engine.contract.connection import connect
from engine.contract.models import Caps
from engine.contract.settings import Settings
from engine.contract.store import Store, StoreError
from engine.contract.workers import Worker
from engine.process.local_redis import embedded_redis
from engine.recipe.presets import STAND_INS


class Stack:
    """A Redis, a store, and at least one worker that is ready.

    Where others may use it too, `caps` is what one may ask of it.
    """

    def __init__(self, redis: ArqRedis, store: Store, worker: Worker, caps: Caps | None = None) -> None:
        self.redis, self.store, self.worker, self.caps = redis, store, worker, caps


@asynccontextmanager
async def open_stack(settings: Settings, folder: Path, weights: str) -> AsyncIterator[Stack]:
    """The stack of `REDIS_URL`, or one of our own with its data in `folder`. Raises `WorkerError`.

    `weights` are those that were asked for; where its worker is our own, the other settings are for that.
    """
    async with AsyncExitStack() as exits:
        if settings.redis_url:
            worker = await shared_worker(settings.redis_url, weights, settings.impasto_weights_input)
            redis = await exits.enter_async_context(connect(settings.redis_url))
            yield Stack(redis, Store(settings.store), worker, settings.caps)
            return
        url = exits.enter_context(embedded_redis(folder / "redis"))
        store_url = (folder.absolute() / "store").as_uri()
        environment = os.environ | {
            "REDIS_URL": url,
            "STORE_URL": store_url,
            "IMPASTO_DATA": str(folder.absolute()),
            "IMPASTO_LOG": str(folder.absolute() / "worker.log"),
        }
        wanted = {
            "--weights": weights,
            "--weights-input": settings.impasto_weights_input,
            "--device": settings.impasto_device,
        }
        options = [word for option in wanted.items() for word in option]
        reasons: list[str] = []
        owner = asyncio.current_task()
        assert owner is not None  # noqa: S101 - we are in it

        def broke_off(reason: str) -> None:
            if not reasons:
                owner.cancel()
            reasons.append(reason)

        process = WorkerProcess([sys.executable, "-m", "engine.worker", *options], environment, broke_off)
        # It would only try again to save what could not be saved.
        exits.push_async_callback(lambda: process.stop(signal.SIGKILL if reasons else signal.SIGTERM))
        redis = await exits.enter_async_context(connect(url))
        try:
            await process.start()
            (worker,) = [w for w in await workers.living(redis) if w.id.endswith(f":{process.pid}")]
            yield Stack(redis, Store(store_url), worker)
        except asyncio.CancelledError:
            if reasons:
                raise WorkerError(_in_words(reasons[0], folder)) from None
            if not process.lost:
                raise
            log = folder / "worker.log"
            raise WorkerError(f"The worker ended and could not be started again: {log} says why.") from None
        except (RedisError, StoreError) as error:
            if not reasons and not _is_full_disk(str(error)):
                raise
            raise WorkerError(_in_words(str(error), folder)) from error


def _is_full_disk(reason: str) -> bool:
    return any(words in reason for words in ("No space left", "os error 28", "quota exceeded"))


def _in_words(reason: str, folder: Path) -> str:
    """Why nothing can be kept in the stack's folder, in a sentence."""
    if _is_full_disk(reason):
        return f"The disk that {folder} is on is full."
    return f"The painting broke off, since it could not be kept in {folder}: {reason.rstrip('.')}."


async def shared_worker(redis_url: str, weights: str, weights_input: str) -> Worker:
    """One of the workers there that has these weights, a name or a file's path. Raises `WorkerError`."""
    async with connect(redis_url, retries=1) as redis:  # a wrong address shows at once
        living = await workers.living(redis)
    if not living:
        raise WorkerError("No worker is alive at REDIS_URL: start one with `impasto worker`.")
    if weights in ("auto", *STAND_INS):
        return living[0]
    name = weights if weights == "imagenet" else (await inspect_weights(weights, weights_input)).name
    for worker in living:
        if worker.weights == name:
            return worker
    raise WorkerError(
        f"No worker at REDIS_URL has the weights {weights}: start one with `impasto worker --weights {weights}`."
    )
