"""A study through real workers: each of its paintings is the one that it would be alone, whatever happens to them."""

from __future__ import annotations

import io
import json
import signal
from typing import Any

import pytest
from PIL import Image
from support.jobs import JobClient, light, uncut_sha256
from support.workers import QUICK_WORKER, WorkerPool

from engine.contract.events import Cancelled, Done, Event, Notice, Snapshot, Started, follow
from engine.contract.models import Job
from engine.recipe.recipe import Recipe

SHORT = [light(14), light(11, beta=50.0), light(17, optimiser="lbfgs", step=1.0, scales=1, clamp=False)]
LONG = [light(400, seed=1), light(300, seed=2), light(350, seed=3)]


async def record(client: JobClient, story: list[Event]) -> dict[str, Any]:
    last = story[-1]
    assert isinstance(last, Done), last
    run: dict[str, Any] = json.loads(await client.store.get(last.files["run.json"]))
    return run


def assert_each_as_if_alone(run: dict[str, Any], recipes: list[Recipe]) -> None:
    assert [painting["final"]["sha256"] for painting in run["paintings"]] == [uncut_sha256(r) for r in recipes]
    for painting, recipe in zip(run["paintings"], recipes, strict=True):
        assert len(painting["losses"]["rows"]) == recipe.iterations
        assert painting["snapshots"] == [{"iteration": recipe.iterations, "file": f"{recipe.iterations:05d}.png"}]
        ends = [painted["to"] for painted in painting["slices"]]
        assert [painted["from"] for painted in painting["slices"]] == [0, *ends[:-1]]
        assert ends[-1] == recipe.iterations


def shown(story: list[Event]) -> list[int]:
    return [event.iteration for event in story if isinstance(event, Snapshot)]


async def test_its_paintings_are_those_that_they_would_be_alone(busy_client: JobClient) -> None:
    job = await busy_client.submit(SHORT[0], vary=SHORT, user="una")
    story = await busy_client.events(job)
    run = await record(busy_client, story)
    assert_each_as_if_alone(run, SHORT)
    assert shown(story) == [14, 25, 42]
    assert [event.iteration for event in story if isinstance(event, Started)] == [0]
    assert [(tile["label"], tile["iteration"]) for tile in run["tiles"]] == [
        ("recipe 1", 14), ("recipe 2", 11), ("recipe 3", 17)
    ]  # fmt: skip
    # It pays for all of them.
    assert await busy_client.spent("una") == pytest.approx(run["seconds"], abs=0.01)


async def test_it_leaves_a_sheet_with_all_of_them_the_losses_and_a_film(busy_client: JobClient) -> None:
    job = await busy_client.submit(SHORT[0], vary=SHORT)
    story = await busy_client.events(job)
    last = story[-1]
    assert isinstance(last, Done)
    pictures = {name: Image.open(io.BytesIO(await busy_client.store.get(key))) for name, key in last.files.items()
                if name.endswith((".png", ".webp"))}  # fmt: skip
    assert pictures.keys() == {"final.png", "loss.png", "film.webp"}
    assert pictures["film.webp"].format == "WEBP"
    run = await record(busy_client, story)
    assert pictures["final.png"].size == (run["width"], run["height"])
    for event in story:
        if isinstance(event, Snapshot):
            tile = Image.open(io.BytesIO(await busy_client.store.get(event.picture)))
            assert tile.size == (32, 32)


async def killed_here_and_there(pool: WorkerPool, client: JobClient, job: Job, marks: list[int]) -> None:
    """Kills the worker at each mark or soon after, and hires another."""
    marks = list(marks)
    async for _, event in follow(client.redis, job.id):
        if marks and event.iteration >= marks[0]:
            marks = [mark for mark in marks if mark > event.iteration]
            worker = pool.workers[-1]
            worker.send(signal.SIGKILL)
            assert worker.ended() == -signal.SIGKILL
            pool.start_worker(0.2, QUICK_WORKER).ready()
    assert not marks


