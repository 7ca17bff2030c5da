"""Whom the bot's words reach: rights that come with others, members of threads, telephones that ring."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from discord_server.driver import Discord, Impossible, Person
from discord_server.places import Channel, Guild
from discord_server.tests.raw import Json, Raw
from discord_server.tests.small_bot import png

SILENT = 1 << 12
NOBODY: Json = {"parse": []}
COMMANDS = [{"name": "go", "description": "Goes"}]


@pytest.fixture
async def discord() -> AsyncIterator[Discord]:
    async with Discord.start(scale=100, inside=True) as discord:
        await Raw(discord)("PUT", f"/applications/{discord.application_id}/commands", COMMANDS)
        yield discord
        assert discord.world.violations == []


async def test_who_may_not_write_may_not_attach_though_the_bits_say_so(
    discord: Discord, guild: Guild, channel: Channel
) -> None:
    raw, path = Raw(discord), f"/channels/{channel.id}/messages"
    sent = (await raw("POST", path, {"content": "a"})).body
    await channel.deny("send_messages")
    assert (await raw("PATCH", f"{path}/{sent['id']}", {"content": "b"})).status == 200
    refused = await raw("PATCH", f"{path}/{sent['id']}", {"content": "c"}, {"a.png": png()})
    assert (refused.status, refused.code) == (403, 50013)
    asked = await (await guild.member("Ada")).slash(channel, "go")
    bits = int(asked.payload["app_permissions"])
    assert (bits >> 11 & 1, bits >> 15 & 1) == (0, 1)


async def test_in_a_thread_another_right_counts(discord: Discord, guild: Guild, channel: Channel) -> None:
    ada = await guild.member("Ada")
    thread = await channel.thread("t", ada)
    await channel.deny("send_messages")
    raw, path = Raw(discord), f"/channels/{thread.id}/messages"
    sent = await raw("POST", path, {"content": "a"}, {"a.png": png()})
    assert sent.status == 200
    await channel.deny("send_messages_in_threads")
    body: Json = {"attachments": []}
    assert (await raw("PATCH", f"{path}/{sent.body['id']}", body, {"b.png": png()})).code == 50013


async def test_a_person_who_may_not_attach_posts_no_file(guild: Guild, channel: Channel) -> None:
    ada = await guild.member("Ada")
    await channel.deny("attach_files", to=ada)
    await ada.post(channel, "words")
    with pytest.raises(Impossible, match="may not write or attach files there"):
        await ada.post(channel, "a picture", files=[("a.png", png())])


async def test_who_writes_is_mentioned_or_added_is_a_member_of_the_thread(
    discord: Discord, guild: Guild, channel: Channel
) -> None:
    ada, bob, cy, dan = [await guild.member(name) for name in ("Ada", "Bob", "Cy", "Dan")]
    thread = await channel.thread("t", ada)
    raw, path = Raw(discord), f"/channels/{thread.id}"
    await bob.post(thread, "hello")
    await raw("POST", f"{path}/messages", {"content": f"{cy.mention}"})
    await raw("POST", f"{path}/messages", {"content": f"{dan.mention}", "allowed_mentions": NOBODY})
    assert discord.world.members(thread) == [ada.id, bob.id, discord.bot_id, cy.id]
    assert (await raw("PUT", f"{path}/thread-members/{dan.id}")).status == 204
    assert (await raw("PUT", f"{path}/thread-members/{dan.id}")).status == 204
    assert discord.world.members(thread)[4:] == [dan.id]
    assert discord.world.channel(thread)["member_count"] == 5
    stranger = await discord.user("Zoe")
    assert (await raw("PUT", f"{path}/thread-members/{stranger.id}")).code == 10007


async def test_direct_messages_ring_unless_they_are_silent(discord: Discord, guild: Guild, channel: Channel) -> None:
    ada, raw = await guild.member("Ada"), Raw(discord)
    private = await ada.dm()
    loud = (await raw("POST", f"/channels/{private}/messages", {"content": "a", "allowed_mentions": NOBODY})).body
    await raw("POST", f"/channels/{private}/messages", {"content": "b", "flags": SILENT})
    await raw("POST", f"/channels/{channel.id}/messages", {"content": "c"})
    await ada.post(private, "mine")
    assert discord.world.rings == [{"message": loud["id"], "channel": private, "user": ada.id}]


async def test_words_that_may_ping_anybody_are_listed(discord: Discord, channel: Channel) -> None:
    raw, path = Raw(discord), f"/channels/{channel.id}/messages"
    guarded: Json = {"allowed_mentions": NOBODY}
    kept = (await raw("POST", path, {"content": "a", **guarded})).body
    assert discord.world.unguarded == []
    loose = (await raw("POST", path, {"content": "b"})).body
    await raw("PATCH", f"{path}/{loose['id']}", {"content": "c", **guarded})
    await raw("PATCH", f"{path}/{kept['id']}", {"content": "d"})
    await raw("PATCH", f"{path}/{kept['id']}", {"embeds": []})
    assert discord.world.unguarded == [{"message": loose["id"]}, {"message": kept["id"]}]


async def test_an_age_restricted_channel_says_so(guild: Guild) -> None:
    restricted, open_to_all = await guild.channel("late", nsfw=True), await guild.channel("paintings")
    ada: Person = await guild.member("Ada")
    told = [(await ada.slash(one, "go")).payload["channel"]["nsfw"] for one in (restricted, open_to_all)]
    assert told == [True, False]
