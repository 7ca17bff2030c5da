"""A recipe code passed on: the button gives it, and whoever pastes it has the same painting of a content of theirs."""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from discord_server.message_text import buttons_of, files_of, text_of
from PIL import Image
from scene import SMALL, Scene, picture, scene
from support.workers import WorkerPool

from engine.contract.connection import connect
from engine.contract.jobs import Jobs
from engine.contract.models import Job
from engine.contract.recipe_code import code_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

Json = dict[str, Any]
OTHER = " The style is another picture than the code's, so the painting will not be the same."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    async with scene(pool, tmp_path_factory.mktemp("codes")) as made:
        pool.start_worker(seconds=0.3).ready()
        yield made
        assert made.discord.world.violations == []
        assert made.discord.world.refusals == []


async def code_on(stage: Scene, message: Json) -> str:
    told = await stage.private_reply(await stage.ada.press(message, "Recipe code"))
    found = re.match(r"```\n(impasto:1:\S+)\n```\nWith this line", told)
    assert found is not None, told
    return found[1]


async def final(stage: Scene, card: Json) -> bytes:
    """The finished picture's pixels; its file says also how it was made."""
    for message in stage.discord.world.messages(card["id"]):
        for name, file in files_of(message).items():
            if name.endswith("final.png"):
                with Image.open(io.BytesIO(await stage.discord.download(file["url"]))) as image:
                    return image.convert("RGB").tobytes()
    raise AssertionError("there is no finished picture")


async def job_of(stage: Scene, job: str) -> Job:
    async with connect(stage.pool.url) as redis:
        found = await Jobs(redis).get(job)
    assert found is not None
    return found


async def accepted(stage: Scene) -> Job:
    """A painting's job, as it was asked for."""
    asked = await stage.stylize()
    await stage.card(asked)
    return await job_of(stage, asked.id)


async def by_code(stage: Scene, code: str, **options: Any) -> Any:
    return await stage.ada.slash(stage.channel, "stylize", recipe_code=code, **{"content": stage.content, **options})


@pytest.mark.long
async def test_the_same_pictures_by_the_code_are_the_same_painting(stage: Scene) -> None:
    card = await stage.painted(recipe="classic", strength=2.0, size=80)
    (last,) = [m for m in stage.discord.world.messages(card["id"]) if "Larger" in [b["label"] for b in buttons_of(m)]]
    code = await code_on(stage, card)
    assert await code_on(stage, last) == code
    asked = await by_code(stage, f"  {code} ", style=stage.style)
    again = await stage.ended(await stage.card(asked))
    assert await stage.private_reply(asked) == f"Accepted: watch it in <#{again['id']}>."
    assert "classic, 24 iterations at 80 px, twice the usual strength" in text_of(again)
    assert await final(stage, again) == await final(stage, card)
    assert await code_on(stage, again) == code


async def test_with_another_style_that_is_said(stage: Scene, tmp_path: Path) -> None:
    code = await code_on(stage, await stage.painted())
    asked = await by_code(stage, code, style=picture(tmp_path / "other.png", 9))
    card = await stage.card(asked)
    assert await stage.private_reply(asked) == f"Accepted: watch it in <#{card['id']}>.{OTHER}"


async def test_a_saved_style_is_found_by_its_picture(stage: Scene, tmp_path: Path) -> None:
    style = picture(tmp_path / "rare.png", 11)
    code = await code_on(stage, await stage.painted(style=style))
    missing = "The style of this recipe code is not saved here: attach the same picture as `style`."
    assert await stage.private_reply(await by_code(stage, code)) == missing
    saved = await stage.ada.slash(stage.channel, "style save", name="Rare one", picture=style, strength=50.0)
    assert (await stage.private_reply(saved)).startswith("Saved")
    asked = await by_code(stage, code, content=picture(tmp_path / "mine.png", 12))
    card = await stage.card(asked)
    assert await stage.private_reply(asked) == f"Accepted: watch it in <#{card['id']}>."
    assert text_of(card).startswith("### mine × Rare one")
    assert "strength" not in text_of(card)  # the code's settings, not the saved ones


@pytest.mark.long
async def test_a_painting_in_a_drawn_style_needs_no_attachment(stage: Scene) -> None:
    asked = await stage.ada.slash(stage.channel, "stylize", content=stage.content, style_name="ink", **SMALL)
    code = await code_on(stage, await stage.ended(await stage.card(asked)))
    asked = await by_code(stage, code)
    assert text_of(await stage.card(asked)).startswith("### harbour × ink")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"size": 64, "recipe": "fine"}, "A recipe code holds all the settings: leave out recipe and size."),
        ({"animate": True, "seed": 0}, "A recipe code holds all the settings: leave out seed and animate."),
        ({"style2": True}, "This recipe code is for 1 style, and 2 were given."),
        ({"style_name": "ink"}, "both say what the style is"),
    ],
)
async def test_a_code_decides_alone(stage: Scene, options: Json, sentence: str) -> None:
    code = code_of(await accepted(stage), ("0" * 12,))
    given = {name: stage.content if name == "style2" else value for name, value in options.items()}
    asked = await by_code(stage, code, style=stage.style, **given)
    assert sentence in await stage.private_reply(asked)
    assert await stage.traces(asked.id) == []


async def test_foreign_and_damaged_codes_and_those_beyond_the_limits_are_a_sentence(stage: Scene) -> None:
    job = await accepted(stage)

    async def told(code: str) -> str:
        return await stage.private_reply(await by_code(stage, code, style=stage.style))

    def changed(**fields: Any) -> str:
        recipe = type(job.recipe).from_dict(job.recipe.as_dict() | fields)
        return code_of(job.model_copy(update={"recipe": recipe}), ("0" * 12,))

    assert (await told("a line")).startswith("That is no recipe code")
    assert (await told(changed()[:-2])).startswith("This recipe code is damaged")
    foreign = "This recipe code is for the weights imagenet, and I paint with random: what it stands for cannot be"
    assert (await told(changed(weights="imagenet", networks=1))).startswith(foreign)
    other = "This recipe code is for other weights random than I have: what it stands for cannot be repeated here."
    assert await told(changed(network="24,24|32")) == other
    assert await told(changed(size=2048)) == "The size may be at most 1024 px here: ask for a smaller one."
    many = changed(iterations=90, snapshots=tuple(range(1, 90)))
    assert await told(many) == "This recipe code asks for more than 50 snapshots: it is not painted here."


@pytest.mark.long
async def test_what_began_with_a_picture_has_no_code(stage: Scene, tmp_path: Path) -> None:
    card = await stage.painted(start_picture=picture(tmp_path / "begun.png", 5))
    told = await stage.private_reply(await stage.ada.press(card, "Recipe code"))
    assert (
        told == "This painting began with a picture, a draft or a snapshot, or has masks: no recipe code holds those."
    )
