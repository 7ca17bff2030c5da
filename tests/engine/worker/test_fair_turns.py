"""One worker and several people: nobody waits for another's whole painting."""

from __future__ import annotations

from itertools import groupby

import pytest
from conftest import Desk, House, light, uncut_sha256

from engine.contract.events import Cancelled, Done, Snapshot, tail
from engine.contract.jobs import State

SHORT = light(50)


@pytest.fixture(scope="module", autouse=True)
def worker(house: House) -> None:
    house.hire(seconds=0.1).ready()


async def test_jobs_of_two_people_alternate_on_one_worker(desk: Desk) -> None:
    recipe = light(1000, snapshots=tuple(range(10, 1000, 10)))
    start = await tail(desk.redis)
    jobs = [await desk.order(recipe, user=user) for user in ("ann", "bob")]
    runs = [await desk.run(job) for job in jobs]

    # Snapshots tell whose slice it was; they come in the order of painting, but for those that are still encoded.
    told = await desk.told(start, {job.id for job in jobs})
    turns = [job for job, _ in groupby(event.job for event in told if isinstance(event, Snapshot))]
    slices = min(len(run["slices"]) for run in runs)
    assert slices >= 3
    assert len(turns) >= slices  # one after the other would be two turns
    assert [run["final"]["sha256"] for run in runs] == [uncut_sha256(recipe)] * 2


async def test_a_short_job_ends_long_before_the_long_one_that_came_first(desk: Desk) -> None:
    long = await desk.order(light(5000), user="ann")
    await desk.until(long, 1)
    short = await desk.order(SHORT, user="bob")
    assert isinstance((await desk.story(short))[-1], Done)
    assert await desk.jobs.state(long.id) is State.PAINTING
    await desk.jobs.cancel(long.id)
    assert isinstance((await desk.story(long))[-1], Cancelled)


async def test_many_jobs_of_one_person_do_not_hold_up_the_only_job_of_another(desk: Desk) -> None:
    many = [await desk.order(SHORT, user="ann") for _ in range(12)]
    single = await desk.order(SHORT, user="bob")
    await desk.story(single)
    left = [job for job in many if await desk.jobs.state(job.id) not in (State.DONE, None)]
    assert len(left) >= 8
    for job in many:
        await desk.jobs.cancel(job.id)
        await desk.story(job)
