"""Save as style: of a painting by its button, and of any message's pictures by their menu."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from discord_server.driver import Spoiler
from discord_server.message_text import buttons_of
from saved_styles_kit import DRAWN, Place, a_place, accepted, blobs, job_of, names, painted
from scene import SMALL, Json, Scene, scene
from support.workers import WorkerPool

from engine.contract.store import Store

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    async with scene(pool, tmp_path_factory.mktemp("styles")) as made:
        yield made
        assert made.discord.world.violations == []
        assert made.discord.world.pings == []


@pytest_asyncio.fixture(loop_scope="module")
async def place(stage: Scene) -> Place:
    return await a_place(stage)


async def test_the_picture_of_any_message_is_saved_by_its_menu(stage: Scene, place: Place) -> None:
    message = await place.mem.post(place.channel, "look", files=[stage.style])
    form = await place.other.menu(place.channel, message, "Save as style")
    await form.answered()
    (name,) = form.modal.data["components"]
    assert (name["label"], name["component"]["value"]) == ("What to call it", "strokes")
    sent = await place.other.submit(form.modal, {"name": "found"})
    assert (await stage.private_reply(sent)).startswith("Saved as **found**")
    assert "found" in await names(place)
    message = await place.mem.post(place.channel, "no picture")
    refused = await place.other.menu(place.channel, message, "Save as style")
    assert "There is no picture in this message" in await stage.private_reply(refused)


@pytest.mark.long
async def test_a_paintings_button_saves_its_style_with_its_settings(
    stage: Scene, pool: WorkerPool, place: Place
) -> None:
    given = {"content": stage.content, "style": stage.style, "style2": stage.content, "colours": "keep"}
    options = {"recipe": "classic", "strength": 2.0, **SMALL}
    asked = await place.mem.slash(place.channel, "stylize", **given, **options)
    card = await stage.card(asked, place.channel)
    assert "Save as style" not in [button["label"] for button in buttons_of(card)]
    card = await painted(stage, pool, card)
    form = await _form(place, card)
    assert form.modal.title == "Save as style"
    name, which = form.modal.data["components"]
    settings = "classic, strength 2, 24 iterations, 64 px, the content's colours"
    assert name["description"] == f"Kept with its settings: {settings}"
    assert name["component"]["value"] == "strokes"
    assert [option["label"] for option in which["component"]["options"]] == ["1. strokes.png", "2. harbour.png"]
    sent = await place.other.submit(form.modal, {"name": "of the second", "which": "2"})
    assert "Saved as **of the second**: by `/stylize style_name:`" in await stage.private_reply(sent)
    assert await names(place) == [*DRAWN[:3], "of the second", *DRAWN[3:]]
    job = await job_of(stage, await accepted(stage, place, "of the second", size=None, iterations=None))
    assert (job.recipe.name, job.recipe.size, job.recipe.iterations) == ("classic", 64, 24)
    assert job.recipe.colours == "content"
    store = Store(stage.pool.store_url)
    before = await store.get(f"jobs/{asked.id}/picture-2.png")
    assert [await store.get(key) for key in await blobs(stage, place)] == [before]
    sent = await place.other.submit((await _form(place, card)).modal, {"name": "Of the SECOND"})
    assert "There is a style called Of the SECOND here already" in await stage.private_reply(sent)
    sent = await place.other.submit((await _form(place, card)).modal, {"name": "a, b"})
    assert "no comma" in await stage.private_reply(sent)


async def _form(place: Place, card: Json) -> Any:
    form = await place.other.press(card, "Save as style")
    await form.answered()
    return form


async def test_the_name_of_a_covered_picture_is_not_proposed_for_the_style(stage: Scene, place: Place) -> None:
    """Neither where it is one of several, which are chosen by their names."""
    covered = Spoiler(("the_butler_did_it.png", stage.style.read_bytes()))
    form = await place.other.menu(
        place.channel, await place.mem.post(place.channel, "look", files=[covered]), "Save as style"
    )
    await form.answered()
    (name,) = form.modal.data["components"]
    assert not name["component"].get("value")
    several = await place.mem.post(place.channel, "look", files=[stage.content, covered])
    choice = await (await place.other.menu(place.channel, several, "Save as style")).shown()
    form = await place.other.choose(choice, "2. a spoiler")
    await form.answered()
    assert "butler" not in json.dumps([form.modal.data, choice["components"][0], choice["components"][2]])
    sent = await place.other.submit(form.modal, {"name": "the end"})
    assert (await stage.private_reply(sent)).startswith("Saved as **the end**")
