"""An owner's press from elsewhere: what comes of it goes home, for as long as they have access there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from discord_server.calls import Call, Reply, route
from discord_server.driver import Channel, Discord, Guild, Interaction, Person
from discord_server.message_text import buttons_of, text_of
from discord_server.refusals import Refusal
from discord_server.render import channel_json
from redis import Redis
from scene import Scene, card_of
from support.workers import WorkerPool

pytestmark = pytest.mark.asyncio(loop_scope="module")

Json = dict[str, Any]
COMES_BY_DM = "I am no member here: the painting comes by direct message."


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
    """Whether it does, and then the member is told so."""
    press = await ann.press(shown, "Again")
    told = await _told(stage, press)
    card = card_of(stage.discord.world, there, press.id)
    if card is None:
        return False
    threads = [thread["id"] for thread in stage.discord.world.threads(there)]
    place = card["id"] if card["id"] in threads else there.id
    by_dm = ", our direct messages" if shown["channel_id"] != there.id == await ann.dm() else ""
    assert told == f"Accepted: watch it {'below' if place == shown['channel_id'] else f'in <#{place}>'}{by_dm}."
    return True


async def _told(stage: Scene, press: Interaction) -> str:
    """That it was accepted; not what is told before, where it comes by direct message."""
    await press.shown()
    told: str = await stage.discord.until(lambda _: _said(press))
    assert told.startswith("Accepted: ")
    return told


def _said(press: Interaction) -> str | None:
    said = text_of(press.original) if press.original else ""
    return None if said == COMES_BY_DM else said


async def _asked(stage: Scene, ann: Person, shown: Json) -> set[str]:
    """What Discord was asked for by a press on **Again**, beside what goes to the interaction and to the new card."""
    before = len(stage.discord.world.requests)
    await _told(stage, await ann.press(shown, "Again"))
    asked = {f"{one['method']} {one['path']}" for one in stage.discord.world.requests[before:]}
    return {one for one in asked if one.startswith("GET /guilds/") or one.startswith("GET /channels/")}


def _choose(stage: Scene, guild: Guild, **choices: list[int]) -> None:
    """As its moderators do."""
    with Redis.from_url(stage.pool.url) as redis:
        redis.hset(f"impasto:guild:{guild.id}", "choices", json.dumps(choices))


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


@pytest.mark.parametrize("place", ["another server", "direct messages"])
async def test_the_rules_of_its_home_hold_for_it(stage: Scene, guild: Guild, place: str) -> None:
    ann, home = await guild.member("Ann"), await guild.channel("home")
    elsewhere = stage.discord.channel(await ann.dm())
    if place == "another server":
        other = await stage.discord.guild("Other")
        await other.add(ann)
        elsewhere = await other.channel("elsewhere")
    shown = await _shown(stage, ann, home, elsewhere)
    painters, guests = await guild.role("Painters", of=ann), await guild.role("Guests")
    gallery = await guild.channel("gallery")
    _choose(stage, guild, roles=[int(painters)], channels=[int(home.id)])
    assert await _goes_to(stage, ann, shown, home)
    before = [message["id"] for message in stage.discord.world.messages(home)]  # the card there is edited still
    for choices, told in (
        ({"roles": [int(guests)]}, f"Only members with <@&{guests}> may paint here: ask a moderator for it."),
        ({"channels": [int(gallery.id)]}, f"In this server I paint only in <#{gallery.id}>: ask there."),
    ):
        _choose(stage, guild, **choices)
        assert await stage.private_reply(await ann.press(shown, "Again")) == told
    assert [message["id"] for message in stage.discord.world.messages(home)] == before


@pytest.mark.parametrize("archived", [False, True])
async def test_what_holds_for_a_channel_holds_for_its_threads(stage: Scene, guild: Guild, archived: bool) -> None:
    ann, home, gallery = await guild.member("Ann"), await guild.channel("home"), await guild.channel("gallery")
    thread = await home.thread("about it", ann)
    shown = await _shown(stage, ann, thread, stage.discord.channel(await ann.dm()))
    if archived:
        await thread.archive()
    _choose(stage, guild, channels=[int(home.id)])
    assert await _goes_to(stage, ann, shown, thread)
    if archived:
        await thread.archive()
    _choose(stage, guild, channels=[int(gallery.id)])
    told = await stage.private_reply(await ann.press(shown, "Again"))
    assert told == f"In this server I paint only in <#{gallery.id}>: ask there."


@pytest.mark.parametrize(
    "since", ["timed out", "mute", "without files", "the bot is mute", "mute in threads", "locked", "locked, archived"]
)
async def test_it_goes_where_its_owner_and_the_bot_may_post(stage: Scene, guild: Guild, since: str) -> None:
    ann, home = await guild.member("Ann"), await guild.channel("home")
    dm = stage.discord.channel(await ann.dm())
    place = await home.thread("about it", ann) if "thread" in since or "locked" in since else home
    shown = await _shown(stage, ann, place, dm)
    match since:
        case "timed out":
            await guild.time_out(ann)
        case "mute":
            await home.deny("send_messages", to=ann)
        case "without files":
            await home.deny("attach_files", to=ann)
        case "the bot is mute":
            await home.deny("send_messages")
        case "mute in threads":
            await home.deny("send_messages_in_threads", to=ann)
        case _:
            await place.lock(archive=since == "locked, archived")
    assert await _goes_to(stage, ann, shown, dm)


async def test_who_may_only_write_in_threads_goes_home_to_one(stage: Scene, guild: Guild) -> None:
    ann, home = await guild.member("Ann"), await guild.channel("home")
    thread = await home.thread("about it", ann)
    shown = await _shown(stage, ann, thread, stage.discord.channel(await ann.dm()))
    await home.deny("send_messages", "create_public_threads", to=ann)
    await home.deny("send_messages", "create_public_threads")
    assert await _goes_to(stage, ann, shown, thread)


async def test_discord_is_asked_for_no_more_than_the_gateway_leaves_open(stage: Scene, guild: Guild) -> None:
    ann, home, near = await guild.member("Ann"), await guild.channel("home"), await guild.channel("near")
    dm, thread = stage.discord.channel(await ann.dm()), await near.thread("between us", ann, private=True)
    inside, denied = await _shown(stage, ann, thread, near), await _shown(stage, ann, home, near)
    left = await _shown(stage, ann, home, dm)
    assert await _asked(stage, ann, inside) == {f"GET /channels/{thread.id}/thread-members/{ann.id}"}
    await home.deny("view_channel", to=ann)
    assert await _asked(stage, ann, denied) == set()
    await stage.guild.add(ann)  # or the bot could not write to her
    await guild.kick_bot()
    assert await _asked(stage, ann, left) == set()


async def test_where_home_is_is_told_after_a_restart_too(stage: Scene, guild: Guild) -> None:
    ann, public = await guild.member("Ann"), await guild.channel("public")
    thread = await public.thread("about it", ann)
    shown = await _shown(stage, ann, thread, public)
    deaf = await stage.discord.fault("PATCH /webhooks/**", status=503)
    press = await ann.press(shown, "Again")
    await stage.card(press, thread)
    stage.bots[-1].kill()
    await deaf.remove()
    await stage.start_bot()
    assert await stage.private_reply(press) == f"Accepted: watch it in <#{thread.id}>."
