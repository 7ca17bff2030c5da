"""Paintings that come from paintings: continued beyond their end, or begun from a picture."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from support.jobs import JobClient, light, one_thread, uncut_sha256
from support.pictures import CONTENT, STYLE, noise

from engine.contract.events import Cancelled, Done, Failed, Snapshot, Started
from engine.contract.models import Job
from engine.painting.painter import Painter
from engine.painting.pictures import pixels_sha256
from engine.recipe.recipe import Recipe

ADAM = light(60, snapshots=(20, 75), step_end=0.2)
LBFGS = light(43, scales=1, optimiser="lbfgs", step=1.0, clamp=False, snapshots=(20, 70))


async def finished(client: JobClient, recipe: Recipe) -> tuple[Job, Done]:
    job = await client.submit(recipe)
    last = (await client.events(job))[-1]
    assert isinstance(last, Done), last
    return job, last


@pytest.mark.parametrize("recipe", [ADAM, LBFGS], ids=["adam, scales", "lbfgs"])
async def test_a_finished_painting_goes_on_to_the_same_picture_as_uncut(busy_client: JobClient, recipe: Recipe) -> None:
    parent, last = await finished(busy_client, recipe)
    longer = recipe.continued(37)
    child = await busy_client.submit(longer, parent=parent.id, checkpoint=last.files["checkpoint.safetensors"])
    run, story = await busy_client.run(child), await busy_client.events(child)

    assert run["final"]["sha256"] == uncut_sha256(longer)
    assert isinstance(story[0], Started)
    assert story[0].iteration == recipe.iterations
    beyond = [iteration for iteration in longer.shown if iteration > recipe.iterations]
    assert [event.iteration for event in story if isinstance(event, Snapshot)] == beyond
    shown = [20, recipe.iterations, *beyond]
    assert [snapshot["iteration"] for snapshot in run["snapshots"]] == shown
    assert run["parent"] == parent.id
    assert len(run["losses"]["rows"]) == longer.iterations
    ends = [painted["to"] for painted in run["slices"]]
    assert [painted["from"] for painted in run["slices"]] == [0, *ends[:-1]]
    assert ends[-1] == longer.iterations


@pytest.mark.long
async def test_a_painting_stopped_midway_finishes_its_plan_and_goes_on(busy_client: JobClient) -> None:
    recipe = light(1200, snapshots=(20,))
    job = await busy_client.submit(recipe)
    await busy_client.until(job, 20)
    await busy_client.jobs.cancel(job.id)
    last = (await busy_client.events(job))[-1]
    assert isinstance(last, Cancelled)
    assert last.iteration < recipe.iterations
    longer = recipe.continued(50)
    child = await busy_client.submit(longer, parent=job.id, checkpoint=last.checkpoint)
    assert (await busy_client.run(child))["final"]["sha256"] == uncut_sha256(longer)


@pytest.mark.long
async def test_a_child_lives_on_when_its_parent_is_forgotten(busy_client: JobClient) -> None:
    """As the bot makes one: with a copy of the checkpoint in its own folder."""
    parent, last = await finished(busy_client, ADAM)
    kept = await busy_client.store.copy(last.files["checkpoint.safetensors"], "kept/checkpoint-start.safetensors")
    assert await busy_client.jobs.forget(parent.id)
    await busy_client.store.delete_folder(f"jobs/{parent.id}")

    child = await busy_client.submit(ADAM.continued(37), parent=parent.id, checkpoint=kept)
    run = await busy_client.run(child)
    assert run["final"]["sha256"] == uncut_sha256(ADAM.continued(37))
    assert 1 < await frames(busy_client, child) < await frames(busy_client, await uncut(busy_client))

    # Nothing more to paint, and no frame to be had.
    again = await busy_client.submit(ADAM, parent=parent.id, checkpoint=kept)
    run = await busy_client.run(again)
    assert run["final"]["sha256"] == uncut_sha256(ADAM)
    assert await frames(busy_client, again) == 1


async def uncut(client: JobClient) -> Job:
    return (await finished(client, ADAM.continued(37)))[0]


async def frames(client: JobClient, job: Job) -> int:
    last = await client.jobs.outcome(job.id)
    assert isinstance(last, Done)
    film = Image.open(io.BytesIO(await client.store.get(last.files["film.webp"])))
    return int(getattr(film, "n_frames", 1))


async def test_a_painting_begins_with_the_picture_of_its_job(busy_client: JobClient) -> None:
    recipe, canvas = light(40, start="picture", noise=0.1), noise(7, side=48)
    job = await busy_client.submit(recipe, start=canvas)
    run = await busy_client.run(job)
    assert run["final"]["sha256"] == painted_sha256(recipe, canvas)
    assert run["start"] == {"name": "start.png", "width": 48, "height": 48}
    assert run["final"]["sha256"] != painted_sha256(recipe, noise(8, side=48))


async def test_a_job_without_the_picture_to_begin_with_fails_in_a_sentence(busy_client: JobClient) -> None:
    job = await busy_client.submit(light(40, start="picture"))
    (last,) = await busy_client.events(job)
    assert isinstance(last, Failed)
    assert last.reason == "This recipe starts from a picture, which was not given."


async def test_all_pictures_of_a_painting_in_the_contents_colours_have_them(busy_client: JobClient) -> None:
    recipe = light(40, colours="content", snapshots=(5, 25))
    job = await busy_client.submit(recipe)
    run, story = await busy_client.run(job), await busy_client.events(job)
    assert run["final"]["sha256"] == painted_sha256(recipe)
    for event in story:
        if isinstance(event, Snapshot):
            picture = Image.open(io.BytesIO(await busy_client.store.get(event.picture)))
            assert pixels_sha256(picture) == painted_sha256(recipe, stop=event.iteration)


def painted_sha256(recipe: Recipe, canvas: Image.Image | None = None, stop: int | None = None) -> str:
    with one_thread():
        painter = Painter(recipe, CONTENT, [STYLE], canvas=canvas)
        state = painter.begin()
        for _ in painter.paint(state, stop):
            pass
        return pixels_sha256(painter.picture(state))
