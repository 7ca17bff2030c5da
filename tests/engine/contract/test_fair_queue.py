"""Whose slice comes next, by the queue's scores alone; the worker of these tests is a few lines."""

from __future__ import annotations

from collections import Counter

import pytest
from arq.connections import ArqRedis
from support.jobs import SLICE_TIMEOUT, a_job

from engine.contract import arq_keys
from engine.contract.connection import QUEUE
from engine.contract.events import Cancelled, Done
from engine.contract.fair_queue import FairQueue, slice_id
from engine.contract.jobs import Jobs
from engine.contract.models import Asked, Busy, Claim, Job, JobState, Running, new_id

COST = 15.0
MOST = Running(user=2, guild=3)


async def submit(redis: ArqRedis, *people: Job) -> None:
    jobs, turns = Jobs(redis), FairQueue(redis)
    for job in people:
        await jobs.create(job)
    for job in people:
        await turns.enqueue(job, 0, 0, COST)


async def queue(redis: ArqRedis) -> list[str]:
    """The jobs whose slices wait, first the next."""
    return [name.decode().split(":")[0] for name in await redis.zrange(QUEUE, 0, -1)]


async def paint_next(redis: ArqRedis) -> Job:
    """What a worker does: the first slice of the queue, ten iterations, and back into the queue. A draft is done."""
    jobs, turns = Jobs(redis), FairQueue(redis)
    (name,) = await redis.zrange(QUEUE, 0, 0)
    job, iteration, epoch = name.decode().split(":")
    claim = await jobs.start(job, int(iteration), int(epoch), "w1")
    assert claim is not None
    await turns.forget(name.decode())
    if claim.cancelled:
        await jobs.finish(claim, Cancelled(job=job, iteration=claim.iteration))
        return claim.job
    if claim.job.draft_of is not None:
        await jobs.finish(claim, Done(job=job, iteration=100, files={}))
        return claim.job
    await jobs.commit(claim, claim.iteration + 10, "a checkpoint")
    await turns.enqueue(claim.job, claim.iteration + 10, claim.epoch, COST)
    return claim.job


async def test_the_only_job_of_one_person_comes_before_the_second_of_another(redis: ArqRedis) -> None:
    many, single = [a_job("ann") for _ in range(20)], a_job("bob")
    await submit(redis, *many)
    await submit(redis, single)
    assert single.id in (await queue(redis))[:2]


async def test_people_take_turns_whatever_they_asked_for(redis: ArqRedis) -> None:
    await submit(redis, *(a_job("ann") for _ in range(5)), a_job("bob"))
    users = [(await paint_next(redis)).user for _ in range(12)]
    assert Counter(users) == {"ann": 6, "bob": 6}
    assert all(set(pair) == {"ann", "bob"} for pair in zip(users[::2], users[1::2], strict=True))


async def test_guilds_share_equally_however_many_people_they_have(redis: ArqRedis) -> None:
    crowd = [a_job(user, "big guild") for user in ("ann", "bob", "cid")]
    await submit(redis, *crowd, a_job("dot", "small guild"))
    painted = [await paint_next(redis) for _ in range(24)]
    assert Counter(job.guild for job in painted) == {"big guild": 12, "small guild": 12}
    assert Counter(job.user for job in painted) == {"ann": 4, "bob": 4, "cid": 4, "dot": 12}


@pytest.mark.parametrize("guild", ["the same", "their own"])
async def test_five_hundred_jobs_of_one_person_cost_fifty_others_no_more_than_one_of_hers(
    redis: ArqRedis, guild: str
) -> None:
    """All 51 are due the same, and their slices lie as far apart. When one's n-th is painted, which lies n - 1 spacings
    past the clock at which they came, no other's (n + 1)-th can have been, for it lies n spacings past it or more. So
    the n-th of each is among the first 51 n.
    """
    first = a_job("ann", "the same")
    await submit(redis, *(first.model_copy(update={"id": new_id()}) for _ in range(500)))
    others = [a_job(f"user {i}", "the same" if guild == "the same" else f"guild {i}") for i in range(50)]
    for other in others:
        await submit(redis, other)
    served = Counter[str]()
    for painted in range(1, 3 * 51 + 1):
        served[(await paint_next(redis)).user] += 1
        assert min(served[other.user] for other in others) >= painted // 51


@pytest.mark.parametrize("jobs", [1, 30])
async def test_a_person_has_the_guilds_whole_part_when_the_others_are_done(redis: ArqRedis, jobs: int) -> None:
    bob, dot = a_job("bob", "big"), a_job("dot", "small")
    await submit(redis, *(a_job("ann", "big") for _ in range(jobs)), bob, dot)
    for _ in range(8):
        await paint_next(redis)
    await Jobs(redis).cancel(bob.id)
    while bob.id in await Jobs(redis).open():
        await paint_next(redis)
    users = Counter([(await paint_next(redis)).user for _ in range(24)])
    assert abs(users["ann"] - users["dot"]) <= 2  # with half a part she would have 8 of 24


