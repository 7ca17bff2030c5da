"""Paintings that must fail, each with a sentence; and that they harm nobody else."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chaos.forced import POISON, TOO_LARGE
from chaos.load import FAILED, Promise
from chaos.rounds.scene import Fault, Scene
from engine.contract.events import Failed, follow
from engine.contract.fair_queue import FairQueue
from engine.contract.models import job_key, new_id


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
    """Asked for in a terminal of a newer version."""
    like = await scene.jobs.get((await scene.painting(iterations=24)).job)
    assert like is not None
    job = like.model_copy(update={"id": new_id(), "user": "a terminal", "guild": "terminals"})
    async with _nobody_paints(scene):
        await scene.jobs.create(job)
        spec = json.loads(job.model_dump_json())
        spec["recipe"] |= {"version": spec["recipe"]["version"] + 1, "brush": "wide"}
        await scene.redis.hset(job_key(job.id), "spec", json.dumps(spec))  # type: ignore[misc]
        await FairQueue(scene.redis).enqueue(job, 0, 0, 1.0)
    async with asyncio.timeout(300):
        async for _, event in follow(scene.redis, job.id):
            if not isinstance(event, Failed) or "newer version" not in event.reason:
                raise AssertionError(f"a painting from a newer version ended so: {event}")


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
