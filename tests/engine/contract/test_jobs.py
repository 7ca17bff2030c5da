"""A job's life in Redis: accepted once, held by one worker at a time, ended once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from arq.connections import ArqRedis
from support.jobs import a_job

from engine.contract.events import STREAM, Cancelled, Done, Failed, Notice
from engine.contract.jobs import Jobs
from engine.contract.models import (
    CONTROL,
    DEATHS,
    OPEN,
    USERS,
    Claim,
    Fenced,
    Job,
    JobState,
    flows_key,
    job_key,
    seen_key,
)


async def started(jobs: Jobs, job: Job, iteration: int = 0, epoch: int = 0, worker: str = "w1") -> Claim:
    claim = await jobs.start(job.id, iteration, epoch, worker)
    assert claim is not None
    return claim


def done(job: Job) -> Done:
    return Done(job=job.id, iteration=100, files={"final.png": "somewhere"})


async def test_a_job_is_accepted_once(redis: ArqRedis) -> None:
    jobs, job = Jobs(redis), a_job()
    assert await jobs.create(job) is True
    assert await jobs.create(job) is False
    assert await redis.hget(flows_key(job.guild), "someone") == b"1"  # type: ignore[misc]
    assert await jobs.open() == [job.id]
    assert await jobs.get(job.id) == job
    assert await jobs.state(job.id) is JobState.QUEUED


async def test_an_unknown_job_is_nothing(redis: ArqRedis) -> None:
    jobs = Jobs(redis)
    assert await jobs.get("x") is None
    assert await jobs.state("x") is None
    assert await jobs.fields("x") == {}
    assert await jobs.start("x", 0, 0, "w1") is None
    assert await jobs.cancel("x") is False
    assert await redis.keys("*") == []


async def test_a_slice_is_begun_once(redis: ArqRedis) -> None:
    jobs, job = Jobs(redis), a_job()
    await jobs.create(job)
    claim = await started(jobs, job)
    assert (claim.job, claim.epoch, claim.iteration, claim.checkpoints) == (job, 1, 0, ())
    assert not claim.cancelled
    assert not claim.poisoned
    assert await jobs.start(job.id, 0, 0, "w2") is None
    assert await jobs.start(job.id, 5, 1, "w2") is None  # of another iteration
    assert (await jobs.fields(job.id))["worker"] == "w1"


WRITES: dict[str, Callable[[Jobs, Claim], Awaitable[object]]] = {
    "emit": lambda jobs, claim: jobs.emit(claim, Notice(job=claim.job.id, iteration=7, text="hello")),
    "commit": lambda jobs, claim: jobs.commit(claim, 7, "checkpoint-7"),
    "finish": lambda jobs, claim: jobs.finish(claim, Failed(job=claim.job.id, iteration=7, reason="too late")),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
async def test_a_worker_that_was_succeeded_can_change_nothing(
    redis: ArqRedis, write: Callable[[Jobs, Claim], Awaitable[object]]
) -> None:
    jobs, job = Jobs(redis), a_job()
    await jobs.create(job)
    stale = await started(jobs, job)
    await started(jobs, job, epoch=1, worker="w2")
    before = {key: await redis.dump(key) for key in await redis.keys("*")}
    with pytest.raises(Fenced):
        await write(jobs, stale)
    assert {key: await redis.dump(key) for key in await redis.keys("*")} == before


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
async def test_nothing_is_written_to_a_job_that_has_ended(
    redis: ArqRedis, write: Callable[[Jobs, Claim], Awaitable[object]]
) -> None:
    jobs, job = Jobs(redis), a_job()
    await jobs.create(job)
    claim = await started(jobs, job)
    await jobs.finish(claim, done(job))
    before = await redis.xlen(STREAM)
    with pytest.raises(Fenced):
        await write(jobs, claim)
    assert await redis.xlen(STREAM) == before
    assert await jobs.state(job.id) is JobState.DONE


async def test_what_is_said_again_because_the_answer_was_lost_is_no_write(redis: ArqRedis) -> None:
    jobs, job = Jobs(redis), a_job()
    await jobs.create(job)
    claim = await started(jobs, job)
    writes = (
        lambda: started(jobs, job),
        lambda: jobs.commit(claim, 10, "at-10", 2.0),
        lambda: jobs.finish(claim, done(job), seconds=2.0),
    )
    for write in writes:
        await write()
        before = {key: await redis.dump(key) for key in await redis.keys("*")}
        await write()
        assert {key: await redis.dump(key) for key in await redis.keys("*")} == before


async def test_a_slice_whose_beginning_is_said_again_is_the_same_until_it_ends(redis: ArqRedis) -> None:
    jobs, job = Jobs(redis), a_job()
    await jobs.create(job)
    for epoch in range(DEATHS):  # by each of them, and no more than once
        claim = await started(jobs, job, epoch=epoch)
        assert await started(jobs, job, epoch=epoch) == claim
        assert await jobs.start(job.id, 0, epoch, "w2") is None
        assert float((await jobs.fields(job.id))["deaths"]) == epoch
    assert await jobs.start(job.id, 0, 0, "w1") is None  # long over
    await jobs.commit(claim, 0, None)
    assert await jobs.start(job.id, 0, claim.epoch - 1, "w1") is None


async def test_a_commit_gives_the_job_back_and_keeps_two_checkpoints(redis: ArqRedis) -> None:
    jobs, job = Jobs(redis), a_job()
    await jobs.create(job)
    dropped = []
    for epoch, iteration in enumerate((10, 20, 30)):
        claim = await started(jobs, job, iteration - 10, epoch)
        dropped.append(await jobs.commit(claim, iteration, f"at-{iteration}"))
    assert dropped == [[], [], ["at-10"]]
    assert (await jobs.fields(job.id))["worker"] == ""
    assert (await started(jobs, job, 30, 3)).checkpoints == ("at-30", "at-20")


async def test_a_commit_without_a_checkpoint_changes_only_the_holder(redis: ArqRedis) -> None:
    jobs, job = Jobs(redis), a_job()
    await jobs.create(job)
    await jobs.commit(await started(jobs, job), 10, "at-10")
    assert await jobs.commit(await started(jobs, job, 10, 1), 10, None) == []
    fields = await jobs.fields(job.id)
    assert (fields["worker"], fields["iteration"], fields["checkpoints"]) == ("", "10", "at-10")


async def test_only_workers_that_never_gave_the_job_back_count_as_deaths(redis: ArqRedis) -> None:
    jobs, job = Jobs(redis), a_job()
    await jobs.create(job)
    for epoch in range(DEATHS):
        claim = await started(jobs, job, epoch=epoch)
        assert not claim.poisoned
    assert (await started(jobs, job, epoch=DEATHS)).poisoned

    other = a_job()
    await jobs.create(other)
    await started(jobs, other)
    await started(jobs, other, epoch=1)
    claim = await started(jobs, other, epoch=2)
    await jobs.commit(claim, 10, "at-10")  # progress
    assert (await jobs.fields(other.id))["deaths"] == "0"
    await started(jobs, other, 10, 3)
    assert not (await started(jobs, other, 10, 4)).poisoned


@pytest.mark.parametrize("quarantine", [False, True])
async def test_the_end_is_told_and_leaves_nothing_open(redis: ArqRedis, quarantine: bool) -> None:
    jobs, job, other = Jobs(redis), a_job(), a_job()
    for each in (job, other):
        await jobs.create(each)
    claim = await started(jobs, job)
    await jobs.emit(claim, Notice(job=job.id, iteration=1, text="hello"))
    await jobs.finish(claim, Failed(job=job.id, iteration=1, reason="No paint."), quarantine=quarantine)
    assert await jobs.state(job.id) is (JobState.QUARANTINED if quarantine else JobState.FAILED)
    assert await jobs.open() == [other.id]
    assert await redis.hget(flows_key(job.guild), "someone") == b"1"  # type: ignore[misc]
    (_, told) = (await redis.xrevrange(STREAM, count=1))[0]
    assert b"No paint." in told[b"event"]
    assert 0 < await redis.ttl(job_key(job.id)) <= 31 * 86400
    assert 0 < await redis.ttl(seen_key(job.id)) <= 31 * 86400
    await jobs.cancel(other.id)
    assert await redis.exists(OPEN, USERS, flows_key(job.guild)) == 0


async def test_a_queued_job_is_cancelled_at_once(redis: ArqRedis) -> None:
    jobs, job = Jobs(redis), a_job()
    await jobs.create(job)
    assert await jobs.cancel(job.id) is True
    assert await jobs.cancel(job.id) is False
    assert await jobs.state(job.id) is JobState.CANCELLED
    assert await jobs.open() == []
    ((_, told),) = await redis.xrange(STREAM)
    assert Cancelled.model_validate_json(told[b"event"]) == Cancelled(job=job.id, iteration=0)
    assert await jobs.start(job.id, 0, 0, "w1") is None


async def test_a_painter_is_told_to_stop_and_the_next_slice_knows(redis: ArqRedis) -> None:
    jobs, job = Jobs(redis), a_job()
    await jobs.create(job)
    claim = await started(jobs, job)
    assert await jobs.cancel(job.id) is True
    assert await jobs.state(job.id) is JobState.PAINTING
    ((_, asked),) = await redis.xrange(CONTROL)
    assert asked[b"job"].decode() == job.id
    await jobs.commit(claim, 10, "at-10")
    assert (await started(jobs, job, 10, 1)).cancelled
