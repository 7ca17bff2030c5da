"""The safety net: what is lost is found, and what is well is let be."""

from __future__ import annotations

import pytest
from arq.connections import ArqRedis
from conftest import a_job

from engine.contract import workers
from engine.contract.jobs import Claim, Job, Jobs, job_key
from engine.contract.reconcile import GRACE, reconcile
from engine.contract.turns import Turns, slice_id


@pytest.fixture
async def job(redis: ArqRedis) -> Job:
    job = a_job()
    await Jobs(redis).create(job)
    await Turns(redis).enqueue(job, 0, 0, 1.0)
    return job


async def begin(redis: ArqRedis, job: Job) -> Claim:
    claim = await Jobs(redis).start(job.id, 0, 0, "w1")
    assert claim is not None
    return claim


async def age(redis: ArqRedis, job: Job) -> None:
    """Make the job's last change older than the grace, instead of waiting for it."""
    await redis.hincrbyfloat(job_key(job.id), "since", -GRACE - 1)  # type: ignore[misc]


async def alive(redis: ArqRedis, *jobs: str) -> None:
    await workers.beat(redis, workers.Worker(id="w1", device="cpu", weights="random", jobs=jobs))


async def test_a_job_that_waits_in_the_queue_is_let_be(redis: ArqRedis, job: Job) -> None:
    await age(redis, job)
    assert await reconcile(redis, 1.0) == 0


async def test_a_job_whose_slice_vanished_from_the_queue_is_queued_again(redis: ArqRedis, job: Job) -> None:
    name = slice_id(job.id, 0, 0)
    await Turns(redis).forget(name)
    assert await reconcile(redis, 1.0) == 0  # whoever made it may be about to queue it
    await age(redis, job)
    assert await reconcile(redis, 1.0) == 1
    assert await Turns(redis).waiting(name)
    assert await reconcile(redis, 1.0) == 0


async def test_a_slice_whose_arq_job_has_gone_is_queued_again(redis: ArqRedis, job: Job) -> None:
    await redis.delete(f"arq:job:{slice_id(job.id, 0, 0)}")
    await age(redis, job)
    assert await reconcile(redis, 1.0) == 1
    assert await redis.exists(f"arq:job:{slice_id(job.id, 0, 0)}")


async def test_the_job_of_a_dead_worker_is_queued_again_even_when_fresh(redis: ArqRedis, job: Job) -> None:
    claim = await begin(redis, job)
    assert await reconcile(redis, 1.0) == 1
    assert await Turns(redis).waiting(slice_id(job.id, 0, claim.epoch))
    assert not await Turns(redis).waiting(slice_id(job.id, 0, 0))
    successor = await Jobs(redis).start(job.id, 0, claim.epoch, "w2")
    assert successor is not None


async def test_the_job_of_a_living_worker_is_let_be(redis: ArqRedis, job: Job) -> None:
    await begin(redis, job)
    await alive(redis, job.id)
    assert await reconcile(redis, 1.0) == 0
    await age(redis, job)
    assert await reconcile(redis, 1.0) == 0


async def test_a_living_worker_may_not_have_told_of_the_job_yet_but_soon_must(redis: ArqRedis, job: Job) -> None:
    claim = await begin(redis, job)
    await alive(redis)
    assert await reconcile(redis, 1.0) == 0
    await age(redis, job)
    assert await reconcile(redis, 1.0) == 1
    assert await Turns(redis).waiting(slice_id(job.id, 0, claim.epoch))


async def test_a_job_that_has_ended_is_let_be(redis: ArqRedis, job: Job) -> None:
    await Jobs(redis).cancel(job.id)
    await redis.delete(f"arq:job:{slice_id(job.id, 0, 0)}")
    await age(redis, job)
    assert await reconcile(redis, 1.0) == 0