@pytest.mark.long
async def test_a_study_whose_workers_are_killed_again_and_again_loses_nothing_and_paints_nothing_twice(
    pool: WorkerPool, client: JobClient
) -> None:
    pool.only_worker(0.2, QUICK_WORKER)
    job = await client.submit(LONG[0], vary=LONG)
    await killed_here_and_there(pool, client, job, [150, 400, 620])
    story = await client.events(job)
    assert shown(story) == [400, 700, 1050]
    assert [event.kind for event in story].count("started") == 1
    assert [event.kind for event in story].count("done") == 1
    assert_each_as_if_alone(await record(client, story), LONG)


@pytest.mark.long
async def test_a_cancelled_study_keeps_what_there_is_and_a_child_goes_on_from_it(busy_client: JobClient) -> None:
    job = await busy_client.submit(LONG[0], vary=LONG)
    await busy_client.until(job, 450)
    await busy_client.jobs.cancel(job.id)
    story = await busy_client.events(job)
    last = story[-1]
    assert isinstance(last, Cancelled)
    assert 450 <= last.iteration < 1050
    assert last.picture is not None
    child = await busy_client.submit(LONG[0], vary=LONG, parent=job.id, checkpoint=last.checkpoint)
    further = await busy_client.events(child)
    assert shown(story) + shown(further) == [400, 700, 1050]
    assert_each_as_if_alone(await record(busy_client, further), LONG)


@pytest.mark.long
async def test_what_a_forgotten_parent_had_painted_is_left_out(busy_client: JobClient) -> None:
    recipes = [*LONG[:2], light(2000, seed=3)]  # so that it has not ended before it is cancelled
    job = await busy_client.submit(recipes[0], vary=recipes)
    await busy_client.until(job, 450)
    await busy_client.jobs.cancel(job.id)
    last = (await busy_client.events(job))[-1]
    assert isinstance(last, Cancelled)
    assert last.checkpoint is not None
    whole = sum(last.iteration >= end for end in (400, 700))  # the worker may have gone on before it was told to stop
    assert whole
    kept = await busy_client.store.copy(last.checkpoint, "kept/checkpoint-study.safetensors")
    assert await busy_client.jobs.forget(job.id)
    await busy_client.store.delete_folder(f"jobs/{job.id}")
    child = await busy_client.submit(recipes[0], vary=recipes, parent=job.id, checkpoint=kept)
    story = await busy_client.events(child)
    run = await record(busy_client, story)
    assert [tile["label"] for tile in run["tiles"]] == ["recipe 1", "recipe 2", "recipe 3"][whole:]
    assert isinstance(story[-1], Done)
    assert story[-1].left_out.startswith("Pictures of the painting that it went on from are no longer kept")


@pytest.mark.long
async def test_the_film_of_one_painting_is_made_of_what_a_forgotten_parent_has_left_of_it(
    busy_client: JobClient,
) -> None:
    recipe = light(3000, snapshots=(1, 10))  # so that it has not ended before it is cancelled
    job = await busy_client.submit(recipe, vary=[recipe])
    await busy_client.until(job, 10)
    await busy_client.jobs.cancel(job.id)
    last = (await busy_client.events(job))[-1]
    assert isinstance(last, Cancelled)
    assert last.checkpoint is not None
    kept = await busy_client.store.copy(last.checkpoint, "kept/checkpoint-film.safetensors")
    assert await busy_client.jobs.forget(job.id)
    await busy_client.store.delete_folder(f"jobs/{job.id}")
    child = await busy_client.submit(recipe, vary=[recipe], parent=job.id, checkpoint=kept)
    async for _, event in follow(busy_client.redis, child.id):
        assert not isinstance(event, Notice), event  # that it waits
    assert isinstance(event, Done)
    assert "film.webp" in event.files


async def test_one_painting_looked_at_often_is_a_strip_of_it(busy_client: JobClient) -> None:
    recipe = light(30, snapshots=(1, 10))
    job = await busy_client.submit(recipe, vary=[recipe])
    story = await busy_client.events(job)
    run = await record(busy_client, story)
    assert shown(story) == [1, 10, 30]
    assert [tile["label"] for tile in run["tiles"]] == ["1 iteration", "10 iterations", "30 iterations"]
    assert len(run["paintings"]) == 1
    assert run["seconds"] == run["paintings"][0]["seconds"]
