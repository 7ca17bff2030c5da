"""Rotten entries in the queue, and wherever else a worker looks: it goes on, and paints everybody else's jobs."""

from __future__ import annotations

from typing import Any

import pytest
from arq.connections import ArqRedis
from rotten import ROTTEN, other_kinds
from support.jobs import JobClient, a_job, light
from support.workers import WorkerPool

from engine.contract import workers
from engine.contract.connection import QUEUE
from engine.contract.events import Cancelled
from engine.contract.fair_queue import FINISH, SLICE
from engine.contract.models import CONTROL

FIRST = 86_399_999.0  # before the score of what is painted first
STRANGE: dict[str, Any] = {
    "no function": b'{"t":null,"f":"os.system","a":["true"],"k":{},"et":1}',
    "other arguments": b'{"t":null,"f":"%b","a":[{"x":[]},"now",[]],"k":{},"et":1}' % SLICE.encode(),
    "more arguments": b'{"t":null,"f":"%b","a":["x",0,0,0],"k":{"y":1},"et":1}' % SLICE.encode(),
    "no such job": b'{"t":null,"f":"%b","a":["nobody","*",-1],"k":{},"et":1}' % SLICE.encode(),
}


@pytest.mark.long
async def test_a_worker_outlasts_what_lies_in_the_queue(busy_pool: WorkerPool, busy_client: JobClient) -> None:
    (worker,) = busy_pool.workers
    rotten = await _spoil(busy_client.redis)
    job = await busy_client.submit(light(20))
    assert (await busy_client.run(job))["state"] == "done"
    assert not {*await busy_client.redis.zrange(QUEUE, 0, -1)} & rotten
    assert worker.alive


@pytest.mark.long
async def test_what_is_free_is_found_behind_hundreds_that_are_being_painted(
    busy_pool: WorkerPool, busy_client: JobClient
) -> None:
    """They stand in front, for they were begun before; arq reads no more than those, and a look pages by 500."""
    jobs, held = busy_client.jobs, [a_job(f"user {number}", f"guild {number}") for number in range(510)]
    others = workers.Worker(id="others", device="cpu", weights="random", jobs=tuple(one.id for one in held))
    await workers.beat(busy_client.redis, others)
    await busy_client.redis.persist("impasto:worker:others")  # however long the machine takes for what follows
    claims = []
    try:
        for one in held:
            await jobs.create(one)
            claims.append(await jobs.start(one.id, 0, 0, "others"))
        for one in held:
            await busy_client.queue.enqueue(one, 0, 0, 1.0)
        job = await busy_client.submit(light(20))
        assert (await busy_client.run(job))["state"] == "done"
        assert {claim.epoch for claim in claims if claim} == {1}
        assert {(await jobs.fields(one.id))["epoch"] for one in held} == {"1"}  # nobody else began one of them
    finally:
        for claim in filter(None, claims):
            await jobs.finish(claim, Cancelled(job=claim.job.id, iteration=0))
            await busy_client.queue.forget(f"{claim.job.id}:0:0")
        await workers.sign_off(busy_client.redis, "others")


async def _spoil(redis: ArqRedis) -> set[bytes]:
    """The queue, what it leads to, and the streams and numbers beside it; the names in the queue."""
    for name, value in (ROTTEN | STRANGE).items():
        await redis.set(f"arq:job:{name}", value)
    await other_kinds(redis, "arq:job:")
    await redis.set("arq:job:tried", STRANGE["no such job"])
    await redis.set("arq:retry:tried", "often")
    await redis.xadd(CONTROL, {"x": "y"})
    await redis.xadd(CONTROL, {"job": b"\xff"})
    await redis.hset(FINISH, "somebody", "never")  # type: ignore[misc]
    rotten = dict.fromkeys([b"\xff\xfe", b"list", b"stream", b"tried", *map(str.encode, ROTTEN | STRANGE)], FIRST)
    await redis.zadd(QUEUE, {**rotten, b"ages ago": "-inf"})
    return {*rotten, b"ages ago"}
