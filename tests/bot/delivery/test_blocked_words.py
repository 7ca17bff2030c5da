"""AutoMod refuses what the bot writes: the pictures' names are left away, or the painting stops with a sentence."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from conftest import House
from discord_server.reading import text_of
from trouble_kit import Stage, refused, stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

AUTOMOD = "The server's AutoMod blocks what I post here: rename your pictures, or ask a moderator to exempt me."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house_stage(house: House, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with stage(house, tmp_path_factory.mktemp("words")) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def on(house_stage: Stage) -> AsyncIterator[Stage]:
    """A server, a channel and a member of the test's own."""
    await house_stage.scene.open()
    yield house_stage
    await house_stage.clear()
    assert house_stage.discord.world.violations == []


async def test_a_blocked_name_of_a_picture_is_left_away(on: Stage) -> None:
    await on.scene.guild.block_words("harbour")
    card, _ = await on.easel()
    assert text_of(card).startswith("### A painting\n")
    assert on.discord.channel(card).data["name"] == "A painting"
    assert refused(on.discord.world, on.scene.channel.id) == [200000]


async def test_a_name_that_is_blocked_for_threads_alone_is_left_away(on: Stage) -> None:
    fault = await on.discord.fault("POST /channels/*/messages/*/threads", times=1, status=400, code=200000)
    card, brush = await on.easel()
    assert on.discord.channel(card).data["name"] == "A painting"
    assert await fault.hits() == 1
    await brush.done()
    assert text_of(await on.scene.ended(card)).startswith("### A painting\n")


async def test_where_every_word_is_blocked_the_member_is_told_privately(on: Stage) -> None:
    await on.scene.guild.block_words("iterations")
    asked = await on.scene.stylize()
    assert await on.scene.whispered(asked) == AUTOMOD
    await on.cancelled(asked.id)
    assert refused(on.discord.world, on.scene.channel.id) == [200000, 200000]  # with the names, and without


async def test_a_name_that_is_blocked_later_leaves_the_card(on: Stage) -> None:
    card, brush = await on.easel()
    await on.scene.guild.block_words("harbour")
    for iteration in (5, 6):
        await brush.progress(iteration)
        told = text_of(await on.scene.ended(card, f"iteration {iteration} of"))
        assert told.startswith("### A painting\n")
    assert refused(on.discord.world, on.scene.channel.id) == [200000]


async def test_words_under_a_picture_that_are_blocked_stop_the_painting(on: Stage) -> None:
    card, brush = await on.easel()
    await on.discord.fault(f"POST /channels/{card['id']}/messages", status=400, code=200000)
    await brush.snapshot(10)
    await brush.stopped(10)
    assert AUTOMOD in text_of(await on.scene.ended(card, "**Stopped**"))
    assert refused(on.discord.world, card["id"]) == [200000]


async def test_a_card_that_cannot_be_edited_any_more_leaves_its_painting_alone(on: Stage) -> None:
    card, brush = await on.easel()
    await on.scene.guild.block_words("painting")  # which is on every card
    await brush.progress(5)
    await on.discord.until(lambda world: len(refused(world, card["id"])) == 2)  # with the names, and without
    await brush.snapshot(10)
    await on.posted(card["id"], "00010.png")
