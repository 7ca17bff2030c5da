"""`/stylize` with snapshots, a picture to begin with, and masks: what comes of them, and what is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from discord_server.message_text import text_of
from PIL import Image
from scene import Scene, picture, pictures, scene
from support.workers import WorkerPool

from engine.contract.connection import connect
from engine.contract.jobs import Jobs
from engine.contract.models import Job

pytestmark = pytest.mark.asyncio(loop_scope="module")

Json = dict[str, Any]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    async with scene(pool, tmp_path_factory.mktemp("more")) as made:
        yield made
        assert made.discord.world.violations == []
        assert made.discord.world.refusals == []


@pytest.fixture
def mask(tmp_path: Path) -> Path:
    """White on the left, transparent on the right: what is not drawn is not meant."""
    left = Image.new("RGBA", (96, 72), (0, 0, 0, 0))
    left.paste((255, 255, 255, 255), (0, 0, 48, 72))
    left.save(tmp_path / "mask.png")
    return tmp_path / "mask.png"


async def asked_for(stage: Scene, **options: Any) -> Job:
    """The job that came of it."""
    asked = await stage.stylize(**options)
    await stage.card(asked)
    async with connect(stage.pool.url) as redis:
        job = await Jobs(redis).get(asked.id)
    assert job is not None
    return job


@pytest.mark.parametrize(
    ("given", "shown"),
    [("5", [5, 24]), ("5, 7,9999", [5, 7, 24]), ("every:8", [8, 16, 24]), ("AUTO", 8), ("auto,3", 8)],
)
async def test_only_the_snapshots_that_were_asked_for_are_shown(stage: Scene, given: str, shown: Any) -> None:
    job = await asked_for(stage, snapshots=given)
    found = list(job.recipe.shown)
    assert len(found) >= shown if isinstance(shown, int) else found == shown
    assert found[-1] == 24


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"snapshots": "often"}, "Snapshots are iterations like 100,300,1000, or auto, or every:50 for each fiftieth."),
        ({"snapshots": ","}, "Snapshots are iterations like 100,300,1000, or auto, or every:50 for each fiftieth."),
        ({"snapshots": "every:0"}, "every:0 are no snapshots: give iterations, auto, or every:50 for each fiftieth."),
        ({"snapshots": "every:1", "iterations": 500}, "These are 500 snapshots, and 50 are the most: ask for fewer."),
        (
            {"snapshots": ",".join(map(str, range(2, 53))), "iterations": 1},
            "These are 52 snapshots, and 50 are the most: ask for fewer.",
        ),
        ({"snapshots": "0"}, "Snapshots are iterations, from 1 on."),
    ],
)
async def test_snapshots_that_cannot_be_are_refused(stage: Scene, options: Json, words: str) -> None:
    asked = await stage.stylize(**options)
    assert await stage.private_reply(asked) == words
    assert await stage.traces(asked.id) == []


async def test_masks_are_one_for_each_style_or_none(stage: Scene, mask: Path) -> None:
    job = await asked_for(stage, mask=mask, style_mask=mask)
    assert [one.name for one in (*job.content_masks, *job.style_masks)] == ["mask.png", "mask.png"]
    asked = await stage.stylize(style2=stage.content, mask=mask)
    assert await stage.private_reply(asked) == "There are 2 styles and 1 masks: give one for each, or none."
    asked = await stage.stylize(mask=("mask.txt", b"white"))
    assert "mask.txt" in await stage.private_reply(asked)
    assert await stage.traces(asked.id) == []


async def test_the_talks_recipe_has_its_name(stage: Scene) -> None:
    card = await stage.card(await stage.stylize(recipe="talk", size=None, iterations=None))
    assert "classic, 5,000 iterations at 512 px · seed" in text_of(card)


@pytest.mark.long
async def test_it_is_painted_with_masks_from_a_picture_with_those_snapshots(
    stage: Scene, pool: WorkerPool, tmp_path: Path, mask: Path
) -> None:
    for one in await _open(pool):  # what the other tests have asked for
        await stage.private_reply(await stage.ada.slash(stage.channel, "cancel", job=one))
    pool.start_worker(seconds=0.3).ready()
    begun = picture(tmp_path / "begun.png", 5)
    asked = await stage.stylize(
        snapshots="1,7", start_picture=begun, style2=stage.content, mask=mask, mask2=mask, style_mask=mask,
        style2_mask=mask,
    )  # fmt: skip
    card = await stage.card(asked)
    assert "from a given picture" in text_of(card)
    card = await stage.ended(card)
    assert pictures(stage.discord.world, card["id"]) == [
        "00001.png", "00007.png", "final.png", "loss.png", "film.webp"
    ]  # fmt: skip
    # What follows from it has them too, but for what was swapped.
    again, swap = await stage.ada.press(card, "Again"), await stage.ada.press(card, "Swap")
    await stage.ended(await stage.card(again))
    await stage.ended(await stage.card(swap))
    async with connect(pool.url) as redis:
        jobs = [await Jobs(redis).get(one.id) for one in (again, swap)]
    assert [job and len(job.content_masks) for job in jobs] == [2, 0]
    assert all(
        job is not None and job.start is not None and job.start.key.startswith(f"jobs/{job.id}/") for job in jobs
    )


async def _open(pool: WorkerPool) -> list[str]:
    async with connect(pool.url) as redis:
        return await Jobs(redis).open()
