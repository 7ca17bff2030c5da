"""What is asked about many jobs at once: whether there is room, whose they are, where they stand, how they ended."""

from __future__ import annotations

import asyncio
from typing import Literal

import pytest
from arq.connections import ArqRedis
from support.jobs import a_job

from engine.contract.events import STREAM, Cancelled, Done, Failed
from engine.contract.fair_queue import FairQueue
from engine.contract.jobs import Jobs
from engine.contract.models import (
    OPEN,
    SPENT,
    USERS,
    Caps,
    Job,
    JobState,
    Standing,
    TooMany,
    flows_key,
    index_key,
    job_key,
    seen_key,
)
from engine.recipe.recipe import VERSION

ROOM = Caps(user=2, guild=3, total=4)


@pytest.fixture
def jobs(redis: ArqRedis) -> Jobs:
    return Jobs(redis)


async def accept(jobs: Jobs, *people: tuple[str, str]) -> list[Job]:
    accepted = [a_job(user, guild) for user, guild in people]
    for job in accepted:
        assert await jobs.create(job)
    return accepted


# --- Room -----------------------------------------------------------------------------------------

FULL: dict[Literal["user", "guild", "total"], list[tuple[str, str]]] = {
    "user": [("ann", "here"), ("ann", "elsewhere")],  # over all guilds
    "guild": [("bob", "here"), ("bob", "here"), ("cid", "here")],
    "total": [("bob", "one"), ("bob", "two"), ("cid", "one"), ("cid", "two")],
}


@pytest.mark.parametrize("cap", FULL)
async def test_a_job_too_many_is_refused_and_leaves_nothing(
    redis: ArqRedis, jobs: Jobs, cap: Literal["user", "guild", "total"]
) -> None:
    others = await accept(jobs, *FULL[cap][1:])
    await jobs.check("ann", "here", ROOM)
    others += await accept(jobs, FULL[cap][0])
    before = {key: await redis.dump(key) for key in await redis.keys("*")}
    job = a_job("ann", "here")
    for asked in (jobs.create(job, ROOM), jobs.check("ann", "here", ROOM)):
        with pytest.raises(TooMany) as raised:
            await asked
        assert raised.value.cap == cap
    assert {key: await redis.dump(key) for key in await redis.keys("*")} == before

    await jobs.cancel(others[0].id)
    await jobs.check("ann", "here", ROOM)
    assert await jobs.create(job, ROOM) is True


async def test_an_accepted_job_is_accepted_whatever_the_caps_say_now(jobs: Jobs) -> None:
    (job,) = await accept(jobs, ("ann", "here"))
    assert await jobs.create(job, Caps(user=0, guild=0, total=0)) is False


async def test_no_more_than_the_cap_get_in_at_once(jobs: Jobs) -> None:
    asked = [jobs.create(a_job(f"user {i}"), Caps(user=9, guild=5, total=9)) for i in range(20)]
    replies = await asyncio.gather(*asked, return_exceptions=True)
    assert replies.count(True) == 5
    assert sum(isinstance(reply, TooMany) for reply in replies) == 15


async def test_counters_vanish_with_the_last_open_job(redis: ArqRedis, jobs: Jobs) -> None:
    first, second = await accept(jobs, ("ann", "here"), ("ann", "elsewhere"))
    assert await redis.hgetall(USERS) == {b"ann": b"2"}  # type: ignore[misc]
    claim = await jobs.start(first.id, 0, 0, "w1")
    assert claim is not None
    await jobs.finish(claim, Failed(job=first.id, iteration=1, reason="No paint."))
    assert await redis.hgetall(USERS) == {b"ann": b"1"}  # type: ignore[misc]
    await jobs.cancel(second.id)
    assert await redis.exists(USERS, OPEN, flows_key("here"), flows_key("elsewhere")) == 0


@pytest.mark.parametrize("whose", ["user", "guild"])
async def test_after_a_days_painting_nothing_more_is_accepted_until_its_end(
    redis: ArqRedis, jobs: Jobs, whose: str
) -> None:
    caps = Caps(user=9, guild=9, total=9, **{f"{whose}_seconds": 60})
    asked = {"user": ("ann", "elsewhere"), "guild": ("bob", "here")}[whose]
    today = (await redis.time())[0] // 86400
    for seconds in (59.5, 0.25, 0.25):
        await jobs.check(*asked, caps)
        (job,) = await accept(jobs, ("ann", "here"))
        claim = await jobs.start(job.id, 0, 0, "w1")
        assert claim is not None
        await jobs.finish(claim, Done(job=job.id, iteration=100, files={}), seconds=seconds)
    for refused in (jobs.check(*asked, caps), jobs.create(a_job(*asked), caps)):
        with pytest.raises(TooMany) as raised:
            await refused
        assert raised.value.cap == f"{whose} day"
        assert raised.value.until in (86400 * (today + 1), 86400 * (today + 2))
    await jobs.check("bob", "elsewhere", caps)
    await jobs.check(*asked, Caps(user=9, guild=9, total=9))  # no limit

    (key,) = await redis.keys(f"{SPENT}:*")
    assert 86400 <= await redis.ttl(key) <= 2 * 86400
    await redis.rename(key, f"{SPENT}:{today - 1}")
    await jobs.check(*asked, caps)


