"""arq's own keys and counters, which a new version may change without a word: then this says what has changed."""

from __future__ import annotations

import asyncio
from typing import Any

from arq.connections import ArqRedis
from arq.worker import Worker, func

from engine.contract import arq_keys
from engine.contract.connection import QUEUE, load

CHANGED = "this version of arq changed"
NAME, TIMEOUT = "a job:0:0", 60.0


async def test_arqs_keys_are_where_we_look_for_them(redis: ArqRedis) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def work(ctx: dict[Any, Any], *args: Any, **kwargs: Any) -> None:
        begun.set()
        await go_on.wait()

    await redis.enqueue_job("work", _job_id=NAME)
    assert await redis.exists(arq_keys.payload(NAME)), f"{CHANGED} the key of what is to be run"
    worker = Worker(
        functions=[func(work, name="work", timeout=TIMEOUT, keep_result=0)], redis_pool=redis, queue_name=QUEUE,
        job_deserializer=load, handle_signals=False,
    )  # fmt: skip
    await worker.start_jobs([NAME.encode()])
    starting = asyncio.create_task(begun.wait())
    await asyncio.wait([starting, worker.tasks[NAME]], return_when=asyncio.FIRST_COMPLETED)
    assert begun.is_set(), f"{CHANGED} how it begins what lies in its queue"
    assert await redis.exists(arq_keys.payload(NAME)), f"{CHANGED} how long it keeps what is run"
    lasting = await redis.pttl(arq_keys.lease(NAME)) / 1000
    assert TIMEOUT < lasting <= TIMEOUT + arq_keys.LEASE_EXTRA, f"{CHANGED} the key or the length of its lease"
    assert await redis.get(arq_keys.tries(NAME)) == b"1", f"{CHANGED} the key that counts its tries"
    assert await redis.zscore(QUEUE, NAME) is not None, f"{CHANGED} when it takes what it runs out of the queue"
    assert worker.job_counter == 1, f"{CHANGED} how it counts what it runs"
    assert not worker.sem.locked(), f"{CHANGED} how many it takes up at once"
    go_on.set()
    await worker.tasks[NAME]
    assert worker.allow_pick_jobs is True, f"{CHANGED} how it is told to take up no more"
    left = [arq_keys.payload(NAME), arq_keys.lease(NAME), arq_keys.tries(NAME)]
    assert not await redis.exists(*left), f"{CHANGED} which keys it leaves"
