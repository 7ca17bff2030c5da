"""Stopping a painting, and going on with it."""

from __future__ import annotations

import io

import pytest
from conftest import Desk, light, uncut_sha256
from PIL import Image

from engine.contract.events import Cancelled, Snapshot, Started
from engine.contract.jobs import Job, State

RECIPE = light(600, snapshots=(20, 580))


@pytest.fixture
async def stopped(busy_desk: Desk) -> tuple[Job, Cancelled]:
    """A job that was cancelled while it was painted, and what it said last."""
    job = await busy_desk.order(RECIPE)
    await busy_desk.until(job, 20)
    assert await busy_desk.jobs.cancel(job.id)
    last = (await busy_desk.story(job))[-1]
    assert isinstance(last, Cancelled)
    return job, last


async def test_a_painting_that_is_stopped_leaves_its_picture_and_a_checkpoint(
    busy_desk: Desk, stopped: tuple[Job, Cancelled]
) -> None:
    job, last = stopped
    assert 20 <= last.iteration < RECIPE.iterations
    assert last.picture is not None
    assert last.checkpoint is not None
    picture = Image.open(io.BytesIO(await busy_desk.store.get(last.picture)))
    assert (picture.format, picture.size) == ("PNG", (32, 32))
    assert await busy_desk.store.get(last.checkpoint)
    assert await busy_desk.jobs.state(job.id) is State.CANCELLED
    assert job.id not in await busy_desk.jobs.open()


async def test_stopping_twice_is_harmless(busy_desk: Desk) -> None:
    job = await busy_desk.order(RECIPE)
    await busy_desk.until(job, 20)
    assert await busy_desk.jobs.cancel(job.id) is True
    await busy_desk.jobs.cancel(job.id)  # its answer depends on how soon the worker heard the first
    story = await busy_desk.story(job)
    assert await busy_desk.jobs.cancel(job.id) is False
    assert [event.kind for event in story].count("cancelled") == 1
    assert await busy_desk.story(job) == story


async def test_a_child_goes_on_from_the_checkpoint_to_the_same_picture_as_uncut(
    busy_desk: Desk, stopped: tuple[Job, Cancelled]
) -> None:
    _, last = stopped
    child = await busy_desk.order(RECIPE, checkpoint=last.checkpoint)
    run, story = await busy_desk.run(child), await busy_desk.story(child)
    assert isinstance(story[0], Started)
    assert story[0].iteration == last.iteration
    assert [event.iteration for event in story if isinstance(event, Snapshot)] == [580, 600]  # 20 was told before
    assert run["slices"][0]["from"] == 0
    assert len(run["losses"]["rows"]) == RECIPE.iterations
    assert run["final"]["sha256"] == uncut_sha256(RECIPE)
