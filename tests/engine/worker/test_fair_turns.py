"""One worker and several people: nobody waits for another's whole painting."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import pytest
from arq import ArqRedis, Retry
from support.jobs import JobClient, a_job, light, newest_event, uncut_sha256
from support.workers import WorkerPool

from engine.contract.events import Cancelled, Done, Snapshot, follow
from engine.contract.models import HELD_USERS, Asked, JobState
from engine.contract.settings import read_settings
from engine.recipe.draft import draft_recipe
from engine.worker.context import WorkerContext
from engine.worker.slices import paint_slice
from engine.worker.weights.named_weights import load_weights

SHORT = light(50)


async def test_jobs_of_two_people_alternate_on_one_worker(busy_client: JobClient) -> None:
    recipe = light(600, snapshots=tuple(range(10, 600, 10)))
    start = await newest_event(busy_client.redis)
    jobs = [await busy_client.submit(recipe, user=user) for user in ("ann", "bob")]
    runs = [await busy_client.run(job) for job in jobs]

    # Snapshots tell whose slice it was; they come in the order of painting, but for those that are still encoded.
    told = await busy_client.told(start, {job.id for job in jobs})
    turns = [job for job, _ in groupby(event.job for event in told if isinstance(event, Snapshot))]
    slices = min(len(run["slices"]) for run in runs)
    assert slices >= 3
    assert len(turns) >= slices  # one after the other would be two turns
    assert [run["final"]["sha256"] for run in runs] == [uncut_sha256(recipe)] * 2


async def test_a_short_job_ends_long_before_the_long_one_that_came_first(busy_client: JobClient) -> None:
    long = await busy_client.submit(light(5000, snapshots=(10,)), user="ann")
    await busy_client.until(long, 10)
    short = await busy_client.submit(SHORT, user="bob")
    assert isinstance((await busy_client.events(short))[-1], Done)
    assert await busy_client.jobs.state(long.id) is JobState.PAINTING
    await busy_client.jobs.cancel(long.id)
    assert isinstance((await busy_client.events(long))[-1], Cancelled)


async def test_a_draft_is_painted_by_the_starter_before_what_its_user_asked_for_earlier(busy_client: JobClient) -> None:
    asked = Asked(recipe="fine", fields={"size": 64})
    many = [await busy_client.submit(light(5000, snapshots=(10,)), user="ann") for _ in range(4)]
    await busy_client.until(many[0], 10)
    draft = await busy_client.submit(draft_recipe("fine", size=32, iterations=4), user="ann", draft_of=asked)
    run = await busy_client.run(draft)
    assert (run["weights"]["name"], run["draft_of"]) == ("starter", asked.model_dump())
    assert JobState.DONE not in [await busy_client.jobs.state(job.id) for job in many]
    for job in many:
        await busy_client.jobs.cancel(job.id)
        await busy_client.events(job)


@pytest.mark.long
async def test_many_jobs_of_one_person_do_not_hold_up_the_only_job_of_another(busy_client: JobClient) -> None:
    many = [await busy_client.submit(SHORT, user="ann") for _ in range(12)]
    single = await busy_client.submit(SHORT, user="bob")
    await busy_client.events(single)
    left = [job for job in many if await busy_client.jobs.state(job.id) not in (JobState.DONE, None)]
    assert len(left) >= 8
    for job in many:
        await busy_client.jobs.cancel(job.id)
        await busy_client.events(job)


@pytest.mark.long
async def test_of_each_person_no_more_is_under_way_at_once_than_may_be(client: JobClient, pool: WorkerPool) -> None:
    pool.start_worker(seconds=1.0, IMPASTO_USER_RUNNING="1").ready()  # long enough to take up a second one meanwhile
    recipe = light(300, snapshots=tuple(range(20, 300, 20)))
    endless, jobs = [
        [await client.submit(one, user=user) for user in ("ann", "bob")]
        for one in (light(5000, snapshots=tuple(range(20, 5000, 20))), recipe)
    ]
    held = set()
    for job in (*endless, *jobs):
        async for _, _ in follow(client.redis, job.id):
            held.add(tuple(await client.redis.hmget(HELD_USERS, ["ann", "bob"])))  # type: ignore[misc]
            if (b"1", b"1") in held:  # the worker takes two slices at once, but not two of one person
                for long in endless:
                    await client.jobs.cancel(long.id)
    assert (b"1", b"1") in held
    assert {count for pair in held for count in pair} <= {None, b"1"}
    assert [(await client.run(job))["final"]["sha256"] for job in jobs] == [uncut_sha256(recipe)] * 2
    assert await client.redis.hmget(HELD_USERS, ["ann", "bob"]) == [None, None]  # type: ignore[misc]


async def test_a_worker_that_comes_too_late_with_one_too_many_leaves_it_where_it_was(
    redis: ArqRedis, tmp_path: Path
) -> None:
    settings = read_settings(store_url=(tmp_path / "store").as_uri(), impasto_user_running=1)
    context = WorkerContext(settings, redis, load_weights("random", tmp_path), "cpu")
    first, second = a_job("ann"), a_job("ann")
    for job in (first, second):
        await context.jobs.create(job)
        await context.queue.enqueue(job, 0, 0, 1.0)
    assert await context.jobs.start(first.id, 0, 0, "another worker") is not None
    before = {key: await redis.dump(key) for key in await redis.keys("*")}
    with pytest.raises(Retry):
        await paint_slice({"context": context}, second.id, 0, 0)
    assert {key: await redis.dump(key) for key in await redis.keys("*")} == before
    assert context.heartbeat.jobs == ()
    assert (context.heartbeat.user_running, context.heartbeat.guild_running) == (1, settings.impasto_guild_running)
