"""Channels, threads and rights: what the bot may do where."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from discord_server.driver import Discord
from discord_server.places import Channel, Guild
from discord_server.tests.raw import Answer, Json, Raw
from discord_server.tests.small_bot import png

FILES = {"a.png": png()}


@pytest.fixture
async def discord() -> AsyncIterator[Discord]:
    async with Discord.start(scale=100, inside=True) as discord:
        yield discord


async def send(discord: Discord, channel: Channel, **more: object) -> Answer:
    return await Raw(discord)("POST", f"/channels/{channel.id}/messages", {"content": "a", **more})


async def open_thread(discord: Discord, channel: Channel, name: str = "t") -> Channel:
    sent = (await send(discord, channel)).body
    await Raw(discord)("POST", f"/channels/{channel.id}/messages/{sent['id']}/threads", {"name": name})
    return discord.channel(sent)


async def test_the_token(discord: Discord) -> None:
    raw = Raw(discord)
    raw._token = "wrong"
    answer = await raw("GET", "/users/@me")
    assert (answer.status, answer.code) == (401, 0)


async def test_an_unknown_route_is_a_violation(discord: Discord) -> None:
    assert (await Raw(discord)("GET", "/guilds/1/stickers")).status == 404
    violations = discord.world.violations
    assert "GET /guilds/1/stickers" in violations[0]["what"]


@pytest.mark.parametrize(
    ("denied", "code"),
    [("view_channel", 50001), ("send_messages", 50013), ("attach_files", 50013), ("embed_links", 50013)],
)
async def test_sending_needs(discord: Discord, channel: Channel, denied: str, code: int) -> None:
    raw, path = Raw(discord), f"/channels/{channel.id}/messages"
    body = {"content": "a", "embeds": [{"title": "a"}]}
    assert (await raw("POST", path, body, FILES)).status == 200
    await channel.deny(denied)
    refused = await raw("POST", path, body, FILES)
    assert (refused.status, refused.code) == (403, code)
    await channel.allow(denied)
    assert (await raw("POST", path, body, FILES)).status == 200
    assert discord.world.violations == []
    assert discord.world.counts["invalid_requests"] == 1


async def test_overwrites_go_from_everyone_to_the_member(discord: Discord, channel: Channel) -> None:
    await channel.deny("send_messages", to="everyone")
    assert (await send(discord, channel)).code == 50013
    await channel.allow("send_messages")
    assert (await send(discord, channel)).status == 200


async def test_without_the_history_it_is_empty(discord: Discord, channel: Channel) -> None:
    sent = (await send(discord, channel)).body
    await channel.deny("read_message_history")
    raw, path = Raw(discord), f"/channels/{channel.id}/messages"
    assert (await raw("GET", path)).body == []
    assert (await raw("GET", f"{path}/{sent['id']}")).code == 50013
    assert (await raw("POST", f"{path}/{sent['id']}/threads", {"name": "t"})).code == 50013


async def test_a_thread_bears_its_messages_id(discord: Discord, channel: Channel) -> None:
    raw, sent = Raw(discord), (await send(discord, channel)).body
    path = f"/channels/{channel.id}/messages/{sent['id']}/threads"
    made = await raw("POST", path, {"name": "t", "auto_archive_duration": 60})
    assert (made.status, made.body["id"], made.body["type"]) == (201, sent["id"], 11)
    again = await raw("POST", path, {"name": "t"})
    assert (again.status, again.code) == (400, 160004)
    inside = (await send(discord, discord.channel(made.body))).body
    nested = await raw("POST", f"/channels/{made.body['id']}/messages/{inside['id']}/threads", {"name": "t"})
    assert nested.code == 50024
    assert discord.world.violations == []


@pytest.mark.parametrize("body", [{"name": ""}, {"name": "x" * 101}, {"name": "t", "auto_archive_duration": 90}])
async def test_a_thread_that_is_refused(discord: Discord, channel: Channel, body: Json) -> None:
    sent = (await send(discord, channel)).body
    answer = await Raw(discord)("POST", f"/channels/{channel.id}/messages/{sent['id']}/threads", body)
    assert answer.code == 50035


async def test_threads_need_their_own_rights(discord: Discord, channel: Channel) -> None:
    thread = await open_thread(discord, channel)
    await channel.deny("send_messages")
    assert (await send(discord, thread)).status == 200
    await channel.deny("send_messages_in_threads")
    assert (await send(discord, thread)).code == 50013
    await channel.allow("send_messages")
    await channel.deny("create_public_threads")
    sent = (await send(discord, channel)).body
    refused = await Raw(discord)("POST", f"/channels/{channel.id}/messages/{sent['id']}/threads", {"name": "t"})
    assert refused.code == 50013


async def test_no_threads_in_dms_and_elsewhere(discord: Discord, guild: Guild) -> None:
    raw = Raw(discord)
    ada = await guild.member("Ada")
    dm = (await raw("POST", "/users/@me/channels", {"recipient_id": ada.id})).body
    said = (await raw("POST", f"/channels/{dm['id']}/messages", {"content": "a"})).body
    assert (await raw("POST", f"/channels/{dm['id']}/messages/{said['id']}/threads", {"name": "t"})).code == 50024
    voice = await guild.channel("talk", kind="voice")
    sent = (await send(discord, voice)).body
    assert (await raw("POST", f"/channels/{voice.id}/messages/{sent['id']}/threads", {"name": "t"})).code == 50024
    news = await guild.channel("news", kind="announcement")
    assert (await open_thread(discord, news)).data["type"] == 10


async def test_a_thread_without_a_message_is_private_by_default(discord: Discord, channel: Channel) -> None:
    raw, path = Raw(discord), f"/channels/{channel.id}/threads"
    assert (await raw("POST", path, {"name": "t"})).body["type"] == 12
    assert (await raw("POST", path, {"name": "t", "type": 11})).body["type"] == 11


async def test_a_forum_takes_posts_only(discord: Discord, guild: Guild) -> None:
    forum = await guild.channel("ideas", kind="forum")
    raw = Raw(discord)
    assert (await send(discord, forum)).code == 50008
    post = await raw("POST", f"/channels/{forum.id}/threads", {"name": "t", "message": {"content": "a"}})
    assert post.body["message"]["id"] == post.body["id"]
    assert [one["content"] for one in discord.world.messages(post.body)] == ["a"]


async def test_an_archived_thread(discord: Discord, channel: Channel) -> None:
    raw, thread = Raw(discord), await open_thread(discord, channel)
    sent = (await send(discord, thread)).body
    await thread.archive()
    path = f"/channels/{thread.id}/messages/{sent['id']}"
    refused = await raw("PATCH", path, {"content": "b"})
    assert (refused.status, refused.code) == (400, 50083)
    assert (await send(discord, thread)).status == 200
    assert not thread.data["thread_metadata"]["archived"]
    assert (await raw("PATCH", path, {"content": "b"})).status == 200


async def test_a_locked_thread(discord: Discord, guild: Guild, channel: Channel) -> None:
    thread = await open_thread(discord, channel)
    await thread.lock()
    assert (await send(discord, thread)).code == 50083
    await thread.unarchive()
    await thread.lock(archive=False)
    assert (await send(discord, thread)).code == 160005
    await guild.bot_permissions({"manage_threads"})
    assert (await send(discord, thread)).status == 200


async def test_what_is_gone_is_unknown(discord: Discord, channel: Channel) -> None:
    raw, thread = Raw(discord), await open_thread(discord, channel)
    sent = (await send(discord, channel)).body
    await channel.delete_message(sent)
    assert (await raw("PATCH", f"/channels/{channel.id}/messages/{sent['id']}", {"content": "b"})).code == 10008
    await thread.delete()
    assert (await send(discord, thread)).code == 10003
    await channel.delete()
    gone = await send(discord, channel)
    assert (gone.status, gone.code) == (404, 10003)


async def test_the_bot_archives_its_own_thread_only(discord: Discord, channel: Channel) -> None:
    raw, thread = Raw(discord), await open_thread(discord, channel)
    assert (await raw("PATCH", f"/channels/{thread.id}", {"archived": True})).body["thread_metadata"]["archived"]
    assert (await raw("PATCH", f"/channels/{thread.id}", {"name": "n"})).code == 50083
    assert (await raw("PATCH", f"/channels/{thread.id}", {"archived": False, "locked": True})).code == 50013
    assert (await raw("DELETE", f"/channels/{thread.id}")).code == 50013
    assert (await raw("PATCH", f"/channels/{channel.id}", {"name": "n"})).code == 50013


async def test_out_of_the_guild(discord: Discord, guild: Guild, channel: Channel) -> None:
    await guild.kick_bot()
    assert (await send(discord, channel)).code == 50001
    assert (await Raw(discord)("GET", f"/guilds/{guild.id}")).code == 50001
    await guild.invite_bot()
    assert (await send(discord, channel)).status == 200


async def test_direct_messages(discord: Discord, guild: Guild) -> None:
    raw, ada, zoe = Raw(discord), await guild.member("Ada"), await discord.user("Zoe")

    async def write_to(number: str) -> Answer:
        dm = (await raw("POST", "/users/@me/channels", {"recipient_id": number})).body
        return await raw("POST", f"/channels/{dm['id']}/messages", {"content": "a"})

    assert (await write_to(ada.id)).status == 200
    await ada.dms(False)
    closed = await write_to(ada.id)
    assert (closed.status, closed.code) == (403, 50007)
    assert (await write_to(zoe.id)).code == 50007
    await zoe.install()
    assert (await write_to(zoe.id)).status == 200


async def test_an_idle_thread_archives_itself(discord: Discord, channel: Channel) -> None:
    raw, sent = Raw(discord), (await send(discord, channel)).body
    path = f"/channels/{channel.id}/messages/{sent['id']}/threads"
    thread = discord.channel((await raw("POST", path, {"name": "t", "auto_archive_duration": 60})).body)
    await discord.turn_clock(3000)
    await send(discord, thread)
    await discord.turn_clock(3000)
    assert not thread.data["thread_metadata"]["archived"]
    await discord.turn_clock(601)
    assert thread.data["thread_metadata"]["archived"]


async def test_a_private_thread_of_others_is_not_there(discord: Discord, guild: Guild, channel: Channel) -> None:
    thread = await channel.thread("secret", await guild.member("Ada"), private=True)
    assert (await send(discord, thread)).code == 50001


async def test_the_smaller_routes(discord: Discord, guild: Guild, channel: Channel) -> None:
    raw, thread = Raw(discord), await open_thread(discord, channel)
    ada = await guild.member("Ada")
    for method, path, status in [
        ("POST", f"/channels/{channel.id}/typing", 204),
        ("GET", f"/channels/{thread.id}", 200),
        ("PUT", f"/channels/{thread.id}/thread-members/@me", 204),
        ("PUT", f"/channels/{thread.id}/thread-members/{ada.id}", 204),
        ("DELETE", f"/channels/{thread.id}/thread-members/@me", 204),
        ("GET", f"/channels/{channel.id}/threads/archived/public", 200),
        ("GET", f"/guilds/{guild.id}", 200),
        ("GET", f"/guilds/{guild.id}/channels", 200),
        ("GET", f"/guilds/{guild.id}/roles", 200),
        ("GET", f"/guilds/{guild.id}/threads/active", 200),
        ("GET", f"/guilds/{guild.id}/members/@me", 200),
        ("GET", f"/guilds/{guild.id}/members/{ada.id}", 200),
        ("GET", "/users/@me", 200),
        ("GET", f"/users/{ada.id}", 200),
        ("GET", "/users/1", 404),
        ("GET", "/applications/@me", 200),
        ("GET", "/gateway", 200),
        ("GET", "/gateway/bot", 200),
        ("GET", "/channels/paintings", 400),
    ]:
        assert (await raw(method, path)).status == status, path
    assert [one["request"] for one in discord.world.violations] == ["GET /channels/paintings"]
    assert thread.data["member_count"] == 1


async def test_a_threads_history_begins_with_what_it_was_made_from(discord: Discord, channel: Channel) -> None:
    raw, thread = Raw(discord), await open_thread(discord, channel)
    sent = (await send(discord, thread)).body
    path = f"/channels/{thread.id}/messages"
    last, first = (await raw("GET", path)).body
    assert last["id"] == sent["id"]
    assert (first["type"], first["content"], first["referenced_message"]["id"]) == (21, "", thread.id)
    assert (await raw("GET", f"{path}/{first['id']}")).body["id"] == first["id"]
    assert [one["id"] for one in discord.world.messages(thread)] == [sent["id"]]