# --- Whose they are -------------------------------------------------------------------------------


async def test_a_users_jobs_are_listed_the_newest_first_until_they_expire(redis: ArqRedis, jobs: Jobs) -> None:
    mine = [a_job("ann").model_copy(update={"created": float(second)}) for second in (30, 10, 20)]
    for job in (*mine, a_job("bob")):
        await jobs.create(job)
    await jobs.cancel(mine[0].id)
    assert await jobs.of_user("ann") == [mine[0].id, mine[2].id, mine[1].id]
    await redis.delete(job_key(mine[0].id))  # as Redis does when it has expired
    assert await jobs.of_user("ann") == [mine[2].id, mine[1].id]
    assert await redis.zcard(index_key("ann")) == 2
    assert await jobs.of_user("nobody") == []


async def test_a_job_that_has_ended_can_be_forgotten(redis: ArqRedis, jobs: Jobs) -> None:
    job, other = await accept(jobs, ("ann", "here"), ("ann", "here"))
    claim = await jobs.start(job.id, 0, 0, "w1")
    assert claim is not None
    assert await jobs.forget(job.id) is False
    assert await jobs.forget(other.id) is False
    await jobs.finish(claim, Done(job=job.id, iteration=100, files={}))
    assert await jobs.forget(job.id) is True
    assert await jobs.forget(job.id) is True
    assert await redis.exists(job_key(job.id), seen_key(job.id)) == 0
    assert await jobs.of_user("ann") == [other.id]
    await jobs.cancel(other.id)
    assert await jobs.forget(other.id) is True
    assert await redis.keys("*") == [STREAM.encode()]


# --- How they stand, how they ended ---------------------------------------------------------------


async def test_the_standing_tells_of_all_open_jobs_and_of_no_other(redis: ArqRedis, jobs: Jobs) -> None:
    ended, queued, painting = await accept(jobs, ("ann", "here"), ("bob", "here"), ("cid", "here"))
    for job in (queued, painting):
        await FairQueue(redis).enqueue(job, 0, 0, 15.0)
    await jobs.cancel(ended.id)
    claim = await jobs.start(painting.id, 0, 0, "w1")
    assert claim is not None
    await jobs.commit(claim, 10, "at-10")
    await FairQueue(redis).enqueue(painting, 10, 1, 15.0)
    claim = await jobs.start(painting.id, 10, 1, "w2")

    found, now = {standing.job.id: standing for standing in await jobs.standing()}, (await redis.time())[0]
    assert found == {
        queued.id: Standing(queued, JobState.QUEUED, 0, "", 0.0, found[queued.id].since),
        # Two users have jobs by now, so its first slice cost it twice 15 s.
        painting.id: Standing(painting, JobState.PAINTING, 10, "w2", 30.0, found[painting.id].since),
    }
    assert all(now - 60 <= standing.since <= now for standing in found.values())


async def test_a_job_that_cannot_be_read_is_left_out_and_can_be_cancelled(redis: ArqRedis, jobs: Jobs) -> None:
    strange, fine = await accept(jobs, ("ann", "here"), ("bob", "here"))
    newer = strange.model_dump_json().replace(f'"version":{VERSION}', '"version":99')
    for unreadable in (newer, "{}", "not json"):
        await redis.hset(job_key(strange.id), "spec", unreadable)  # type: ignore[misc]
        assert [standing.job for standing in await jobs.standing()] == [fine]
    assert await jobs.cancel(strange.id) is True
    assert await jobs.open() == [fine.id]
    assert await redis.hgetall(USERS) == {b"bob": b"1"}  # type: ignore[misc]
    assert await jobs.forget(strange.id) is True
    assert await redis.exists(index_key("ann")) == 0


async def test_nothing_open_is_an_empty_standing(jobs: Jobs) -> None:
    assert await jobs.standing() == []


@pytest.mark.parametrize("kind", ["done", "failed", "cancelled"])
async def test_how_a_job_ended_can_be_asked_for_later(redis: ArqRedis, jobs: Jobs, kind: str) -> None:
    (job,) = await accept(jobs, ("ann", "here"))
    event = {
        "done": Done(job=job.id, iteration=100, files={"final.png": "somewhere"}),
        "failed": Failed(job=job.id, iteration=7, reason="No paint."),
        "cancelled": Cancelled(job=job.id, iteration=7, picture="p", checkpoint="c"),
    }[kind]
    claim = await jobs.start(job.id, 0, 0, "w1")
    assert claim is not None
    assert await jobs.outcome(job.id) is None
    await jobs.finish(claim, event)  # type: ignore[arg-type]
    await redis.delete(STREAM)
    assert await jobs.outcome(job.id) == event


async def test_a_job_cancelled_in_the_queue_has_an_outcome_too(jobs: Jobs) -> None:
    (job,) = await accept(jobs, ("ann", "here"))
    await jobs.cancel(job.id)
    assert await jobs.outcome(job.id) == Cancelled(job=job.id, iteration=0)
    assert await jobs.outcome("unknown") is None
