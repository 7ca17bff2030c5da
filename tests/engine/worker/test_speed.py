"""How fast a worker says that it paints."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from arq.connections import ArqRedis
from support.jobs import JobClient, a_job, light

from engine.contract import workers
from engine.contract.events import STREAM, Event, Progress, parse
from engine.contract.settings import read_settings
from engine.forecast import forecast
from engine.recipe.cost import remaining_flops
from engine.worker.checkpoints import Journal
from engine.worker.context import Stop, WorkerContext
from engine.worker.reporter import Reporter
from engine.worker.slice_loop import LoopReport
from engine.worker.weights.named_weights import load_weights


@pytest.mark.long
async def test_a_worker_that_has_painted_tells_its_speed_and_makes_forecasts_possible(busy_client: JobClient) -> None:
    redis = busy_client.redis
    await redis.config_set("notify-keyspace-events", "K$")
    async with redis.pubsub() as beats:
        await beats.psubscribe("__keyspace@1__:impasto:worker:*")
        recipe = light(200)
        run = await busy_client.run(await busy_client.submit(recipe))
        (worker,) = await workers.living(redis)
        async for _ in beats.listen():
            (worker,) = await workers.living(redis)
            if worker.speed is not None:
                break
    assert worker.speed is not None
    assert (worker.user_running, worker.guild_running) == (1, 8)  # of a user by the fixture; forecasts need them too
    assert worker.slice_seconds == 0.15  # by the fixture, and needed as well
    mean = remaining_flops(recipe, 1.0) / run["seconds"]
    assert mean / 100 < worker.speed < mean * 100  # of what it paints in these tests
    waiting = await busy_client.submit(recipe, queued=False)
    assert (await forecast(redis))[waiting.id].done is not None
    await busy_client.jobs.cancel(waiting.id)


async def test_the_speed_is_smoothed_over_strokes(redis: ArqRedis, tmp_path: Path) -> None:
    settings = read_settings(store_url=(tmp_path / "store").as_uri())
    context = WorkerContext(settings, redis, load_weights("random", tmp_path), "cpu")
    context.note_speed(0.0, 0.1)
    assert context.heartbeat.speed is None
    context.note_speed(100.0, 2.0)
    assert context.heartbeat.speed == 50.0
    context.note_speed(300.0, 2.0)
    assert 50 < (context.heartbeat.speed or 0) < 150
    for _ in range(500):
        context.note_speed(300.0, 2.0)
    assert context.heartbeat.speed == pytest.approx(150)


async def test_a_short_stroke_says_little_of_the_speed_be_it_the_first_or_the_latest(
    redis: ArqRedis, tmp_path: Path
) -> None:
    settings = read_settings(store_url=(tmp_path / "store").as_uri())
    context = WorkerContext(settings, redis, load_weights("random", tmp_path), "cpu")
    for seconds, speed in ((1.0, 10.0), (15.0, 100.0), (15.0, 100.0), (1.0, 10.0)):
        context.note_speed(seconds * speed, seconds)
        if seconds > 1:
            assert context.heartbeat.speed == pytest.approx(100, rel=0.06)
    assert context.heartbeat.speed == pytest.approx(100, rel=0.06)


async def test_until_a_slice_knows_its_speed_the_time_left_is_by_the_workers(redis: ArqRedis, tmp_path: Path) -> None:
    settings = read_settings(store_url=(tmp_path / "store").as_uri())
    context = WorkerContext(settings, redis, load_weights("random", tmp_path), "cpu")
    job = a_job()
    await context.jobs.create(job)
    claim = await context.jobs.start(job.id, 0, 0, context.id)
    assert claim is not None
    progress = Progress(job=job.id, iteration=1, loss=3.0, content=1.0, style=2.0, rate=0.2, eta=0.0)

    async def told() -> list[Event]:
        async with Reporter(context, claim, Journal(), Stop()) as reporter:
            await asyncio.to_thread(reporter.tell, LoopReport(1, progress=progress))
        return [parse(fields) for _, fields in await redis.xrange(STREAM)]

    assert await told() == []  # in place of what getting ready alone would tell
    context.note_speed(100.0, 2.0)
    assert await told() == [progress.model_copy(update={"eta": job.remaining_flops(1) / 50})]
