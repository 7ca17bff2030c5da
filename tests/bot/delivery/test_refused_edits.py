"""Discord refuses the edit of a card: what it tells in the end is so all the same."""

from __future__ import annotations

import pytest
from discord_server.message_text import buttons_of, files_of, text_of
from scene import Json
from support.delivery import Stage, job_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(("status", "code"), [(400, 50035), (400, 0), (403, 0), (415, 0)])
async def test_without_its_new_pictures_a_card_tells_that_it_is_done(stage: Stage, status: int, code: int) -> None:
    card, manual_worker = await stage.manual_painting()
    edits = f"PATCH /channels/{stage.scene.channel.id}/messages/{card['id']}"
    fault = await stage.discord.fault(edits, status=status, code=code, with_files=True)
    await manual_worker.done()
    ended = await stage.scene.ended(card)
    assert _labels(ended)[0] == "Continue"
    assert [name.split("-", 2)[2] for name in files_of(ended)] == ["content.jpg", "style-1.jpg"]
    await fault.remove()


async def test_a_card_that_takes_no_edit_is_posted_anew(stage: Stage) -> None:
    card, manual_worker = await stage.manual_painting()
    edits = f"PATCH /channels/{stage.scene.channel.id}/messages/{card['id']}"
    fault = await stage.discord.fault(edits, status=400, code=50035)
    await manual_worker.done()
    new = await stage.discord.until(lambda world: _other(stage, card))
    assert "**Done**" in text_of(new)
    assert f"all of it in <#{card['id']}>" in text_of(new)  # which outlives the message that it was opened from
    assert [name.split("-", 2)[2] for name in files_of(new)] == ["painting.jpg", "content.jpg", "style-1.jpg"]
    channel = stage.scene.channel
    await stage.discord.until(lambda world: card["id"] not in [one["id"] for one in world.messages(channel)])
    await fault.remove()
    again = await stage.scene.ada.press(new, "Again")
    await stage.scene.private_reply(again)
    answer = await (await stage.scene.ada.slash(stage.scene.channel, "show", job=job_of(card))).shown()
    assert "**Done**" in text_of(answer)


@pytest.mark.parametrize(("moment", "in_words"), [("posted", False), ("posted", True), ("noted", False)])
async def test_a_kill_while_a_card_is_posted_anew_leaves_one_card(stage: Stage, moment: str, in_words: bool) -> None:
    """Killed before it knows that the new one is there, or before the old one is gone; nonces hold no longer."""
    card, manual_worker = await stage.manual_painting()
    there = f"/channels/{stage.scene.channel.id}/messages"
    refused = [await stage.discord.fault(f"PATCH {there}/{card['id']}", status=400, code=50035)]
    if in_words:
        refused.append(await stage.discord.fault(f"POST {there}", status=400, code=50035, with_files=True))
    if moment == "posted":
        fault = await stage.discord.fault(f"POST {there}", swallow="hang")
    else:
        fault = await stage.discord.fault(f"DELETE {there}/{card['id']}", delay_s=600)
    await manual_worker.done()
    while not await fault.hits():
        await stage.discord.now()
    new = await stage.discord.until(lambda world: _other(stage, card))
    stage.scene.bots[-1].kill()
    await fault.remove()
    await stage.discord.turn_clock(3600)
    await stage.scene.start_bot()
    channel = stage.scene.channel
    await stage.discord.until(lambda world: card["id"] not in [one["id"] for one in world.messages(channel)])
    assert _ids(stage) == [new["id"]]
    assert list(files_of(new)) == [] or not in_words
    for fault in refused:
        await fault.remove()


async def test_where_a_new_card_may_have_no_files_either_it_is_words(stage: Stage) -> None:
    card, manual_worker = await stage.manual_painting()
    there = f"/channels/{stage.scene.channel.id}/messages"
    faults = [
        await stage.discord.fault(f"PATCH {there}/{card['id']}", status=400, code=50035),
        await stage.discord.fault(f"POST {there}", status=400, code=50035, with_files=True),
    ]
    await manual_worker.done()
    new = await stage.discord.until(lambda world: _other(stage, card))
    assert "**Done**" in text_of(new)
    assert list(files_of(new)) == []
    for fault in faults:
        await fault.remove()


async def test_a_card_that_show_left_behind_and_that_takes_no_edit_goes(stage: Stage) -> None:
    card, manual_worker = await stage.manual_painting()
    await (await stage.scene.ada.slash(stage.scene.channel, "show", job=job_of(card))).shown()
    new = await stage.discord.until(lambda world: _other(stage, card))
    fault = await stage.discord.fault(f"PATCH /channels/*/messages/{card['id']}", status=400, code=50035)
    await manual_worker.progress(5)
    await stage.scene.ended(new, "iteration 5 of")  # by then it is known that there is a new one
    await manual_worker.done()
    await stage.scene.ended(new)
    assert card["id"] not in [one["id"] for one in stage.discord.world.messages(stage.scene.channel)]
    await fault.remove()


@pytest.mark.parametrize(("status", "code"), [(400, 50035), (413, 40005), (403, 50013)])
async def test_show_brings_the_words_where_the_pictures_are_refused(stage: Stage, status: int, code: int) -> None:
    card, manual_worker = await stage.manual_painting()
    await manual_worker.done()
    await stage.scene.ended(card)
    fault = await stage.discord.fault("PATCH /webhooks/**", status=status, code=code, with_files=True)
    answer = await (await stage.scene.ada.slash(stage.scene.channel, "show", job=job_of(card))).shown()
    assert "**Done**" in text_of(answer)
    await fault.remove()


async def test_a_card_that_somebody_deleted_is_not_posted_anew(stage: Stage) -> None:
    card, manual_worker = await stage.manual_painting()
    await stage.scene.channel.delete_message(card)
    await manual_worker.done()
    await stage.posted(card["id"], "film.webp")
    asked = await stage.scene.stylize()  # a card that comes after whatever would have come of the first
    other = await stage.painting(asked)
    assert _ids(stage) == [other["id"]]


def _other(stage: Stage, card: Json) -> Json | None:
    """The card of the same painting that has taken its place."""
    for message in stage.discord.world.messages(stage.scene.channel):
        buttons = [button["custom_id"] for button in buttons_of(message)]
        if message["id"] != card["id"] and any(name.endswith(f":{job_of(card)}") for name in buttons):
            return message
    return None


def _labels(message: Json) -> list[str]:
    return [button["label"] for button in buttons_of(message)]


def _ids(stage: Stage) -> list[str]:
    return [message["id"] for message in stage.discord.world.messages(stage.scene.channel)]
