"""Discord refuses words: the pictures' names are left away, or the painting stops with a sentence."""

from __future__ import annotations

import pytest
from discord_server.message_text import text_of
from support.delivery import Stage, refused

pytestmark = pytest.mark.asyncio(loop_scope="module")

AUTOMOD = "The server's AutoMod blocks what I post here: rename your pictures, or ask a moderator to exempt me."


async def test_a_blocked_name_of_a_picture_is_left_away(stage: Stage) -> None:
    await stage.scene.guild.block_words("harbour")
    card, _ = await stage.manual_painting()
    assert text_of(card).startswith("### A painting\n")
    assert stage.discord.channel(card).data["name"] == "A painting"
    assert refused(stage.discord.world, stage.scene.channel.id) == [200000]


@pytest.mark.parametrize("code", [200000, 50035], ids=["AutoMod", "Server Discovery"])
async def test_a_name_that_is_blocked_for_threads_alone_is_left_away(stage: Stage, code: int) -> None:
    fault = await stage.discord.fault("POST /channels/*/messages/*/threads", times=1, status=400, code=code)
    card, manual_worker = await stage.manual_painting()
    assert stage.discord.channel(card).data["name"] == "A painting"
    assert await fault.hits() == 1
    await manual_worker.done()
    assert text_of(await stage.scene.ended(card)).startswith("### A painting\n")


async def test_where_even_the_neutral_name_is_refused_for_threads_the_member_is_told_so(stage: Stage) -> None:
    fault = await stage.discord.fault("POST /channels/*/messages/*/threads", status=400, code=50035)
    asked = await stage.scene.stylize()
    assert "Discord refused what I had to post here" in await stage.scene.private_reply(asked)
    await stage.cancelled(asked.id)
    assert await fault.hits() == 2  # with the names, and without
    await fault.remove()


async def test_where_every_word_is_blocked_the_member_is_told_privately(stage: Stage) -> None:
    await stage.scene.guild.block_words("iterations")
    asked = await stage.scene.stylize()
    assert await stage.scene.private_reply(asked) == AUTOMOD
    await stage.cancelled(asked.id)
    assert refused(stage.discord.world, stage.scene.channel.id) == [200000, 200000]  # with the names, and without


async def test_a_name_that_is_blocked_later_leaves_the_card(stage: Stage) -> None:
    card, manual_worker = await stage.manual_painting()
    await stage.scene.guild.block_words("harbour")
    for iteration in (5, 6):
        await manual_worker.progress(iteration)
        told = text_of(await stage.scene.ended(card, f"iteration {iteration} of"))
        assert told.startswith("### A painting\n")
    assert refused(stage.discord.world, stage.scene.channel.id) == [200000]


async def test_words_under_a_picture_that_are_blocked_stop_the_painting(stage: Stage) -> None:
    card, manual_worker = await stage.manual_painting()
    await stage.discord.fault(f"POST /channels/{card['id']}/messages", status=400, code=200000)
    await manual_worker.snapshot(10)
    await manual_worker.stopped(10)
    assert AUTOMOD in text_of(await stage.scene.ended(card, "**Stopped**"))
    assert refused(stage.discord.world, card["id"]) == [200000]


async def test_a_card_that_cannot_be_edited_any_more_leaves_its_painting_alone(stage: Stage) -> None:
    card, manual_worker = await stage.manual_painting()
    await stage.scene.guild.block_words("painting")  # which is on every card
    await manual_worker.progress(5)
    await stage.discord.until(lambda world: len(refused(world, card["id"])) == 2)  # with the names, and without
    await manual_worker.snapshot(10)
    await stage.posted(card["id"], "00010.png")
