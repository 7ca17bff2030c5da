"""Paintings that must fail, each with a sentence; and that they harm nobody else."""

from __future__ import annotations

import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chaos.forced import POISON, TOO_LARGE
from chaos.load import Promise
from chaos.rounds.scene import Fault, Scene

from engine.contract.jobs import job_key

FAILED = "**Failed**"


async def poison(scene: Scene) -> None:
    """It kills each worker that takes it up, three times."""
    promise = await scene.painting(seed=POISON, iterations=24)
    promise.ends, promise.why = FAILED, "set aside"
    await _ended(scene, promise, 240)


async def out_of_memory(scene: Scene) -> None:
    promise = await scene.painting(seed=TOO_LARGE, iterations=24)
    promise.ends, promise.why = FAILED, "does not fit into the device's memory"
    await _ended(scene, promise, 120)


async def from_a_newer_version(scene: Scene) -> None:
    async with _nobody_paints(scene):
        promise = await scene.painting(iterations=24)
        key = job_key(promise.job)
        spec = json.loads(await scene.redis.hget(key, "spec"))  # type: ignore[arg-type, misc]
        spec["recipe"] |= {"version": spec["recipe"]["version"] + 1, "brush": "wide"}
        await scene.redis.hset(key, "spec", json.dumps(spec))  # type: ignore[misc]
    promise.ends, promise.why = FAILED, "newer version"
    await _ended(scene, promise, 120)


async def picture_lost(scene: Scene) -> None:
    async with _nobody_paints(scene):
        promise = await scene.painting(iterations=24)
        job = await scene.jobs.get(promise.job)
        assert job is not None
        await scene.store.delete(job.content.key)
    promise.ends, promise.why = FAILED, "pictures"
    await _ended(scene, promise, 120)


@asynccontextmanager
async def _nobody_paints(scene: Scene) -> AsyncIterator[None]:
    for worker in scene.cluster.workers:
        worker.send(signal.SIGSTOP)
    try:
        yield
    finally:
        for worker in scene.cluster.workers:
            worker.send(signal.SIGCONT)


async def _ended(scene: Scene, promise: Promise, seconds: float) -> None:
    await scene.load.discord.until(promise.settled, seconds)


FAULTS: dict[str, Fault] = {
    "a painting that kills its workers": poison,
    "a painting too large for the device": out_of_memory,
    "a painting from a newer version": from_a_newer_version,
    "a painting whose picture is lost": picture_lost,
}
