"""The safety net: what is lost is found, and what is well is let be."""

from __future__ import annotations

import pytest
from arq.connections import ArqRedis
from support.jobs import SLICE_TIMEOUT, a_job

from engine.contract import workers
from engine.contract.connection import FRONT, QUEUE
from engine.contract.fair_queue import FINISH, FairQueue, slice_id
from engine.contract.jobs import Jobs
from engine.contract.models import Claim, Job, job_key
from engine.contract.reconcile import GRACE, forget_the_dead, reconcile


@pytest.fixture
async def job(redis: ArqRedis) -> Job:
    job = a_job()
    await Jobs(redis).create(job)
    await FairQueue(redis).enqueue(job, 0, 0, 1.0)
    return job


async def begin(redis: ArqRedis, job: Job) -> Claim:
    claim = await Jobs(redis).start(job.id, 0, 0, "w1")
    assert claim is not None
    return claim


async def age(redis: ArqRedis, job: Job, seconds: float = GRACE + 1) -> None:
    """Make the job's last change older, than the grace or by so many seconds, instead of waiting for it."""
    await redis.hincrbyfloat(job_key(job.id), "since", -seconds)  # type: ignore[misc]


async def alive(redis: ArqRedis, *jobs: str) -> None:
    await workers.beat(redis, workers.Worker(id="w1", device="cpu", weights="random", jobs=jobs))


async def test_a_job_that_waits_in_the_queue_is_let_be(redis: ArqRedis, job: Job) -> None:
    await age(redis, job)
    assert await reconcile(redis, 1.0, SLICE_TIMEOUT) == 0


async def test_a_job_whose_slice_vanished_from_the_queue_is_queued_again(redis: ArqRedis, job: Job) -> None:
    name = slice_id(job.id, 0, 0)
    await FairQueue(redis).forget(name)
    assert await reconcile(redis, 1.0, SLICE_TIMEOUT) == 0  # whoever made it may be about to queue it
    await age(redis, job)
    assert await reconcile(redis, 1.0, SLICE_TIMEOUT) == 1
    assert await FairQueue(redis).waiting(name, SLICE_TIMEOUT)
    assert await reconcile(redis, 1.0, SLICE_TIMEOUT) == 0


async def test_what_is_queued_again_is_charged_with_what_is_left_of_it(redis: ArqRedis, job: Job) -> None:
    left, most = job.remaining_flops(0), 15.0
    await workers.beat(redis, workers.Worker(id="w1", device="cpu", weights="random", speed=left / 2.0))
    await FairQueue(redis).forget(slice_id(job.id, 0, 0))
    await age(redis, job)
    (before,) = await redis.hvals(FINISH)  # type: ignore[misc]
    assert await reconcile(redis, most, SLICE_TIMEOUT) == 1
    (after,) = await redis.hvals(FINISH)  # type: ignore[misc]
    assert float(after) - float(before) == pytest.approx(2.0)


async def test_a_slice_whose_arq_job_has_gone_is_queued_again(redis: ArqRedis, job: Job) -> None:
    await redis.delete(f"arq:job:{slice_id(job.id, 0, 0)}")
    await age(redis, job)
    assert await reconcile(redis, 1.0, SLICE_TIMEOUT) == 1
    assert await redis.exists(f"arq:job:{slice_id(job.id, 0, 0)}")


async def test_the_job_of_a_dead_worker_is_queued_again_even_when_fresh(redis: ArqRedis, job: Job) -> None:
    claim = await begin(redis, job)
    await age(redis, job, 1)
    assert await reconcile(redis, 1.0, SLICE_TIMEOUT) == 1
    assert await FairQueue(redis).waiting(slice_id(job.id, 0, claim.epoch), SLICE_TIMEOUT)
    assert not await FairQueue(redis).waiting(slice_id(job.id, 0, 0), SLICE_TIMEOUT)
    successor = await Jobs(redis).start(job.id, 0, claim.epoch, "w2")
    assert successor is not None


async def test_what_is_queued_again_keeps_its_place_until_it_is_begun(redis: ArqRedis, job: Job) -> None:
    """Its hash names the dead worker until then; and what is cancelled meanwhile comes before all others'."""
    claim = await begin(redis, job)
    await age(redis, job, 1)
    assert await reconcile(redis, 1.0, SLICE_TIMEOUT) == 1
    name = slice_id(job.id, 0, claim.epoch)
    place, finish = await redis.zscore(QUEUE, name), await redis.hgetall(FINISH)  # type: ignore[misc]
    for _ in range(3):
        await age(redis, job, 10)
        assert await reconcile(redis, 1.0, SLICE_TIMEOUT) == 0
    assert (await redis.zscore(QUEUE, name), await redis.hgetall(FINISH)) == (place, finish)  # type: ignore[misc]
    await Jobs(redis).cancel(job.id)
    assert await redis.zscore(QUEUE, name) == FRONT - 1
    await take_up(redis, name, seconds_ago=workers.SILENCE + 1)  # and that worker has died before it began it
    assert await reconcile(redis, 1.0, SLICE_TIMEOUT) == 1


