"""`python -m load.workers COUNT SECONDS REDIS_URL STORE_URL`: workers that do all but paint, many in one process.

They take up slices by the worker's own queue (arq and `SliceWorker`), hold two jobs each of which one is painted, beat,
look after lost jobs, tell what is painted (progress each second, snapshots), commit, and queue the next slice. Their
paintings make ten iterations a second. In place of a picture stands the content. Ten of them look into the queue as
one: a process that looked for hundreds, each as often as a worker of its own, would be busy with nothing else.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
import random
import sys
from contextlib import AsyncExitStack, suppress
from typing import Any

import structlog
from arq import Retry, func
from arq.connections import ArqRedis
from arq.worker import Worker as ArqWorker

from engine.contract import workers
from engine.contract.connection import QUEUE, connect, load
from engine.contract.events import Cancelled, Done, Progress, Snapshot, Started
from engine.contract.fair_queue import SLICE, FairQueue
from engine.contract.jobs import Jobs
from engine.contract.models import Busy, Claim, Fenced
from engine.contract.reconcile import forget_the_dead, reconcile, takes_turn
from engine.contract.settings import Settings
from engine.contract.store import Store
from engine.worker.arq_worker import SliceWorker

RATE = 10  # iterations per second
TOGETHER = 10  # workers
BETWEEN_LOOKS = 10.0  # s, as the worker's
SETTINGS = Settings(_env_file=None)


@dataclasses.dataclass
class Context:
    """What a slice needs of its workers, `TOGETHER`; `SliceWorker` looks at `queue`, `settings` and `left`."""

    id: str
    redis: ArqRedis
    store: Store
    seconds: float
    """Of painting in a slice."""
    settings: Settings = dataclasses.field(default_factory=lambda: SETTINGS)
    left: tuple[str, ...] = ()
    """Nothing is left to others: they paint with any weights."""

    def __post_init__(self) -> None:
        self.jobs, self.queue = Jobs(self.redis), FairQueue(self.redis)
        self.devices = asyncio.Semaphore(TOGETHER)
        self.held: set[str] = set()

    async def beat(self) -> None:
        while True:
            most, store = self.settings.running, await self.store.prove()
            mine = workers.Worker(
                id=self.id, device="none", weights="random", speed=1e9, jobs=tuple(self.held), store=store,
                user_running=most.user, guild_running=most.guild,
            )  # fmt: skip
            await workers.beat(self.redis, mine)
            await asyncio.sleep(workers.BEAT)

    async def look_after_lost_jobs(self) -> None:
        while True:
            if await takes_turn(self.redis, self.id):
                await reconcile(self.redis, self.seconds, self.settings.slice_timeout)
                await forget_the_dead(self.redis)
            await asyncio.sleep(BETWEEN_LOOKS)


async def paint_slice(ctx: dict[str, Any], job: str, iteration: int, epoch: int) -> None:
    """As the worker's, but for the painting."""
    context: Context = ctx["context"]
    context.held.add(job)
    try:
        claim = await context.jobs.start(job, iteration, epoch, context.id, context.settings.running)
        if claim is not None:
            async with context.devices:
                await _paint(context, claim)
    except Busy:
        raise Retry from None
    except Fenced:
        pass
    finally:
        context.held.discard(job)


async def _paint(context: Context, claim: Claim) -> None:
    job, last = claim.job, claim.job.recipe.iterations
    if claim.iteration == 0:
        await context.jobs.emit(claim, Started(job=job.id, iteration=0, device="none", width=96, height=72))
    iteration, seconds = claim.iteration, 0.0
    while seconds < context.seconds and iteration < last:
        step = min(1.0, context.seconds - seconds)
        await asyncio.sleep(step)
        seconds, before, iteration = seconds + step, iteration, min(last, iteration + round(RATE * step))
        facts: dict[str, Any] = {"loss": 3.0, "content": 1.0, "style": 2.0, "rate": RATE, "eta": 1.0}
        await context.jobs.emit(claim, Progress(job=job.id, iteration=iteration, **facts))
        for shown in (one for one in job.recipe.shown if before < one <= iteration and one < last):
            await context.jobs.emit(claim, Snapshot(job=job.id, iteration=shown, picture=job.content.key, loss=3.0))
    fields = await context.jobs.fields(job.id)
    if fields.get("cancel") == "1":
        await context.jobs.finish(claim, Cancelled(job=job.id, iteration=iteration))
    elif iteration < last:
        # With a checkpoint, or it would stand where it stood, and the next slice be none of it.
        await context.jobs.commit(claim, iteration, job.content.key, seconds)
        await context.queue.enqueue(job, iteration, claim.epoch, context.seconds)
    else:
        record = json.dumps({"losses": {"rows": [[3.0]]}, "width": 96, "height": 72}).encode()
        run = await context.store.put(f"jobs/{job.id}/run.json", record)
        files = {"final.png": job.content.key, "loss.png": job.content.key, "run.json": run}
        await context.jobs.finish(claim, Done(job=job.id, iteration=last, files=files), seconds=seconds)


def _worker(context: Context) -> SliceWorker:
    function = func(paint_slice, name=SLICE, timeout=SETTINGS.slice_timeout, keep_result=0, max_tries=1_000_000)
    worker = SliceWorker(
        functions=[function], redis_pool=context.redis, queue_name=QUEUE, ctx={"context": context},
        max_jobs=2 * TOGETHER, poll_delay=0.5, queue_read_limit=1, handle_signals=False,
        health_check_key=f"impasto:arq:{context.id}", health_check_interval=60, keep_result=0,
        job_serializer=lambda _: b"null", job_deserializer=load,
    )  # fmt: skip
    worker.painters = TOGETHER
    return worker


async def _begin(worker: ArqWorker) -> None:
    """Not all in one moment, or they would for ever reach for the same slices."""
    await asyncio.sleep(random.uniform(0, 5))
    await worker.async_run()


async def main(count: int, seconds: float, redis_url: str, store_url: str) -> None:
    logging.getLogger("arq").setLevel(logging.ERROR)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    store = Store(store_url)
    async with AsyncExitStack() as stack:
        connections = [await stack.enter_async_context(connect(redis_url)) for _ in range(count // TOGETHER)]
        contexts = [Context(f"synthetic-{n}", redis, store, seconds) for n, redis in enumerate(connections)]
        made: list[ArqWorker] = [_worker(context) for context in contexts]
        tasks = [asyncio.create_task(_begin(worker)) for worker in made]
        for context in contexts:
            tasks += [asyncio.create_task(context.beat()), asyncio.create_task(context.look_after_lost_jobs())]
        print("ready", flush=True)
        await asyncio.gather(*tasks)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3], sys.argv[4]))
