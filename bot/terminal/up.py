"""`impasto up`: bot, worker and Redis together, for a small server on one box."""

from __future__ import annotations

import asyncio
import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.settings import BotSettings
from bot.terminal.hand import Hand, WorkshopError
from bot.terminal.serve import serve
from engine.process.local_redis import embedded_redis


async def up(settings: BotSettings) -> int:
    """Run all three until SIGTERM or SIGINT; the exit status. With REDIS_URL set, that Redis is used.

    Raises `SettingsError`, `EmbeddedError` or `WorkshopError` when one of them cannot start.
    """
    data = settings.data_folder().absolute()
    with _alone(data):
        if settings.redis_url is not None:
            return await _run(settings)
        with embedded_redis(data / "redis") as url:
            return await _run(settings.model_copy(update={"redis_url": url}))


async def _run(settings: BotSettings) -> int:
    assert settings.redis_url is not None  # noqa: S101 - `up` has seen to it
    environment = os.environ | {
        "REDIS_URL": settings.redis_url,
        "STORE_URL": settings.store,
        "IMPASTO_DATA": str(settings.impasto_data.absolute()),
    }
    hand = Hand([sys.executable, "-m", "engine.worker"], environment)
    serving = asyncio.create_task(serve(settings))
    hiring = asyncio.create_task(hand.hire())
    try:
        # The bot answers while the worker still loads, or downloads, its weights.
        await asyncio.wait([serving, hiring], return_when=asyncio.FIRST_COMPLETED)
        if hiring.done():
            hiring.result()
        return await serving
    except asyncio.CancelledError:
        if not hand.lost:
            raise
        raise WorkshopError("The worker ended and could not be started again: its log above says why.") from None
    finally:
        hiring.cancel()
        serving.cancel()
        await asyncio.gather(hiring, serving, return_exceptions=True)
        await hand.dismiss()


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    """Nobody else uses the data folder meanwhile: two Redis servers would spoil each other's file."""
    with (data / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise WorkshopError(
                f"Impasto runs already on {data}: end it first, or set IMPASTO_DATA to another folder."
            ) from None
        yield