async def test_a_lost_job_that_cannot_be_read_is_queued_again_for_a_worker_to_refuse(redis: ArqRedis, job: Job) -> None:
    claim = await begin(redis, job)
    await redis.hset(job_key(job.id), "spec", '{"of": "a newer version"}')  # type: ignore[misc]
    await age(redis, job, 1)
    assert await reconcile(redis, 1.0, SLICE_TIMEOUT) == 1
    assert await FairQueue(redis).waiting(slice_id(job.id, 0, claim.epoch), SLICE_TIMEOUT)


async def test_the_job_of_a_worker_that_starts_while_it_is_looked_for_is_let_be(
    redis: ArqRedis, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    living = workers.living

    async def living_before_it_starts(redis: ArqRedis) -> list[workers.Worker]:
        found = await living(redis)
        await alive(redis)
        await begin(redis, job)
        return found

    monkeypatch.setattr(workers, "living", living_before_it_starts)
    assert await reconcile(redis, 1.0, SLICE_TIMEOUT) == 0
    monkeypatch.undo()
    await workers.sign_off(redis, "w1")
    await age(redis, job, 10)
    assert await reconcile(redis, 1.0, SLICE_TIMEOUT) == 1  # where it was really dead, the next look finds it


async def test_the_job_of_a_living_worker_is_let_be(redis: ArqRedis, job: Job) -> None:
    await begin(redis, job)
    await alive(redis, job.id)
    assert await reconcile(redis, 1.0, SLICE_TIMEOUT) == 0
    await age(redis, job)
    assert await reconcile(redis, 1.0, SLICE_TIMEOUT) == 0


async def test_a_living_worker_may_not_have_told_of_the_job_yet_but_soon_must(redis: ArqRedis, job: Job) -> None:
    claim = await begin(redis, job)
    await alive(redis)
    assert await reconcile(redis, 1.0, SLICE_TIMEOUT) == 0
    await age(redis, job)
    assert await reconcile(redis, 1.0, SLICE_TIMEOUT) == 1
    assert await FairQueue(redis).waiting(slice_id(job.id, 0, claim.epoch), SLICE_TIMEOUT)


async def test_a_job_that_has_ended_is_let_be(redis: ArqRedis, job: Job) -> None:
    await Jobs(redis).cancel(job.id)
    await redis.delete(f"arq:job:{slice_id(job.id, 0, 0)}")
    await age(redis, job)
    assert await reconcile(redis, 1.0, SLICE_TIMEOUT) == 0


async def take_up(redis: ArqRedis, name: str, seconds_ago: float) -> None:
    """What arq writes when it gives a slice to a worker."""
    await redis.psetex(f"arq:in-progress:{name}", int((SLICE_TIMEOUT + 10 - seconds_ago) * 1000), b"1")


async def test_a_slice_that_was_taken_up_and_never_begun_is_queued_again_once_its_worker_must_be_dead(
    redis: ArqRedis, job: Job
) -> None:
    name = slice_id(job.id, 0, 0)
    await age(redis, job)
    await take_up(redis, name, seconds_ago=1)
    assert await reconcile(redis, 1.0, SLICE_TIMEOUT) == 0
    await take_up(redis, name, seconds_ago=workers.SILENCE + 1)
    assert await reconcile(redis, 1.0, SLICE_TIMEOUT) == 1
    assert not await redis.exists(f"arq:in-progress:{name}")
    assert await FairQueue(redis).waiting(name, SLICE_TIMEOUT)


async def test_what_dead_workers_left_in_the_queue_is_taken_out(redis: ArqRedis, job: Job) -> None:
    """A worker may die after the last event, or after it has passed the job on, and before arq forgets the slice."""
    ended, jobs = a_job(), Jobs(redis)
    await jobs.create(ended)
    await FairQueue(redis).enqueue(ended, 0, 0, 1.0)
    await take_up(redis, slice_id(ended.id, 0, 0), seconds_ago=1)
    await jobs.cancel(ended.id)
    claim = await begin(redis, job)
    await jobs.commit(claim, 10, "a checkpoint")
    await FairQueue(redis).enqueue(job, 10, 1, 1.0)
    assert await jobs.start(job.id, 10, 1, "w1") is not None
    await alive(redis, job.id)
    assert len(await FairQueue(redis).all()) == 3
    assert await reconcile(redis, 1.0, SLICE_TIMEOUT) == 0
    assert await forget_the_dead(redis) == {ended.id}
    assert await forget_the_dead(redis) == set()
    assert await FairQueue(redis).all() == [slice_id(job.id, 10, 1)]
    assert await redis.keys("arq:in-progress:*") == []


async def test_what_was_queued_for_a_worker_that_was_only_slow_is_forgotten(redis: ArqRedis, job: Job) -> None:
    claim = await begin(redis, job)
    await age(redis, job)
    assert await reconcile(redis, 1.0, SLICE_TIMEOUT) == 1  # no heartbeat of it has come for long
    await Jobs(redis).commit(claim, 10, "a checkpoint")  # and here it is
    await FairQueue(redis).enqueue(job, 10, claim.epoch, 1.0)
    assert len(await FairQueue(redis).all()) == 2
    assert await forget_the_dead(redis) == set()
    assert await FairQueue(redis).all() == [slice_id(job.id, 10, claim.epoch)]
