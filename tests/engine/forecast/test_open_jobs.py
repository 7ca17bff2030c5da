"""When jobs will be done: by arithmetic, and against the real queue."""

from __future__ import annotations

from typing import Any

import pytest
from arq.connections import ArqRedis
from hypothesis import given
from hypothesis import strategies as st
from support.jobs import a_job, light

from engine.contract import workers
from engine.contract.connection import QUEUE
from engine.contract.events import Done
from engine.contract.fair_queue import CLOCK, FairQueue
from engine.contract.jobs import Jobs
from engine.contract.models import Caps, Job, JobState, Standing, TooMany
from engine.contract.workers import Worker
from engine.forecast import retry_time
from engine.forecast.open_jobs import Forecast, first_cost, forecast, predict
from engine.recipe.cost import remaining_flops
from engine.recipe.draft import draft_recipe
from engine.recipe.presets import preset

SPEED = 2e8
"""Floating-point operations a second at which an iteration of `job` takes a good part of a second."""


def job(user: str = "ann", guild: str = "here", iterations: int = 100, scales: int = 1) -> Job:
    return a_job(user, guild).model_copy(update={"recipe": light(iterations, scales=scales)})


def queued(job: Job, tag: float = 0.0) -> Standing:
    return Standing(job, JobState.QUEUED, 0, "", tag, 0.0)


def painters(count: int, speed: float | None = SPEED) -> list[Worker]:
    return [Worker(id=f"w{i}", device="cpu", weights="random", speed=speed) for i in range(count)]


def seconds(job: Job, iteration: int = 0) -> float:
    return remaining_flops(job.recipe, 1.0, iteration) / SPEED


PEOPLE = st.tuples(st.sampled_from(["ann", "bob", "cid"]), st.sampled_from(["here", "there"]), st.integers(1, 500))
ORDERS = st.lists(PEOPLE, min_size=1, max_size=12)


@given(st.integers(1, 500), st.integers(1, 5))
def test_a_lone_job_takes_its_work_over_the_speed(iterations: int, count: int) -> None:
    alone = job(iterations=iterations)
    prospect = predict([queued(alone)], painters(count))[alone.id]
    assert prospect.ahead == 0
    assert prospect.wait == pytest.approx(0)
    assert prospect.done == pytest.approx(seconds(alone))


@given(ORDERS, st.floats(0, 20))
def test_one_worker_is_done_when_all_work_is(people: list[tuple[str, str, int]], slice_seconds: float) -> None:
    jobs = [job(*person) for person in people]
    prospects = predict([queued(each) for each in jobs], painters(1), slice_seconds=slice_seconds)
    done = sorted(prospect.done or 0.0 for prospect in prospects.values())
    total = sum(map(seconds, jobs))
    assert done[-1] <= total * (1 + 1e-6)
    if slice_seconds < 0.01:
        assert done[-1] == pytest.approx(total)
    assert sorted(prospect.ahead for prospect in prospects.values()) == list(range(len(jobs)))


@given(ORDERS, st.integers(1, 5), st.integers(0, 3), st.data())
def test_with_more_workers_nobody_is_later(
    people: list[tuple[str, str, int]], count: int, more: int, data: st.DataObject
) -> None:
    standings = [queued(job(*person), data.draw(st.floats(0, 500))) for person in people]
    before, after = (predict(standings, painters(n)) for n in (count, count + more))
    for standing in standings:
        early, late = after[standing.job.id], before[standing.job.id]
        assert early.done is not None
        assert late.done is not None
        assert early.done <= late.done * (1 + 1e-6) + 1e-6
        assert late.wait is not None
        assert 0 <= late.wait <= late.done


def test_who_may_have_two_jobs_held_waits_with_the_third_however_many_workers_there_are() -> None:
    jobs = [job() for _ in range(3)]
    strict, free = ([each.model_copy(update={"user_running": n}) for each in painters(5)] for n in (2, 3))
    for there, share in ((strict, 1.5), (free, 1.0), ([*strict, *free], 1.0), (painters(5), 1.0)):
        prospects = predict([queued(each) for each in jobs], there, slice_seconds=0.0)
        assert [prospects[each.id].done for each in jobs] == pytest.approx([share * seconds(jobs[0])] * 3)


