"""`impasto up`: bot, worker and Redis together, for a small server on one box."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.lifecycle.application import give_up_redis
from bot.settings import BotSettings
from bot.terminal.serve import serve
from bot.terminal.worker_process import WorkerError, WorkerProcess
from engine.contract.connection import connect
from engine.process.child_process import module_command
from engine.process.local_redis import embedded_redis


async def up(settings: BotSettings) -> int:
    """Run all three until SIGTERM or SIGINT; the exit status. With REDIS_URL set, that Redis is used.

    Raises `SettingsError`, `EmbeddedError` or `WorkerError` when one of them cannot start.
    """
    data = settings.data_folder().absolute()
    with alone(data):
        if settings.redis_url is not None:
            return await _run(settings)
        with embedded_redis(data / "redis") as url:
            async with connect(url) as redis:
                await give_up_redis(redis)  # no other bot can be at it, and this one's token may be another now
            return await _run(settings.model_copy(update={"redis_url": url}))


async def _run(settings: BotSettings) -> int:
    assert settings.redis_url is not None  # noqa: S101 - `up` has seen to it
    environment = os.environ | {
        "REDIS_URL": settings.redis_url,
        "STORE_URL": settings.store,
        "IMPASTO_DATA": str(settings.impasto_data.absolute()),
        "IMPASTO_MONITORING": "off",  # the bot's address is taken
    }
    worker = WorkerProcess(module_command("engine.worker"), environment)
    serving = asyncio.create_task(serve(settings))
    starting = asyncio.create_task(worker.start())
    try:
        # The bot answers while the worker still loads, or downloads, its weights.
        await asyncio.wait([serving, starting], return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
        return await serving
    except asyncio.CancelledError:
        if not worker.lost:
            raise
        raise WorkerError(worker.lost) from None
    finally:
        starting.cancel()
        serving.cancel()
        await asyncio.gather(starting, serving, return_exceptions=True)
        await worker.stop()


@contextmanager
def alone(data: Path) -> Iterator[None]:
    """Nobody else uses the data folder meanwhile: two Redis servers would spoil each other's file."""
    with (data / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise WorkerError(
                f"Impasto runs already on {data}: end it first, or set IMPASTO_DATA to another folder."
            ) from None
        yield
