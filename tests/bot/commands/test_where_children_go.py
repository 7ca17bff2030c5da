"""An owner's press from elsewhere: what comes of it goes home, for as long as they have access there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from discord_server.calls import Call, Reply, route
from discord_server.driver import Channel, Discord, Guild, Person
from discord_server.message_text import buttons_of, text_of
from discord_server.refusals import Refusal
from discord_server.render import channel_json
from scene import Scene, card_of
from support.workers import WorkerPool

pytestmark = pytest.mark.asyncio(loop_scope="module")

Json = dict[str, Any]


@route("GET", "/channels/{channel_id}/thread-members/{user_id}")
def thread_member(call: Call) -> Reply:
    """The stand-in answers the bot alone who is in a thread; inside of this process it learns to."""
    thread, user = call.world.channels[call.id("channel_id")], call.id("user_id")
    if thread.thread is None or user not in thread.thread.member_ids:
        raise Refusal(10007)
    joined = channel_json(call.world, thread)["thread_metadata"]["archive_timestamp"]
    return 200, {"id": str(thread.id), "user_id": str(user), "join_timestamp": joined, "flags": 0}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """Without a worker: what is asked for stays in the queue."""
    async with Discord.start(20, inside=True) as discord:
        made = Scene(discord, pool, tmp_path_factory.mktemp("children"))
        await made.open()
        try:
            await made.start_bot()
            yield made
            await asyncio.to_thread(made.bots[-1].end)
        finally:
            made.close()
        assert discord.world.violations == []


@pytest_asyncio.fixture(loop_scope="module")
async def guild(stage: Scene) -> Guild:
    return await stage.discord.guild("Court", bot_permissions=["manage_threads"])


async def _shown(stage: Scene, ann: Person, home: Channel, elsewhere: Channel) -> Json:
    """A painting's card, as its owner has brought it elsewhere."""
    asked = await stage.stylize(ann, home)
    await stage.private_reply(asked)
    card = await stage.card(asked, home)
    job = str(buttons_of(card)[0]["custom_id"]).rpartition(":")[2]
    return await (await ann.slash(elsewhere, "show", job=job)).shown()


async def _goes_to(stage: Scene, ann: Person, shown: Json, there: Channel) -> bool:
    press = await ann.press(shown, "Again")
    await press.shown()
    await stage.discord.until(lambda _: press.original and text_of(press.original).startswith("Accepted: "))
    return card_of(stage.discord.world, there, press.id) is not None


@pytest.mark.parametrize("place", ["another server", "direct messages", "a group chat"])
async def test_out_of_another_place_it_goes_home(stage: Scene, guild: Guild, place: str) -> None:
    ann, home = await guild.member("Ann"), await guild.channel("home")
    if place == "another server":
        other = await stage.discord.guild("Other")
        await other.add(ann)
        elsewhere = await other.channel("elsewhere")
    elif place == "direct messages":
        elsewhere = stage.discord.channel(await ann.dm())
    else:
        await ann.install()
        elsewhere = await stage.discord.group("Friends", ann, stage.ada)
    shown = await _shown(stage, ann, home, elsewhere)
    assert await _goes_to(stage, ann, shown, home)
    await home.deny("view_channel", to=ann)
    assert not await _goes_to(stage, ann, shown, home)


@pytest.mark.parametrize("archived", [False, True])
async def test_what_was_asked_for_in_a_private_thread_stays_in_it(stage: Scene, guild: Guild, archived: bool) -> None:
    ann, public = await guild.member("Ann"), await guild.channel("public")
    thread = await public.thread("between us", ann, private=True)
    shown = await _shown(stage, ann, thread, public)
    if archived:
        await thread.archive()
    assert await _goes_to(stage, ann, shown, thread)
    # Who was removed from it reaches into it no longer.
    await stage.discord.fault("GET /channels/*/thread-members/*", status=404, code=10007, times=1)
    assert await _goes_to(stage, ann, shown, public)