def test_short_jobs_beyond_the_cap_wait_for_those_before_them() -> None:
    """As many workers as the cap, or more: a third one begins when one of the first two ends, or shares their turns."""
    jobs = [job() for _ in range(3)]
    for count in (2, 4):
        there = [each.model_copy(update={"user_running": 2}) for each in painters(count)]
        standings = [queued(each, tag * seconds(each)) for tag, each in enumerate(jobs)]
        found = predict(standings, there, slice_seconds=2 * seconds(jobs[0]))
        first, _, third = (found[each.id] for each in jobs)
        assert first.wait == pytest.approx(0)
        assert third.wait is not None
        assert third.wait > 0
        assert third.done == pytest.approx(1.5 * seconds(jobs[0]))


def test_what_is_painted_already_does_not_count() -> None:
    begun, child = job(scales=2), job().model_copy(update={"reached": 60})
    painting = Standing(begun, JobState.PAINTING, 70, "w0", 0.0, 0.0)
    assert predict([painting], painters(1))[begun.id].done == pytest.approx(seconds(begun, 70))
    assert predict([queued(child)], painters(1))[child.id].done == pytest.approx(seconds(child, 60))


def test_the_first_stroke_waits_for_the_tag() -> None:
    jobs = [job(iterations=400) for _ in range(3)]
    standings = [queued(each, 1000 + 15.0 * number) for number, each in enumerate(jobs)]
    waits = [predict(standings, painters(1))[each.id].wait for each in jobs]  # nobody else: the clock jumps to them
    assert waits == pytest.approx([0, 15, 30])
    waits = [predict(standings, painters(1), clock=1010.0)[each.id].wait for each in jobs]
    assert waits == pytest.approx([0, 5, 20])
    assert [predict(standings, painters(3))[each.id].wait for each in jobs] == [0, 0, 0]


def test_short_jobs_are_painted_in_one_go() -> None:
    jobs = [job(iterations=20) for _ in range(3)]
    own = seconds(jobs[0])
    standings = [queued(each, own * number) for number, each in enumerate(jobs)]
    prospects = predict(standings, painters(1), slice_seconds=own)
    assert [prospects[each.id].done for each in jobs] == pytest.approx([own, 2 * own, 3 * own])
    assert [prospects[each.id].ahead for each in jobs] == [0, 1, 2]


def test_without_a_known_speed_only_the_order_is_known() -> None:
    short, long = job(iterations=10), job("bob", iterations=90)
    for nobody in ([], painters(2, speed=None)):
        prospects = predict([queued(long), queued(short)], nobody)
        assert prospects == {short.id: Forecast(0, None, None), long.id: Forecast(1, None, None)}
    assert predict([], painters(1)) == {}


def test_a_worker_that_has_not_painted_yet_counts_as_the_mean_of_the_others() -> None:
    standings = [queued(job(user)) for user in ("ann", "bob", "cid")]
    assert predict(standings, [*painters(1), *painters(1, None)]) == predict(standings, painters(2))


async def test_the_outlook_is_the_forecast_of_what_redis_knows(redis: ArqRedis) -> None:
    assert await forecast(redis) == {}
    jobs = [job(user) for user in ("ann", "bob") for _ in range(60)]  # so many that a thread is used
    for each in jobs:
        await Jobs(redis).create(each)
        await FairQueue(redis).enqueue(each, 0, 0, 15.0)
    assert {prospect.done for prospect in (await forecast(redis)).values()} == {None}
    (painter,) = painters(1)
    await workers.beat(redis, painter)
    await redis.set(CLOCK, "15.000")
    prospects = await forecast(redis)
    assert prospects == predict(await Jobs(redis).standing(), [painter], 15.0)
    assert len(prospects) == 120
    own = seconds(jobs[0])
    await workers.beat(redis, generous := painter.model_copy(update={"slice_seconds": 1.01 * own}))
    prospects = await forecast(redis)
    assert prospects == predict(await Jobs(redis).standing(), [generous], 15.0, 1.01 * own)
    assert prospects != predict(await Jobs(redis).standing(), [generous], 15.0, 0.99 * own)


