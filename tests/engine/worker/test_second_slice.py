"""Who paints already leaves what is new to a worker that stands idle, and gets it ready where there is none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from arq.connections import ArqRedis
from arq.worker import func
from support.jobs import a_job

from engine.contract.connection import QUEUE, load
from engine.contract.fair_queue import SLICE, FairQueue, slice_id
from engine.contract.jobs import Jobs
from engine.contract.models import Job, Running
from engine.worker.arq_worker import SliceWorker


class Clock:
    """What the workers see of the time."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("engine.worker.arq_worker.time", clock)
    return clock


@pytest.fixture
async def workers(redis: ArqRedis, clock: Clock) -> AsyncIterator[list[SliceWorker]]:
    """Two with room for two slices each, which never end."""

    async def paint(ctx: dict[Any, Any], *args: Any) -> None:
        await asyncio.Event().wait()

    running = SimpleNamespace(running=Running(user=9, guild=9))
    context: Any = SimpleNamespace(queue=FairQueue(redis), settings=running, left=[])
    made = [
        SliceWorker(
            functions=[func(paint, name=SLICE)], redis_pool=redis, queue_name=QUEUE, ctx={"context": context},
            max_jobs=2, handle_signals=False, job_deserializer=load,
        )
        for _ in range(2)
    ]  # fmt: skip
    yield made
    tasks = [task for worker in made for task in worker.tasks.values()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def queue(redis: ArqRedis, count: int) -> list[Job]:
    jobs = [a_job(f"user {number}") for number in range(count)]
    for job in jobs:
        await Jobs(redis).create(job)
        await FairQueue(redis).enqueue(job, 0, 0, 1.0)
    return jobs


async def look(worker: SliceWorker) -> int:
    """Lets it look once; how many slices it has then."""
    await worker.start_jobs([b"the queue is not empty"])
    return len(worker.tasks)


async def test_an_idle_worker_takes_one_and_not_two(redis: ArqRedis, workers: list[SliceWorker]) -> None:
    await queue(redis, 2)
    assert [await look(worker) for worker in workers] == [1, 1]


async def test_what_is_new_goes_to_the_idle_one(redis: ArqRedis, workers: list[SliceWorker], clock: Clock) -> None:
    busy, idle = workers
    await queue(redis, 1)
    assert await look(busy) == 1
    clock.now += 10  # since it has looked
    (new,) = await queue(redis, 1)
    assert await look(busy) == 1
    clock.now += 0.25  # so long an idle one may rest
    assert await look(busy) == 1
    assert await look(idle) == 1
    assert [*idle.tasks] == [slice_id(new.id, 0, 0)]


async def test_without_an_idle_worker_the_second_is_taken_up_soon(
    redis: ArqRedis, workers: list[SliceWorker], clock: Clock
) -> None:
    worker, _ = workers
    await queue(redis, 3)
    turns = await FairQueue(redis).all()
    assert await look(worker) == 1
    assert await look(worker) == 1
    clock.now += 0.4
    assert await look(worker) == 2
    assert [*worker.tasks] == turns[:2]


async def test_what_others_have_taken_meanwhile_does_not_keep_it_from_the_next(
    redis: ArqRedis, workers: list[SliceWorker], clock: Clock
) -> None:
    worker, other = workers
    await queue(redis, 3)
    *_, last = await FairQueue(redis).all()
    assert await look(worker) == 1
    assert await look(worker) == 1
    assert await look(other) == 1
    clock.now += 0.4
    assert await look(worker) == 2
    assert last in worker.tasks


async def test_an_idle_one_sees_what_lies_behind_all_that_is_left_to_others(
    redis: ArqRedis, workers: list[SliceWorker]
) -> None:
    *left, behind = await queue(redis, 30)
    worker, _ = workers
    worker.ctx["context"].left += [job.id for job in left]
    assert await look(worker) == 1
    assert [*worker.tasks] == [slice_id(behind.id, 0, 0)]


async def test_what_was_free_when_it_painted_last_is_looked_at_anew(
    redis: ArqRedis, workers: list[SliceWorker], clock: Clock
) -> None:
    """Others may have begun it meanwhile, and passed it on."""
    worker, _ = workers
    await queue(redis, 3)
    assert await look(worker) == 1
    assert await look(worker) == 1  # it has seen two that are free
    worker.job_counter = 0  # as if its slice had ended
    clock.now += 10
    assert await look(worker) == 2
    assert await look(worker) == 2
    clock.now += 0.4
    assert await look(worker) == 3
