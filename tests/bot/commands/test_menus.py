"""The menus of messages, and the forms that they open: also wrongly filled in, too late, and across a restart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from discord_server.driver import Interaction
from discord_server.message_text import text_of
from manual_worker import manual_worker
from scene import Scene, scene
from support.workers import WorkerPool

pytestmark = pytest.mark.asyncio(loop_scope="module")

Json = dict[str, Any]
RESTARTED = "I was restarted while this form was open, or it was open for too long: open it again."
NO_PICTURE = "There is no picture in this message: choose one that has a picture attached."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """Without a worker: what was asked for stays in the queue."""
    async with scene(pool, tmp_path_factory.mktemp("menus")) as made:
        yield made
        assert made.discord.world.violations == []
        assert made.discord.world.refusals == []


async def test_stylize_this_asks_for_style_recipe_and_strength(stage: Scene) -> None:
    form = await _opened(stage, await _message(stage), "Stylize this")
    assert form.modal.title == "Stylize this"
    labels = ["Style: the picture to paint like", "Recipe", "Strength of the style"]
    assert [field["label"] for field in form.modal.data["components"]] == labels
    sent = await stage.ada.submit(form.modal, {labels[0]: stage.style, "Recipe": "gatys", labels[2]: "2"})
    card = await stage.card(sent)
    assert text_of(card).startswith("### harbour × strokes\n")
    assert "gatys, 500 iterations at 512 px, twice the usual strength" in text_of(card)
    assert await stage.private_reply(sent) == f"Accepted: watch it in <#{card['id']}>."


async def test_use_as_style_asks_for_the_content(stage: Scene) -> None:
    """The picture may be somebody else's."""
    bob = await stage.guild.member("Bob")
    form = await _opened(stage, await _message(stage), "Use as style", bob)
    sent = await bob.submit(form.modal, {"Content: the picture to be painted": stage.style})
    card = text_of(await stage.card(sent))
    assert card.startswith("### strokes × harbour\n")
    assert "fine, 225 iterations at 512 px · seed" in card
    assert f"for <@{bob.id}>" in card


@pytest.mark.parametrize("files", [[], [("notes.txt", b"not a picture")]], ids=["words alone", "another file"])
async def test_a_message_without_a_picture_is_answered_in_a_sentence(stage: Scene, files: list[Any]) -> None:
    message = await stage.ada.post(stage.channel, "hello", files=files)
    for name in ("Stylize this", "Use as style"):
        assert await stage.private_reply(await stage.ada.menu(stage.channel, message, name)) == NO_PICTURE


@pytest.mark.parametrize("strength", ["much", "0", "-1", "nan", "1e9"])
async def test_a_strength_that_is_none_is_told_and_nothing_is_queued(stage: Scene, strength: str) -> None:
    form = await _opened(stage, await _message(stage), "Stylize this")
    sent = await stage.ada.submit(form.modal, {"picture": stage.style, "strength": strength})
    assert await stage.private_reply(sent) == "The strength must be a number from 0.01 to 100: try again."
    assert await stage.traces(sent.id) == []


async def test_an_upload_that_is_no_picture_leaves_nothing_behind(stage: Scene) -> None:
    """Not even the other picture, which was taken in before it."""
    form = await _opened(stage, await _message(stage), "Stylize this")
    sent = await stage.ada.submit(form.modal, {"picture": ("style.png", b"\x89PNG, as they say")})
    assert (await stage.private_reply(sent)).startswith("style.png ")
    assert await stage.traces(sent.id) == []


async def test_a_form_can_be_sent_again_after_it_was_refused(stage: Scene) -> None:
    form = await _opened(stage, await _message(stage), "Stylize this")
    for strength, word in (("much", "must be a number"), ("0,5", "Accepted")):
        sent = await stage.ada.submit(form.modal, {"picture": stage.style, "strength": strength})
        assert word in await stage.private_reply(sent)
    assert "half the usual strength" in text_of(await stage.card(sent))


@pytest.mark.parametrize("what", ["iterations", "strength"])
async def test_numbers_in_the_form_of_a_snapshot_have_bounds(stage: Scene, what: str) -> None:
    form = await _from_here(stage)
    names = {"iterations": "number of iterations must be a whole number from 1 to 99,900"}
    for number in ("100000", "1e9"):
        sent = await stage.ada.submit(form.modal, {what: number})
        assert names.get(what, "strength must be a number from 0.01 to 100") in await stage.private_reply(sent)


async def test_iterations_are_taken_in_groups_of_digits(stage: Scene) -> None:
    form = await _from_here(stage)
    sent = await stage.ada.submit(form.modal, {"iterations": "1,000"})
    assert "1,000 iterations" in text_of(await stage.card(sent))


async def test_forms_from_before_a_restart_are_answered_in_a_sentence(stage: Scene) -> None:
    forms = [await _opened(stage, await _message(stage), "Use as style"), await _from_here(stage)]
    stage.bots[-1].end()
    await stage.start_bot()
    for form, values in zip(forms, ({"picture": stage.content}, {}), strict=True):
        sent = await stage.ada.submit(form.modal, values)
        assert await stage.private_reply(sent) == RESTARTED
        assert await stage.traces(sent.id) == []
    fresh = await _opened(stage, await _message(stage), "Use as style")
    sent = await stage.ada.submit(fresh.modal, {"picture": stage.content})
    assert "Accepted" in await stage.private_reply(sent)


async def test_a_picture_that_discord_no_longer_has_is_told_by_its_name(stage: Scene) -> None:
    form = await _opened(stage, await _message(stage), "Stylize this")
    await stage.discord.turn_clock(3 * 86_400)
    sent = await stage.ada.submit(form.modal, {"picture": stage.style})
    assert await stage.private_reply(sent) == "Discord no longer has harbour.png: attach it again."
    assert await stage.traces(sent.id) == []


async def _message(stage: Scene) -> Json:
    return await stage.ada.post(stage.channel, "look", files=[stage.content])


async def _opened(stage: Scene, message: Json, name: str, person: Any = None) -> Interaction:
    asked: Interaction = await (person or stage.ada).menu(stage.channel, message, name)
    await asked.answered()
    return asked


async def _from_here(stage: Scene) -> Interaction:
    """The form that a snapshot's button opens; the snapshot is told by the test in a worker's place."""
    asked = await stage.stylize()
    card = await stage.card(asked)
    async with manual_worker(stage, asked.id) as painter:
        await painter.snapshot(10)
    snapshot = await stage.discord.until(lambda world: world.messages(card["id"])[0])
    press = await stage.ada.press(snapshot, "From here")
    await press.answered()
    return press
