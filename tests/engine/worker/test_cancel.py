"""Stopping a painting, and going on with it."""

from __future__ import annotations

import io

import pytest
from conftest import Desk, House, light, uncut_sha256
from PIL import Image

from engine.contract.events import Cancelled, Snapshot, Started
from engine.contract.jobs import Job, State

RECIPE = light(600, snapshots=(20, 580))


@pytest.fixture(scope="module", autouse=True)
def worker(house: House) -> None:
    house.hire(seconds=0.5).ready()


@pytest.fixture
async def stopped(desk: Desk) -> tuple[Job, Cancelled]:
    """A job that was cancelled while it was painted, and what it said last."""
    job = await desk.order(RECIPE)
    await desk.until(job, 20)
    assert await desk.jobs.cancel(job.id)
    last = (await desk.story(job))[-1]
    assert isinstance(last, Cancelled)
    return job, last


async def test_a_painting_that_is_stopped_leaves_its_picture_and_a_checkpoint(
    desk: Desk, stopped: tuple[Job, Cancelled]
) -> None:
    job, last = stopped
    assert 20 <= last.iteration < RECIPE.iterations
    assert last.picture is not None
    assert last.checkpoint is not None
    picture = Image.open(io.BytesIO(await desk.store.get(last.picture)))
    assert (picture.format, picture.size) == ("PNG", (32, 32))
    assert await desk.store.get(last.checkpoint)
    assert await desk.jobs.state(job.id) is State.CANCELLED
    assert job.id not in await desk.jobs.open()


async def test_stopping_twice_is_harmless(desk: Desk) -> None:
    job = await desk.order(RECIPE)
    await desk.until(job, 20)
    assert [await desk.jobs.cancel(job.id), await desk.jobs.cancel(job.id)] == [True, True]
    story = await desk.story(job)
    assert await desk.jobs.cancel(job.id) is False
    assert [event.kind for event in story].count("cancelled") == 1
    assert await desk.story(job) == story


async def test_a_child_goes_on_from_the_checkpoint_to_the_same_picture_as_uncut(
    desk: Desk, stopped: tuple[Job, Cancelled]
) -> None:
    _, last = stopped
    child = await desk.order(RECIPE, checkpoint=last.checkpoint)
    run, story = await desk.run(child), await desk.story(child)
    assert isinstance(story[0], Started)
    assert story[0].iteration == last.iteration
    assert [event.iteration for event in story if isinstance(event, Snapshot)] == [580, 600]  # 20 was told before
    assert run["slices"][0]["from"] == 0
    assert len(run["losses"]["rows"]) == RECIPE.iterations
    assert run["final"]["sha256"] == uncut_sha256(RECIPE)