async def test_a_person_whose_slice_is_painted_while_the_others_leave_has_the_whole_part_too(redis: ArqRedis) -> None:
    jobs, turns = Jobs(redis), FairQueue(redis)
    ann, crowd = a_job("ann", "big"), [a_job(f"user {i}", "big") for i in range(20)]
    await submit(redis, ann, *crowd, a_job("dot", "small"))
    claim = await jobs.start(ann.id, 0, 0, "w1")
    assert claim is not None
    for job in crowd:
        await jobs.cancel(job.id)
    for job in (ann, *crowd):
        await turns.forget(slice_id(job.id, 0, 0))
    await jobs.commit(claim, 10, "a checkpoint")
    await turns.enqueue(ann, 10, claim.epoch, COST)
    users = Counter([(await paint_next(redis)).user for _ in range(12)])
    assert abs(users["ann"] - users["dot"]) <= 2


async def test_a_newcomer_comes_soon_but_does_not_make_up_for_the_time_before(redis: ArqRedis) -> None:
    await submit(redis, a_job("ann"))
    for _ in range(50):
        await paint_next(redis)
    await submit(redis, *(a_job("bob") for _ in range(5)))
    users = [(await paint_next(redis)).user for _ in range(10)]
    assert "bob" in users[:2]
    assert Counter(users) == {"ann": 5, "bob": 5}


async def test_who_painted_alone_is_not_punished_for_it(redis: ArqRedis) -> None:
    first = a_job("ann")
    await submit(redis, first)
    for _ in range(50):
        await paint_next(redis)
    # Ann's only job so far cost nobody anything; from now on both are equals.
    await submit(redis, a_job("bob"), a_job("cid"))
    users = [(await paint_next(redis)).user for _ in range(9)]
    assert Counter(users) == {"ann": 3, "bob": 3, "cid": 3}


async def test_no_score_is_zero_or_in_the_future(redis: ArqRedis) -> None:
    await submit(redis, a_job("ann"))
    for _ in range(3):
        ((_, score),) = await redis.zrange(QUEUE, 0, -1, withscores=True)
        assert 0 < score < 1000 * (await redis.time())[0]
        await paint_next(redis)


async def test_queueing_a_slice_again_is_harmless(redis: ArqRedis) -> None:
    job, turns = a_job(), FairQueue(redis)
    await submit(redis, job, job)
    assert await queue(redis) == [job.id]
    name = slice_id(job.id, 0, 0)
    assert await turns.waiting(name, SLICE_TIMEOUT)
    await turns.forget(name)
    assert not await turns.waiting(name, SLICE_TIMEOUT)
    assert await redis.keys("arq:*") == []


async def test_no_more_of_a_user_or_a_guild_run_than_may(redis: ArqRedis) -> None:
    people = [("ann", "here")] * 3 + [("bob", "here"), ("dot", "here")] + [("cid", "there")] * 3
    await submit(redis, *(a_job(*person) for person in people))
    waiting = await queue(redis)
    first = await redis.zrange(QUEUE, 0, 2)
    assert await FairQueue(redis).ready(MOST, 2) == first[:2]  # as many as there is use for
    begun = await begin_all(redis)
    assert Counter(claim.job.user for claim in begun) == {"ann": 1, "bob": 1, "dot": 1, "cid": 2}
    assert await begin_all(redis) == []
    assert await queue(redis) == [job for job in waiting if job not in {claim.job.id for claim in begun}]

    # One saved, one done, and the holder of a third died: its successor needs no room of its own.
    ann, bob, cid = (next(claim for claim in begun if claim.job.user == user) for user in ("ann", "bob", "cid"))
    await Jobs(redis).commit(cid, 10, "a checkpoint")
    await Jobs(redis).finish(bob, Done(job=bob.job.id, iteration=100, files={}))
    await FairQueue(redis).enqueue(ann.job, 0, ann.epoch, COST)
    assert Counter(claim.job.user for claim in await begin_all(redis)) == {"ann": 2, "cid": 1}
    assert await begin_all(redis) == []


async def test_what_was_just_taken_up_is_left_to_its_worker(redis: ArqRedis) -> None:
    await submit(redis, a_job("ann"), a_job("ann"), a_job("ann"))
    taken, *others = await redis.zrange(QUEUE, 0, -1)
    await redis.set(arq_keys.lease(taken.decode()), "1")
    assert await FairQueue(redis).ready(Running(user=2, guild=9), 9) == others


