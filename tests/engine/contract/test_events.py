"""What is told of a job: once, in order, and to whoever comes later."""

from __future__ import annotations

import asyncio

import pytest
from arq.connections import ArqRedis
from support.jobs import a_job, newest_event

from engine.contract.events import STREAM, Done, Event, Notice, Progress, Snapshot, Started, follow, parse
from engine.contract.jobs import Jobs
from engine.contract.models import Claim


def progress(job: str, iteration: int) -> Progress:
    return Progress(job=job, iteration=iteration, loss=3.0, content=1.0, style=2.0, rate=4.5, eta=6.0)


@pytest.fixture
def jobs(redis: ArqRedis) -> Jobs:
    return Jobs(redis)


@pytest.fixture
async def claim(jobs: Jobs) -> Claim:
    return await claimed(jobs)


async def claimed(jobs: Jobs) -> Claim:
    job = a_job()
    await jobs.create(job)
    claim = await jobs.start(job.id, 0, 0, "w1")
    assert claim is not None
    return claim


async def story(redis: ArqRedis, jobs: Jobs, claim: Claim) -> list[Event]:
    await jobs.finish(claim, Done(job=claim.job.id, iteration=100, files={}))
    return [event async for _, event in follow(redis, claim.job.id)]


async def test_a_slice_that_is_painted_again_tells_nothing_again(redis: ArqRedis, jobs: Jobs, claim: Claim) -> None:
    job = claim.job.id
    first: list[Event] = [
        Started(job=job, iteration=0, device="cpu", width=32, height=24),
        Notice(job=job, iteration=5, text="hello"),
        Snapshot(job=job, iteration=5, picture="a", loss=1.0),
        progress(job, 6),
    ]
    for event in first:
        assert await jobs.emit(claim, event) is True
    successor = await jobs.start(job, 0, claim.epoch, "w2")
    assert successor is not None
    again = [first[0], first[1], Snapshot(job=job, iteration=5, picture="b", loss=1.0), progress(job, 6)]
    assert [await jobs.emit(successor, event) for event in again] == [False] * 4
    assert await jobs.emit(successor, Snapshot(job=job, iteration=6, picture="c", loss=1.0)) is True
    kinds = [event.kind for event in await story(redis, jobs, successor)]
    assert kinds == ["started", "notice", "snapshot", "progress", "snapshot", "done"]


async def test_progress_only_goes_forward(redis: ArqRedis, jobs: Jobs, claim: Claim) -> None:
    told = [await jobs.emit(claim, progress(claim.job.id, i)) for i in (9, 10, 10, 2, 11)]
    assert told == [True, True, False, False, True]
    assert [event.iteration for event in await story(redis, jobs, claim)] == [11, 100]


async def test_the_stream_holds_the_newest_progress_of_each_job_alone(
    redis: ArqRedis, jobs: Jobs, claim: Claim
) -> None:
    other = await claimed(jobs)
    for iteration in range(1, 50):
        await jobs.emit(claim, progress(claim.job.id, iteration))
        await jobs.emit(other, progress(other.job.id, 2 * iteration))
    await jobs.emit(claim, Notice(job=claim.job.id, iteration=3, text="hello"))
    entries = await redis.xrange(STREAM)
    assert [parse(fields) for _, fields in entries] == [
        progress(claim.job.id, 49), progress(other.job.id, 98), Notice(job=claim.job.id, iteration=3, text="hello")
    ]  # fmt: skip
    successor = await jobs.start(claim.job.id, 0, claim.epoch, "w2")
    assert successor is not None
    await jobs.emit(successor, progress(claim.job.id, 50))
    assert await redis.xlen(STREAM) == 3


async def test_a_group_is_handed_what_was_deleted_while_it_was_pending_without_fields(
    redis: ArqRedis, jobs: Jobs, claim: Claim
) -> None:
    await redis.xgroup_create(STREAM, "readers", id="0", mkstream=True)
    await jobs.emit(claim, progress(claim.job.id, 1))
    ((_, ((entry, _),)),) = await redis.xreadgroup("readers", "one", {STREAM: ">"})
    await jobs.emit(claim, progress(claim.job.id, 2))
    ((_, ((again, fields),)),) = await redis.xreadgroup("readers", "one", {STREAM: "0"})
    assert (again, fields) == (entry, {})
    with pytest.raises(KeyError):
        parse(fields)
    assert await redis.xack(STREAM, "readers", again) == 1
    ((_, ((_, fields),)),) = await redis.xreadgroup("readers", "one", {STREAM: ">"})
    assert parse(fields) == progress(claim.job.id, 2)


async def test_a_follower_hears_one_job_alone_and_ends_with_it(redis: ArqRedis, jobs: Jobs, claim: Claim) -> None:
    other = await claimed(jobs)
    await jobs.emit(other, progress(other.job.id, 1))
    await jobs.emit(claim, progress(claim.job.id, 2))
    assert await story(redis, jobs, claim) == [
        progress(claim.job.id, 2), Done(job=claim.job.id, iteration=100, files={})
    ]  # fmt: skip


async def test_a_follower_goes_on_after_the_last_entry_that_it_has_seen(
    redis: ArqRedis, jobs: Jobs, claim: Claim
) -> None:
    for iteration in (1, 2, 3):
        await jobs.emit(claim, Notice(job=claim.job.id, iteration=iteration, text="hello"))
    seen = follow(redis, claim.job.id)
    entry, _ = [await anext(seen) for _ in range(2)][-1]
    await jobs.finish(claim, Done(job=claim.job.id, iteration=100, files={}))
    rest = [event.iteration async for _, event in follow(redis, claim.job.id, after=entry)]
    assert rest == [3, 100]


async def test_a_follower_waits_for_what_is_not_told_yet(redis: ArqRedis, jobs: Jobs, claim: Claim) -> None:
    await jobs.emit(claim, progress(claim.job.id, 1))
    heard: asyncio.Queue[Event] = asyncio.Queue()

    async def listen(after: str) -> None:
        async for _, event in follow(redis, claim.job.id, after):
            heard.put_nowait(event)

    listener = asyncio.create_task(listen(await newest_event(redis)))
    await jobs.emit(claim, progress(claim.job.id, 2))
    assert (await heard.get()).iteration == 2  # and not the first, which was there before
    await jobs.finish(claim, Done(job=claim.job.id, iteration=100, files={}))
    await listener
    assert (await heard.get()).kind == "done"
