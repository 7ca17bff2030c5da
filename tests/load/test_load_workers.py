"""The synthetic workers of `make load` still know what a worker's queue asks of them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

from arq.connections import ArqRedis
from support.jobs import JobClient, light

from engine.contract import workers
from engine.contract.events import Done
from engine.contract.store import Store
from load.workers import SETTINGS, Context, _worker


async def test_a_synthetic_worker_takes_a_painting_up_and_tells_of_it(redis: ArqRedis, tmp_path: Path) -> None:
    context = Context("synthetic", redis, Store(tmp_path.as_uri()), seconds=0.1)
    client = JobClient(redis, context.store)
    tasks = [asyncio.create_task(work) for work in (context.beat(), _worker(context).async_run())]
    job = await client.submit(light(2))  # at ten iterations a second: two slices
    assert isinstance((await client.events(job))[-1], Done)
    (beat,) = await workers.living(redis)
    assert (beat.user_running, beat.guild_running) == (SETTINGS.running.user, SETTINGS.running.guild)
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