@pytest.mark.parametrize(
    ("cap", "most", "job_after"), [("user", 2, 0), ("user", 1, 1), ("guild", 3, 0), ("total", 4, 1), ("total", 1, 4)]
)
async def test_there_is_room_when_so_many_in_the_way_have_ended(
    redis: ArqRedis, monkeypatch: pytest.MonkeyPatch, cap: Any, most: int, job_after: int
) -> None:
    monkeypatch.setattr("engine.forecast.retry_after.time.time", lambda: 1000.0)
    asked: dict[str, Any] = {
        "redis": redis,
        "full": TooMany(cap),
        "user": "ann",
        "guild": "here",
        "caps": Caps(most, most, most),
    }
    people = [
        ("ann", "there", 300),
        ("ann", "there", 200),
        ("bob", "here", 100),
        ("cid", "here", 90),
        ("dot", "here", 80),
    ]
    for person in people:
        await Jobs(redis).create(job(*person))
    assert await retry_time(**asked) is None
    await workers.beat(redis, *painters(1))
    mine = {"user": {"ann"}, "guild": {"bob", "cid", "dot"}, "total": {"ann", "bob", "cid", "dot"}}[cap]
    prospects = await forecast(redis)
    ends = [prospects[s.job.id].done or 0.0 for s in await Jobs(redis).standing() if s.job.user in mine]
    assert await retry_time(**asked) == pytest.approx(1000 + sorted(ends)[job_after])


async def test_a_first_slice_costs_what_its_own_network_needs_and_a_whole_one_at_most(redis: ArqRedis) -> None:
    short, draft, long = job(iterations=10), job(), job(iterations=10**4)
    draft = draft.model_copy(update={"recipe": draft_recipe("fine", size=64, iterations=4)})
    assert [await first_cost(redis, each) for each in (short, draft, long)] == [15.0] * 3  # nobody knows the speed
    for number, speed in enumerate((SPEED, 10 * SPEED, None)):
        await workers.beat(redis, Worker(id=f"w{number}", device="cpu", weights="random", speed=speed))
    assert await first_cost(redis, short) == pytest.approx(seconds(short) / 10)
    assert await first_cost(redis, draft) == pytest.approx(seconds(draft) / 10)
    assert await first_cost(redis, long) == 15.0
    about = Worker(id="w3", device="cpu", weights="random", slice_seconds=40.0)
    await workers.beat(redis, about)
    assert await first_cost(redis, long) == 40.0
    by_the_large = preset("fine", size=64, iterations=4)
    assert remaining_flops(by_the_large, 1.0) > 3 * remaining_flops(draft.recipe, 1.0)


async def test_the_real_queue_does_what_was_forecast(redis: ArqRedis) -> None:
    """A worker of a few lines, ten iterations a slice, against the forecast from the start and from halfway."""
    lengths = [
        ("ann", "here", 120),
        ("ann", "here", 240),
        ("bob", "here", 160),
        ("cid", "there", 80),
        ("cid", "there", 30),
    ]
    jobs = [job(*length) for length in lengths]
    piece = seconds(jobs[0]) / 12
    (painter,) = painters(1)
    await workers.beat(redis, painter.model_copy(update={"slice_seconds": piece}))
    for each in jobs:
        await Jobs(redis).create(each)
    for each in jobs:
        await FairQueue(redis).enqueue(each, 0, 0, piece)
    now, begun, done = 0.0, dict[str, float](), dict[str, float]()
    forecasts = [(now, await forecast(redis))]
    while len(done) < len(jobs):
        name = await paint_next(redis, piece)
        begun.setdefault(name, now)
        now += piece
        if await Jobs(redis).state(name) is JobState.DONE:
            done[name] = now
        if round(now / piece) == 20:
            forecasts.append((now, await forecast(redis)))
    for asked, prospects in forecasts:
        for name, prospect in prospects.items():
            assert prospect.done == pytest.approx(done[name] - asked, abs=piece * len(jobs))
            assert prospect.wait == pytest.approx(max(0.0, begun[name] - asked), abs=3 * piece)
    assert len(forecasts) == 2


async def paint_next(redis: ArqRedis, piece: float) -> str:
    jobs, turns = Jobs(redis), FairQueue(redis)
    (name,) = await redis.zrange(QUEUE, 0, 0)
    job, iteration, epoch = str(name.decode()).split(":")
    claim = await jobs.start(job, int(iteration), int(epoch), "w0")
    assert claim is not None
    await turns.forget(name.decode())
    reached = claim.iteration + 10
    await jobs.commit(claim, reached, "a checkpoint")
    if reached >= claim.job.recipe.iterations:
        await jobs.finish(claim, Done(job=job, iteration=reached, files={}))
    else:
        await turns.enqueue(claim.job, reached, claim.epoch, piece)
    return job
