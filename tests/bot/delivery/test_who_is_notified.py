"""Who is told of a painting: who asked for it, once, at its end."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from conftest import House
from discord_server.reading import files_of
from scene import Json, pictures
from trouble_kit import Stage, stage

pytestmark = pytest.mark.asyncio(loop_scope="module")
SILENT = 1 << 12


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house_stage(house: House, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with stage(house, tmp_path_factory.mktemp("told")) as made:
        yield made
        assert made.discord.world.violations == []


@pytest_asyncio.fixture(loop_scope="module")
async def on(house_stage: Stage) -> AsyncIterator[Stage]:
    """A server, a channel and a member of the test's own."""
    await house_stage.scene.open()
    yield house_stage
    await house_stage.clear()


async def test_who_asked_is_a_member_of_the_thread(on: Stage) -> None:
    card = await on.painting()
    assert on.scene.ada.id in on.discord.world.members(card["id"])


async def test_a_member_who_has_left_holds_up_nothing(on: Stage) -> None:
    fault = await on.discord.fault("PUT /channels/*/thread-members/*", status=404, code=10007)
    card, brush = await on.easel()
    await brush.snapshot(10)
    await on.posted(card["id"], "00010.png")
    await fault.remove()


async def test_who_asks_in_a_thread_is_a_member_of_it_from_then_on(on: Stage) -> None:
    bob = await on.scene.guild.member("Bob")
    thread = await on.scene.channel.thread("talk", bob)
    asked = await on.scene.stylize(channel=thread)
    await on.scene.whispered(asked)
    assert on.scene.ada.id in on.discord.world.members(thread)


async def test_direct_messages_ring_once(on: Stage) -> None:
    dm = on.discord.channel(await on.scene.ada.dm())
    asked = await on.scene.stylize(channel=dm)
    await on.scene.whispered(asked)
    brush = await on.brush(asked.id)
    await brush.snapshot(10)
    await brush.snapshot(20)
    await brush.done()
    await on.posted(dm.id, "film.webp")
    assert _rang(on, dm.id) == ["final.png"]
    assert len(pictures(on.discord.world, dm)) == 6


async def test_a_stopped_painting_rings_with_what_there_is(on: Stage) -> None:
    dm = on.discord.channel(await on.scene.ada.dm())
    asked = await on.scene.stylize(channel=dm)
    await on.scene.whispered(asked)
    brush = await on.brush(asked.id)
    await brush.snapshot(10)
    await on.posted(dm.id, "00010.png")
    await on.scene.ada.press(await on.scene.card(asked, dm), "Cancel")
    await brush.stopped(12)
    await on.posted(dm.id, "stopped.png")
    assert _rang(on, dm.id) == ["stopped.png"]


async def test_in_a_thread_too_the_painting_alone_notifies(on: Stage) -> None:
    card, brush = await on.easel(mention=True)
    await brush.snapshot(10)
    await brush.done()
    await on.posted(card["id"], "film.webp")
    loud = [one for one in on.discord.world.messages(card["id"]) if not one["flags"] & SILENT]
    assert [_ends(one) for one in loud] == ["final.png"]
    assert [ping["users"] for ping in on.discord.world.pings if ping["channel"] == card["id"]] == [[on.scene.ada.id]]


def _rang(on: Stage, channel: str) -> list[str]:
    """What rang in a private channel, by the ends of the names of its files."""
    rings = {ring["message"] for ring in on.discord.world.rings if ring["channel"] == channel}
    return [_ends(one) for one in on.discord.world.messages(channel) if one["id"] in rings]


def _ends(message: Json) -> str:
    return " ".join(name.split("-", 2)[2] for name in files_of(message))
