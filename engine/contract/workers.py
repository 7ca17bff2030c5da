"""Who paints: each worker's heartbeat under its own key, and what it says of itself."""

from __future__ import annotations

from arq.connections import ArqRedis
from pydantic import BaseModel, ConfigDict

from engine.painting.recipe import VERSION

BEAT = 3.0  # s between heartbeats
SILENCE = 12
"""Seconds without a heartbeat after which a worker counts as dead."""


class Worker(BaseModel):
    """A worker as it presents itself: `weights` by name, `note` in words when they are stand-ins.

    `speed` is in floating-point operations per second, by `engine.painting.cost`, over its latest strokes; None before
    the first.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    device: str
    weights: str
    note: str = ""
    jobs: tuple[str, ...] = ()
    speed: float | None = None
    recipes: int = VERSION
    """The newest version of recipes that it can paint."""


def _key(worker: str) -> str:
    return f"impasto:worker:{worker}"


async def beat(redis: ArqRedis, worker: Worker) -> None:
    """Say that the worker lives, for `SILENCE` seconds."""
    await redis.set(_key(worker.id), worker.model_dump_json(), ex=SILENCE)


async def sign_off(redis: ArqRedis, worker: str) -> None:
    """Say that it has gone, of its own will."""
    await redis.delete(_key(worker))


async def get(redis: ArqRedis, worker: str) -> Worker | None:
    """The worker, if it lives."""
    raw = await redis.get(_key(worker))
    return None if raw is None else Worker.model_validate_json(raw)


async def living(redis: ArqRedis) -> list[Worker]:
    """Every worker that lives."""
    keys = [key async for key in redis.scan_iter(_key("*"), count=500)]
    values = await redis.mget(keys) if keys else []
    return [Worker.model_validate_json(raw) for raw in values if raw is not None]
