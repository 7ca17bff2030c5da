"""Rotten entries in the queue, and wherever else a worker looks: it goes on, and paints everybody else's jobs."""

from __future__ import annotations

from typing import Any

from arq.connections import ArqRedis
from rotten import ROTTEN, other_kinds
from support.jobs import JobClient, light
from support.workers import WorkerPool

from engine.contract.connection import QUEUE
from engine.contract.fair_queue import FINISH, SLICE
from engine.contract.models import CONTROL

FIRST = 86_399_999.0  # before the score of what is painted first
STRANGE: dict[str, Any] = {
    "no function": b'{"t":null,"f":"os.system","a":["true"],"k":{},"et":1}',
    "other arguments": b'{"t":null,"f":"%b","a":[{"x":[]},"now",[]],"k":{},"et":1}' % SLICE.encode(),
    "more arguments": b'{"t":null,"f":"%b","a":["x",0,0,0],"k":{"y":1},"et":1}' % SLICE.encode(),
    "no such job": b'{"t":null,"f":"%b","a":["nobody","*",-1],"k":{},"et":1}' % SLICE.encode(),
}


async def test_a_worker_outlasts_what_lies_in_the_queue(busy_pool: WorkerPool, busy_client: JobClient) -> None:
    (worker,) = busy_pool.workers
    rotten = await _spoil(busy_client.redis)
    job = await busy_client.submit(light(20))
    assert (await busy_client.run(job))["state"] == "done"
    assert not {*await busy_client.redis.zrange(QUEUE, 0, -1)} & rotten
    assert worker.alive


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
