"""Who is told of a painting: who asked for it, once, at its end."""

from __future__ import annotations

import pytest
from discord_server.codes import MessageFlag
from discord_server.driver import Channel, Interaction
from discord_server.message_text import files_of
from scene import Json, pictures
from support.delivery import ManualWorker, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_who_asked_is_a_member_of_the_thread(stage: Stage) -> None:
    card = await stage.painting()
    assert stage.scene.ada.id in stage.discord.world.members(card["id"])


async def test_a_member_who_has_left_holds_up_nothing(stage: Stage) -> None:
    fault = await stage.discord.fault("PUT /channels/*/thread-members/*", status=404, code=10007)
    card, manual_worker = await stage.manual_painting()
    await manual_worker.snapshot(10)
    await stage.posted(card["id"], "00010.png")
    await fault.remove()


async def test_who_asks_in_a_thread_is_a_member_of_it_from_then_on(stage: Stage) -> None:
    bob = await stage.scene.guild.member("Bob")
    thread = await stage.scene.channel.thread("talk", bob)
    asked = await stage.scene.stylize(channel=thread)
    await stage.scene.private_reply(asked)
    assert stage.scene.ada.id in stage.discord.world.members(thread)


async def test_direct_messages_ring_once(stage: Stage) -> None:
    dm, _, manual_worker = await _begun_by_dm(stage)
    await manual_worker.snapshot(20)
    await manual_worker.done()
    await stage.posted(dm.id, "film.webp")
    assert _rang(stage, dm.id) == ["final.png"]
    assert len(pictures(stage.discord.world, dm)) == 6


async def test_a_stopped_painting_rings_with_what_there_is(stage: Stage) -> None:
    dm, asked, manual_worker = await _begun_by_dm(stage)
    await stage.posted(dm.id, "00010.png")
    await stage.scene.ada.press(await stage.scene.card(asked, dm), "Cancel")
    await manual_worker.stopped(12)
    await stage.posted(dm.id, "stopped.png")
    assert _rang(stage, dm.id) == ["stopped.png"]


async def test_in_a_thread_too_the_painting_alone_notifies(stage: Stage) -> None:
    card, manual_worker = await stage.manual_painting(mention=True)
    await manual_worker.snapshot(10)
    await manual_worker.done()
    await stage.posted(card["id"], "film.webp")
    loud = [
        one for one in stage.discord.world.messages(card["id"]) if not one["flags"] & MessageFlag.SUPPRESS_NOTIFICATIONS
    ]
    assert [_ends(one) for one in loud] == ["final.png"]
    pings = [ping["users"] for ping in stage.discord.world.pings if ping["channel"] == card["id"]]
    assert pings == [[stage.scene.ada.id]]


async def _begun_by_dm(stage: Stage) -> tuple[Channel, Interaction, ManualWorker]:
    """A painting in direct messages, with its first snapshot, and the worker by hand that it waits for."""
    dm = stage.discord.channel(await stage.scene.ada.dm())
    asked = await stage.scene.stylize(channel=dm)
    await stage.scene.private_reply(asked)
    manual_worker = await stage.manual_worker(asked.id)
    await manual_worker.snapshot(10)
    return dm, asked, manual_worker


def _rang(stage: Stage, channel: str) -> list[str]:
    """What rang in a private channel, by the ends of the names of its files."""
    rings = {ring["message"] for ring in stage.discord.world.rings if ring["channel"] == channel}
    return [_ends(one) for one in stage.discord.world.messages(channel) if one["id"] in rings]


def _ends(message: Json) -> str:
    return " ".join(name.split("-", 2)[2] for name in files_of(message))
