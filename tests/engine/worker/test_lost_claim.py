"""A connection that breaks between arq's look at an entry and its claim: nothing is lost, and nobody dies of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from arq.connections import ArqRedis
from arq.worker import func
from redis.asyncio.client import Pipeline

from engine.contract.connection import QUEUE
from engine.contract.fair_queue import SLICE, FairQueue
from engine.contract.models import Running
from engine.worker.arq_worker import SliceWorker

ENTRY = b"a job:0:0"


async def _nothing(ctx: dict[Any, Any], *args: Any, **kwargs: Any) -> None:
    """In the place of a slice."""


async def test_the_worker_goes_on_and_has_all_its_places(redis: ArqRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    running = SimpleNamespace(running=Running(user=1, guild=1))
    context: Any = SimpleNamespace(queue=FairQueue(redis), settings=running, left=())
    worker = SliceWorker(
        functions=[func(_nothing, name=SLICE)], redis_pool=redis, queue_name=QUEUE, ctx={"context": context},
        max_jobs=1, handle_signals=False,
    )  # fmt: skip
    await redis.zadd(QUEUE, {ENTRY: 1})
    watch, killed = Pipeline.watch, list[int]()

    async def watch_and_lose_the_connection(self: Any, *names: Any) -> Any:
        found = await watch(self, *names)
        if not killed:
            killed.append(await self.execute_command("CLIENT ID"))
            await redis.execute_command("CLIENT KILL ID", killed[0])  # type: ignore[no-untyped-call]
        return found

    monkeypatch.setattr(Pipeline, "watch", watch_and_lose_the_connection)
    await worker.start_jobs([ENTRY])
    assert killed
    assert not worker.tasks
    assert (worker.job_counter, worker.sem.locked()) == (0, False)
    await worker.start_jobs([ENTRY])
    assert list(worker.tasks) == [ENTRY.decode()]
    await worker.tasks[ENTRY.decode()]
