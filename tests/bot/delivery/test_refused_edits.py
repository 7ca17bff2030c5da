"""Discord refuses the edit of a card: what it tells in the end is so all the same."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from conftest import House
from discord_server.reading import buttons_of, files_of, text_of
from scene import Json
from trouble_kit import Stage, job_of, stage

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house_stage(house: House, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with stage(house, tmp_path_factory.mktemp("edits")) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def on(house_stage: Stage) -> AsyncIterator[Stage]:
    """A server, a channel and a member of the test's own."""
    await house_stage.scene.open()
    yield house_stage
    await house_stage.clear()
    assert house_stage.discord.world.violations == []


@pytest.mark.parametrize(("status", "code"), [(400, 50035), (400, 0), (403, 0), (415, 0)])
async def test_without_its_new_pictures_a_card_tells_that_it_is_done(on: Stage, status: int, code: int) -> None:
    card, brush = await on.easel()
    edits = f"PATCH /channels/{on.scene.channel.id}/messages/{card['id']}"
    fault = await on.discord.fault(edits, status=status, code=code, with_files=True)
    await brush.done()
    ended = await on.scene.ended(card)
    assert _labels(ended)[0] == "Continue"
    assert [name.split("-", 2)[2] for name in files_of(ended)] == ["content.jpg", "style-1.jpg"]
    await fault.remove()


async def test_a_card_that_takes_no_edit_is_posted_anew(on: Stage) -> None:
    card, brush = await on.easel()
    edits = f"PATCH /channels/{on.scene.channel.id}/messages/{card['id']}"
    fault = await on.discord.fault(edits, status=400, code=50035)
    await brush.done()
    new = await on.discord.until(lambda world: _other(on, card))
    assert "**Done**" in text_of(new)
    assert f"all of it in <#{card['id']}>" in text_of(new)  # which outlives the message that it was opened from
    assert [name.split("-", 2)[2] for name in files_of(new)] == [
        "last-painting.jpg", "last-content.jpg", "last-style-1.jpg",
    ]  # fmt: skip
    await on.discord.until(lambda world: card["id"] not in [one["id"] for one in world.messages(on.scene.channel)])
    await fault.remove()
    again = await on.scene.ada.press(new, "Again")
    await on.scene.whispered(again)
    answer = await (await on.scene.ada.slash(on.scene.channel, "show", job=job_of(card))).shown()
    assert "**Done**" in text_of(answer)


async def test_where_a_new_card_may_have_no_files_either_it_is_words(on: Stage) -> None:
    card, brush = await on.easel()
    there = f"/channels/{on.scene.channel.id}/messages"
    faults = [
        await on.discord.fault(f"PATCH {there}/{card['id']}", status=400, code=50035),
        await on.discord.fault(f"POST {there}", status=400, code=50035, with_files=True),
    ]
    await brush.done()
    new = await on.discord.until(lambda world: _other(on, card))
    assert "**Done**" in text_of(new)
    assert list(files_of(new)) == []
    for fault in faults:
        await fault.remove()


async def test_a_card_that_show_left_behind_and_that_takes_no_edit_goes(on: Stage) -> None:
    card, brush = await on.easel()
    await (await on.scene.ada.slash(on.scene.channel, "show", job=job_of(card))).shown()
    new = await on.discord.until(lambda world: _other(on, card))
    fault = await on.discord.fault(f"PATCH /channels/*/messages/{card['id']}", status=400, code=50035)
    await brush.progress(5)
    await on.scene.ended(new, "iteration 5 of")  # by then it is known that there is a new one
    await brush.done()
    await on.scene.ended(new)
    assert card["id"] not in [one["id"] for one in on.discord.world.messages(on.scene.channel)]
    await fault.remove()


@pytest.mark.parametrize(("status", "code"), [(400, 50035), (413, 40005), (403, 50013)])
async def test_show_brings_the_words_where_the_pictures_are_refused(on: Stage, status: int, code: int) -> None:
    card, brush = await on.easel()
    await brush.done()
    await on.scene.ended(card)
    fault = await on.discord.fault("PATCH /webhooks/**", status=status, code=code, with_files=True)
    answer = await (await on.scene.ada.slash(on.scene.channel, "show", job=job_of(card))).shown()
    assert "**Done**" in text_of(answer)
    await fault.remove()


async def test_a_card_that_somebody_deleted_is_not_posted_anew(on: Stage) -> None:
    card, brush = await on.easel()
    await on.scene.channel.delete_message(card)
    await brush.done()
    await on.posted(card["id"], "film.webp")
    asked = await on.scene.stylize()  # a card that comes after whatever would have come of the first
    other = await on.painting(asked)
    assert _ids(on) == [other["id"]]


def _other(on: Stage, card: Json) -> Json | None:
    """The card of the same painting that has taken its place."""
    for message in on.discord.world.messages(on.scene.channel):
        buttons = [button["custom_id"] for button in buttons_of(message)]
        if message["id"] != card["id"] and any(name.endswith(f":{job_of(card)}") for name in buttons):
            return message
    return None


def _labels(message: Json) -> list[str]:
    return [button["label"] for button in buttons_of(message)]


def _ids(on: Stage) -> list[str]:
    return [message["id"] for message in on.discord.world.messages(on.scene.channel)]
