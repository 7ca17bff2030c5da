"""Who paints: each worker's heartbeat under its own key, and what it says of itself."""

from __future__ import annotations

import structlog
from arq.connections import ArqRedis
from pydantic import BaseModel, ConfigDict, Field

from engine.contract.connection import readable
from engine.contract.settings import SLICE_SECONDS
from engine.recipe.recipe import VERSION

BEAT = 3.0  # s between heartbeats
SILENCE = 12
"""Seconds without a heartbeat after which a worker counts as dead."""
_MOST = 2**16  # bytes of a heartbeat

_log = structlog.get_logger(__name__)


class Worker(BaseModel):
    """A worker as it presents itself: `weights` by name, `note` in words when they are stand-ins.

    `speed` is in floating-point operations per second, by `engine.recipe.cost`, over its latest slices; None
    before the first.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    device: str
    weights: str
    note: str = ""
    network: str = "vgg19"
    """Architecture of its weights, as `Recipe.network` has it."""
    input: str = "torchvision"
    """What the file of its weights expects: torchvision's input, or Caffe's."""
    slow: str = ""
    """Why it paints without graphs and in float32 on a device that has a faster way, as a clause; empty else."""
    jobs: tuple[str, ...] = ()
    speed: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    store: str = ""
    """Identity of its store; empty from a worker that is too old to tell it."""
    user_running: int | None = Field(default=None, ge=1)
    """The most jobs of one user that it lets workers hold at a time; None from a worker too old to tell it."""
    guild_running: int | None = Field(default=None, ge=1)
    """The most jobs of one guild that it lets workers hold at a time; None from a worker too old to tell it."""
    slice_seconds: float = Field(default=SLICE_SECONDS, gt=0, allow_inf_nan=False)
    """Seconds of painting in its slices."""
    recipes: int = VERSION
    """The newest version of recipes that it can paint."""


def _key(worker: str) -> str:
    return f"impasto:worker:{worker}"


def elsewhere(living: list[Worker], store: str) -> list[Worker]:
    """The workers whose store is not the one with identity `store`: what they paint, nobody here can see."""
    return [worker for worker in living if worker.store not in ("", store)]


async def beat(redis: ArqRedis, worker: Worker) -> None:
    """Say that the worker lives, for `SILENCE` seconds."""
    await redis.set(_key(worker.id), worker.model_dump_json(), ex=SILENCE)


async def sign_off(redis: ArqRedis, worker: str) -> None:
    """Say that the worker has gone, of its own will."""
    await redis.delete(_key(worker))


async def living(redis: ArqRedis) -> list[Worker]:
    """Every worker that lives. A heartbeat that cannot be read is logged and left out."""
    keys = [key async for key in redis.scan_iter(_key("*"), count=500)]
    async with redis.pipeline(transaction=False) as pipe:
        for key in keys:
            pipe.getrange(key, 0, _MOST)  # a longer one is cut, and then cannot be read
        beats = await readable(pipe)
    return [worker for key, raw in zip(keys, beats, strict=True) if raw and (worker := _read(key, raw))]


def _read(key: bytes, raw: bytes) -> Worker | None:
    try:
        return Worker.model_validate_json(raw)
    except ValueError as error:
        _log.warning("a worker's heartbeat cannot be read", key=key.decode(errors="replace"), reason=str(error)[:300])
        return None
