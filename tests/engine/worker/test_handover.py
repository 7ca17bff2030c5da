"""What a worker gives back: jobs that others can paint, in their places; and what it holds when its device is lost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from arq.connections import ArqRedis
from support.jobs import JobClient, a_job, idle_context, light

from engine.contract import workers
from engine.contract.fair_queue import slice_id
from engine.contract.models import Job, Running, job_key
from engine.recipe.recipe import VERSION
from engine.worker import handover
from engine.worker.context import WorkerContext
from engine.worker.handover import end_if_lost
from engine.worker.slices import paint_slice

ABLE = workers.Worker(id="another", device="cpu", weights="imagenet", recipes=VERSION + 1)
MOST = Running(user=9, guild=9)
Submit = Callable[[JobClient], Awaitable[Job]]


@pytest.fixture
def context(redis: ArqRedis, tmp_path: Path) -> WorkerContext:
    return idle_context(redis, tmp_path)


@pytest.fixture
def client(context: WorkerContext) -> JobClient:
    return JobClient(context.redis, context.store)


async def of_other_weights(client: JobClient) -> Job:
    return await client.submit(light(50, weights="imagenet"))


async def of_a_newer_version(client: JobClient) -> Job:
    job = await client.submit(light(50))
    newer = job.model_dump(mode="json")
    newer["recipe"] |= {"version": VERSION + 1, "brush": "wide"}
    await client.redis.hset(job_key(job.id), "spec", json.dumps(newer))  # type: ignore[misc]
    return job


@pytest.mark.parametrize("submit", [of_other_weights, of_a_newer_version])
async def test_what_another_worker_can_paint_is_in_its_place_again_at_once_and_left_to_that_one(
    context: WorkerContext, client: JobClient, submit: Submit
) -> None:
    await workers.beat(context.redis, ABLE)
    await context.redis.persist(f"impasto:worker:{ABLE.id}")  # however long the machine takes for what follows
    job, next_one = await submit(client), await client.submit(light(50))
    await paint_slice({"context": context}, job.id, 0, 0)
    await context.queue.forget(slice_id(job.id, 0, 0))  # as arq does at its end
    names = [slice_id(job.id, 0, 1), slice_id(next_one.id, 0, 0)]
    assert await context.queue.all() == names
    assert [name.decode() for name in await context.queue.ready(MOST, 9)] == names
    assert [name.decode() for name in await context.queue.ready(MOST, 1, context.left)] == names[1:]
    fields = await client.jobs.fields(job.id)
    assert (fields["worker"], fields["deaths"], fields["slice"]) == ("", "0", names[0])


async def test_what_is_cancelled_before_it_is_put_back_comes_before_all_others(
    context: WorkerContext, client: JobClient
) -> None:
    first, job = await client.submit(light(50)), await client.submit(light(50), user="ann")
    assert await client.jobs.start(job.id, 0, 0, context.id) is not None
    await client.jobs.cancel(job.id)
    await client.jobs.release(job.id, context.id)
    await context.queue.forget(slice_id(job.id, 0, 0))
    await context.queue.put_back(job.id, 0, 1)
    assert await context.queue.all() == [slice_id(job.id, 0, 1), slice_id(first.id, 0, 0)]


async def test_of_a_lost_device_the_job_that_met_it_first_is_to_blame_alone(
    context: WorkerContext, client: JobClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next one, which was got ready behind it, meets the same fault before the first is told what it was."""

    class Ended(Exception):
        pass

    def end(status: int) -> None:
        raise Ended

    monkeypatch.setattr(handover, "fault_of", lambda device: "CUDA error: an illegal memory access was encountered")
    monkeypatch.setattr(handover, "exit_now", end)
    guilty, innocent = a_job("ann"), a_job("bob")
    for job in (guilty, innocent):
        await client.jobs.create(job)
        assert await client.jobs.start(job.id, 0, 0, context.id) is not None
    with context.holding(guilty.id):
        with context.holding(innocent.id):
            first = asyncio.create_task(end_if_lost(context, guilty.id))
            await asyncio.sleep(0)
        second = asyncio.create_task(end_if_lost(context, innocent.id))
        with pytest.raises(Ended):
            await first
        await context.in_painting_thread("", int)  # what the second asks has been answered
    assert not second.done()
    second.cancel()
    holders = [(await client.jobs.fields(job.id))["worker"] for job in (guilty, innocent)]
    assert holders == [context.id, ""]
