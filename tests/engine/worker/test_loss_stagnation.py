"""A painting that gets no better says so once, and leaves its best iterate; whatever happens to its workers."""

from __future__ import annotations

import dataclasses
import functools
import io
import signal
from typing import Any

import pytest
import torch
from PIL import Image
from support.jobs import JobClient, light, one_thread
from support.pictures import CONTENT, STYLE
from support.workers import QUICK_WORKER, WorkerPool

from engine.contract.events import Best, Done, Event, Notice, follow
from engine.contract.models import Job
from engine.painting.painter import Painter
from engine.painting.pictures import pixels_sha256
from engine.painting.state import State
from engine.recipe.recipe import Recipe
from engine.worker.loss_stagnation import last_improvement

FLAT: dict[str, Any] = {"scales": 1, "average": 0.0}
STALLED = light(1530, step=1e-6, **FLAT)
"""Moves too little to get any better; told at the first look that finds a thousand iterations of that."""
GOO = light(600, alpha=0.0, beta=0.0, total_variation=1.0, step=4.0, **FLAT)
"""Nothing but smoothness."""
NOT_IMPROVED = "The loss has not improved by a hundredth since iteration 1; the best picture so far, of iteration "
ONE_COLOUR = "The picture has turned into nearly one colour; the best picture so far, of iteration "


def notices(story: list[Event]) -> list[Notice]:
    return [event for event in story if isinstance(event, Notice)]


async def sha256_of(client: JobClient, key: str) -> str:
    return pixels_sha256(Image.open(io.BytesIO(await client.store.get(key))))


@functools.cache
def uncut(recipe: Recipe, look: int) -> tuple[tuple[int, str], tuple[int, str], str]:
    """Of the run in one go: the best iterate up to that look and to the end, with the SHA-256 of its picture; the
    SHA-256 of its last."""
    with one_thread():
        painter = Painter(recipe, CONTENT, [STYLE])
        *_, state = painter.paint(painter.begin(), look)
        seen = _best(painter, state)
        *_, state = painter.paint(state)
        return seen, _best(painter, state), pixels_sha256(painter.picture(state))


def _best(painter: Painter, state: State) -> tuple[int, str]:
    readback = painter.best_readback(state)
    assert readback is not None
    return state.best_at, pixels_sha256(readback.read().picture)


async def assert_told_once(client: JobClient, job: Job, look: int, words: str) -> None:
    """At that look in these words, with the best iterate by then; and that the best of all is kept in the end."""
    run, story = await client.run(job), await client.events(job)
    (told,) = notices(story)
    assert (told.iteration, told.text.startswith(words)) == (look, True)
    assert isinstance(told.best, Best)
    seen, (at, sha256), final = uncut(job.recipe, look)
    assert (told.best.iteration, await sha256_of(client, told.best.picture)) == seen

    last = story[-1]
    assert isinstance(last, Done)
    assert last.note == run["best"]["why"]
    assert last.note.startswith(words)
    assert run["best"] == {"file": "best.png", "iteration": at, "loss": run["best"]["loss"], "why": last.note}
    assert run["best"]["loss"] == pytest.approx(run["losses"]["rows"][at - 1][0])
    assert await sha256_of(client, last.files["best.png"]) == sha256
    assert run["final"]["sha256"] == final


@pytest.mark.long
async def test_it_is_told_once_and_the_best_iterate_is_kept(busy_client: JobClient) -> None:
    await assert_told_once(busy_client, await busy_client.submit(GOO), 500, ONE_COLOUR)


@pytest.mark.long
async def test_a_strip_of_one_painting_keeps_its_best_iterate_to_the_end(busy_client: JobClient) -> None:
    strip = dataclasses.replace(GOO, snapshots=(100,))
    job = await busy_client.submit(strip, vary=[strip])
    run, story = await busy_client.run(job), await busy_client.events(job)
    (told,) = notices(story)
    seen, (at, sha256), _ = uncut(GOO, 500)
    assert told.best is not None
    assert (told.best.iteration, await sha256_of(busy_client, told.best.picture)) == seen
    last = story[-1]
    assert isinstance(last, Done)
    assert await sha256_of(busy_client, last.files["best.png"]) == sha256
    assert run["best"] == {"file": "best.png", "iteration": at, "loss": run["best"]["loss"], "why": last.note}


@pytest.mark.long
async def test_a_study_of_several_paintings_keeps_none(busy_client: JobClient) -> None:
    job = await busy_client.submit(GOO, vary=[GOO, light(10)])
    run, story = await busy_client.run(job), await busy_client.events(job)
    last = story[-1]
    assert isinstance(last, Done)
    assert (run["best"], last.note, "best.png" in last.files) == (None, "", False)


@pytest.mark.long
async def test_what_still_gets_better_says_nothing(busy_client: JobClient) -> None:
    job = await busy_client.submit(light(520))
    run, story = await busy_client.run(job), await busy_client.events(job)
    last = story[-1]
    assert isinstance(last, Done)
    assert (notices(story), last.note, run["best"]) == ([], "", None)
    assert "best.png" not in last.files


@pytest.mark.long
async def test_killed_here_and_there_it_is_told_once_all_the_same(pool: WorkerPool, client: JobClient) -> None:
    pool.only_worker(0.2, QUICK_WORKER)
    job = await client.submit(STALLED)
    marks = [300, 1500]
    async for _, event in follow(client.redis, job.id):
        if marks and event.iteration >= marks[0]:
            marks = [mark for mark in marks if mark > event.iteration]
            pool.workers[-1].send(signal.SIGKILL)
            assert pool.workers[-1].ended() == -signal.SIGKILL
            pool.start_worker(0.2, QUICK_WORKER).ready()
    assert not marks
    await assert_told_once(client, job, 1500, NOT_IMPROVED)


@pytest.mark.parametrize(
    ("losses", "after"),
    [([5.0, 4.0, 3.99, 3.98], 2), ([5.0, float("nan"), 3.0, 9.0], 3), ([float("nan")] * 3, 0), ([2.0], 1)],
)
def test_an_improvement_is_of_a_hundredth_at_least(losses: list[float], after: int) -> None:
    assert last_improvement(torch.tensor(losses)) == after