async def test_what_is_left_to_others_takes_no_room_of_its_users(redis: ArqRedis) -> None:
    jobs = [a_job("ann"), a_job("ann"), a_job("bob")]
    await submit(redis, *jobs)
    first, second, other = (slice_id(job.id, 0, 0).encode() for job in jobs)
    most = Running(user=1, guild=9)
    assert set(await FairQueue(redis).ready(most, 9)) == {first, other}
    assert set(await FairQueue(redis).ready(most, 2, [jobs[0].id])) == {second, other}


async def test_what_is_cancelled_needs_no_room(redis: ArqRedis) -> None:
    first, second = a_job("ann"), a_job("ann")
    await submit(redis, first, second)
    await paint_next(redis)
    assert (await paint_next(redis)).id == second.id
    await begin_all(redis, Running(user=1, guild=1))
    await Jobs(redis).cancel(second.id)
    (claim,) = await begin_all(redis, Running(user=1, guild=1))
    assert (claim.job.id, claim.cancelled) == (second.id, True)


def a_draft(user: str, guild: str = "a guild") -> Job:
    return a_job(user, guild).model_copy(update={"draft_of": Asked(recipe="fine", fields={})})


async def test_a_draft_overtakes_all_that_its_user_has_waiting_and_comes_first_among_equals(redis: ArqRedis) -> None:
    mine, others = [a_job("ann") for _ in range(5)], [a_job("bob"), a_job("cid", "another guild")]
    await submit(redis, *mine, *others)
    draft, second = a_draft("ann"), a_draft("ann")
    await submit(redis, draft, second)
    order = await queue(redis)
    assert order[0] == draft.id
    assert order.index(second.id) < order.index(mine[2].id)  # behind the others' first and the draft, a turn each


@pytest.mark.parametrize("guild", ["the same", "their own"])
async def test_who_asks_for_drafts_without_end_gets_no_more_than_a_part(redis: ArqRedis, guild: str) -> None:
    """Each draft pushes back the next one and the user's paintings, so that those of others come between."""
    other = a_job("bob", "the same" if guild == "the same" else "another guild")
    await submit(redis, a_job("ann", "the same"), other)
    served = Counter[str]()
    for _ in range(40):
        draft = a_draft("ann", "the same")
        await submit(redis, draft)
        served[(await paint_next(redis)).user] += 1
    assert abs(served["ann"] - served["bob"]) <= 4


async def test_what_drafts_cost_puts_back_the_paintings_of_their_user(redis: ArqRedis) -> None:
    await submit(redis, *(a_draft("ann") for _ in range(3)))
    await submit(redis, a_job("ann"), *(a_job("bob") for _ in range(4)))
    order = [(await paint_next(redis)) for _ in range(8)]
    paintings = [job.user for job in order if job.draft_of is None]
    assert paintings.index("ann") >= 3


async def begin_all(redis: ArqRedis, most: Running = MOST) -> list[Claim]:
    """What idle workers begin: all that is ready, and of the rest nothing can be begun."""
    names, claims = await redis.zrange(QUEUE, 0, -1), []
    ready = await FairQueue(redis).ready(most, len(names))
    for name in [*ready, *(name for name in names if name not in ready)]:
        job, iteration, epoch = name.decode().split(":")
        start = Jobs(redis).start(job, int(iteration), int(epoch), "w1", most)
        if name not in ready:
            with pytest.raises(Busy):
                await start
            continue
        claim = await start
        assert claim is not None
        await FairQueue(redis).forget(name.decode())
        claims.append(claim)
    return claims


@pytest.mark.parametrize("when", ["waiting", "about to be queued"])
async def test_what_is_cancelled_between_two_slices_comes_before_all_others(redis: ArqRedis, when: str) -> None:
    jobs, turns, ann, bob = Jobs(redis), FairQueue(redis), a_job("ann"), a_job("bob")
    await submit(redis, ann)
    claim = await jobs.start(ann.id, 0, 0, "w1")
    assert claim is not None
    await submit(redis, bob)
    await jobs.commit(claim, 10, "a checkpoint")
    await turns.forget(slice_id(ann.id, 0, 0))
    if when == "waiting":
        await turns.enqueue(ann, 10, claim.epoch, COST)
        assert await queue(redis) == [bob.id, ann.id]
    await jobs.cancel(ann.id)
    if when == "about to be queued":
        await turns.enqueue(ann, 10, claim.epoch, COST)
    assert await queue(redis) == [ann.id, bob.id]
    assert (await paint_next(redis)).id == ann.id
    assert await jobs.state(ann.id) is JobState.CANCELLED
