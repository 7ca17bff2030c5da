"""The gateway: who may come in, what they hear, and how they come back."""

from __future__ import annotations

import json
import zlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp
import pytest

from discord_server.driver import Discord
from discord_server.tests.raw import Json, Raw

GUILDS, MEMBERS, GUILD_MESSAGES, CONTENT = 1, 2, 1 << 9, 1 << 15


class Client:
    """One web socket; the events it got, in order."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def send(self, op: int, data: Any) -> None:
        await self.socket.send_json({"op": op, "d": data})

    async def next(self) -> Json:
        message: Json = await self.socket.receive_json(timeout=5)
        return message

    async def event(self, name: str) -> Json:
        """The next of that name; what comes before it is passed over."""
        while True:
            message = await self.next()
            if message.get("t") == name:
                return message

    async def close_code(self) -> int | None:
        async for _ in self.socket:
            pass
        return self.socket.close_code


@asynccontextmanager
async def connected(discord: Discord) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as session, session.ws_connect(discord.gateway_url) as socket:
        client = Client(socket)
        assert (await client.next())["op"] == 10
        yield client


@asynccontextmanager
async def identified(discord: Discord, intents: int = GUILDS, **more: Any) -> AsyncIterator[tuple[Client, Json]]:
    async with connected(discord) as client:
        await client.send(2, {"token": discord.token, "intents": intents, "properties": {}, **more})
        yield client, (await client.event("READY"))["d"]


@pytest.fixture
async def discord() -> AsyncIterator[Discord]:
    async with Discord.start(scale=100, inside=True) as discord:
        yield discord


async def test_heartbeats_are_answered(discord: Discord) -> None:
    async with connected(discord) as client:
        await client.send(1, None)
        assert (await client.next())["op"] == 11


@pytest.mark.parametrize(
    ("op", "data", "code"),
    [
        (2, {"token": "wrong", "intents": 1}, 4004),
        (2, {"intents": GUILDS | MEMBERS}, 4014),
        (2, {"intents": GUILDS | CONTENT}, 4014),
        (2, {}, 4013),
        (3, {}, 4003),
        (6, {"token": "wrong", "session_id": "a", "seq": 1}, 4004),
    ],
)
async def test_who_is_not_let_in(discord: Discord, op: int, data: Json, code: int) -> None:
    async with connected(discord) as client:
        await client.send(op, {"token": discord.token, **data})
        assert await client.close_code() == code


async def test_ready_then_the_guilds(discord: Discord) -> None:
    guild = await discord.guild("Studio")
    channel = await guild.channel("paintings")
    async with identified(discord) as (client, ready):
        assert ready["guilds"] == [{"id": guild.id, "unavailable": True}]
        assert ready["resume_gateway_url"] == discord.gateway_url
        created = (await client.event("GUILD_CREATE"))["d"]
        assert [one["id"] for one in created["channels"]] == [channel.id]
        assert (await discord.now()).counts["identifies"] == 1


async def test_all_sessions_get_each_interaction(discord: Discord) -> None:
    command = {"name": "go", "description": "x"}
    await Raw(discord)("PUT", f"/applications/{discord.application_id}/commands", [command])
    guild = await discord.guild("Studio")
    channel = await guild.channel("paintings")
    ada = await guild.member("Ada")
    async with identified(discord) as (one, _), identified(discord) as (other, _):
        i = await ada.slash(channel, "go")
        for client in (one, other):
            assert (await client.event("INTERACTION_CREATE"))["d"]["id"] == i.id


async def test_shards_hear_their_own_guilds(discord: Discord) -> None:
    guild = await discord.guild("Studio")
    mine = (int(guild.id) >> 22) % 2
    async with AsyncExitStack() as stack:
        shards = [await stack.enter_async_context(identified(discord, shard=[number, 2])) for number in (0, 1)]
        assert [len(ready["guilds"]) for _, ready in shards] == [int(number == mine) for number in (0, 1)]


async def test_what_guilds_alone_hears(discord: Discord) -> None:
    guild = await discord.guild("Studio")
    async with identified(discord) as (client, _):
        await client.event("GUILD_CREATE")
        channel = await guild.channel("paintings")
        ada = await guild.member("Ada")
        said = await ada.post(channel, "hello")
        await Raw(discord)("POST", f"/channels/{channel.id}/messages/{said['id']}/threads", {"name": "t"})
        await channel.deny("send_messages")
        await discord.channel(said).archive()
        await discord.channel(said).delete()
        await guild.boost(2)
        await guild.bot_permissions({"manage_threads"})
        await channel.delete()
        await guild.kick_bot()
        await guild.invite_bot()
        heard = [(await client.next())["t"] for _ in range(10)]
    assert heard == [
        *("CHANNEL_CREATE", "THREAD_CREATE", "CHANNEL_UPDATE", "THREAD_UPDATE", "THREAD_DELETE"),
        *("GUILD_UPDATE", "GUILD_ROLE_UPDATE", "CHANNEL_DELETE", "GUILD_DELETE", "GUILD_CREATE"),
    ]


async def test_messages_come_with_their_intent_and_content_with_its_own(discord: Discord) -> None:
    guild = await discord.guild("Studio")
    channel = await guild.channel("paintings")
    ada = await guild.member("Ada")
    async with identified(discord, GUILDS | GUILD_MESSAGES) as (client, _):
        await ada.post(channel, "secret")
        assert (await client.event("MESSAGE_CREATE"))["d"]["content"] == ""
    await discord.grant_intents(CONTENT)
    async with identified(discord, GUILDS | GUILD_MESSAGES | CONTENT) as (client, _):
        said = await ada.post(channel, "open")
        assert (await client.event("MESSAGE_CREATE"))["d"]["content"] == "open"
        await channel.delete_message(said)
        assert (await client.event("MESSAGE_DELETE"))["d"]["id"] == said["id"]


async def test_a_resume_replays_what_was_missed(discord: Discord) -> None:
    guild = await discord.guild("Studio")
    async with identified(discord) as (client, ready):
        seen = (await client.event("GUILD_CREATE"))["s"]
        await discord.gateway("drop")
        await client.close_code()
    names = ["one", "two"]
    for name in names:
        await guild.channel(name)
    async with connected(discord) as client:
        await client.send(6, {"token": discord.token, "session_id": ready["session_id"], "seq": seen})
        missed = [await client.next() for _ in range(3)]
        assert [one["t"] for one in missed] == ["CHANNEL_CREATE", "CHANNEL_CREATE", "RESUMED"]
        assert [one["d"]["name"] for one in missed[:2]] == names
    assert (await discord.now()).counts["resumes"] == 1


@pytest.mark.parametrize("resumable", [True, False])
async def test_op_9(discord: Discord, resumable: bool) -> None:
    async with identified(discord) as (client, ready):
        await discord.gateway("invalid_session", resumable=resumable)
        assert await client.next() == {"op": 9, "d": resumable}
        await client.socket.close(code=4000)
    async with connected(discord) as client:
        await client.send(6, {"token": discord.token, "session_id": ready["session_id"], "seq": 1})
        assert (await client.next())["op"] == (0 if resumable else 9)


async def test_op_7_and_a_lost_session(discord: Discord) -> None:
    async with identified(discord) as (client, ready):
        await discord.gateway("reconnect")
        assert (await client.next())["op"] == 7
        await discord.gateway("forget")
        await client.close_code()
    async with connected(discord) as client:
        await client.send(6, {"token": discord.token, "session_id": ready["session_id"], "seq": 1})
        assert await client.next() == {"op": 9, "d": False}


async def test_a_session_that_its_client_closed_is_over(discord: Discord) -> None:
    async with identified(discord) as (client, ready):
        await client.socket.close(code=1000)
    await discord.until(lambda world: world.counts["sessions"] == 0, 5)
    async with connected(discord) as client:
        await client.send(6, {"token": discord.token, "session_id": ready["session_id"], "seq": 1})
        assert (await client.next())["op"] == 9


async def test_frames_can_be_compressed(discord: Discord) -> None:
    url = f"{discord.gateway_url}?compress=zlib-stream"
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        frame = await socket.receive_bytes(timeout=5)
        assert frame.endswith(b"\x00\x00\xff\xff")
        assert json.loads(zlib.decompressobj().decompress(frame))["op"] == 10


async def test_an_event_of_the_tests_own(discord: Discord) -> None:
    async with identified(discord) as (client, _):
        await discord.dispatch("INTERACTION_CREATE", {"id": "1"})
        assert (await client.event("INTERACTION_CREATE"))["d"] == {"id": "1"}


async def test_a_gateway_that_does_not_open(discord: Discord) -> None:
    await discord.fault("GET /gateway", status=503, times=1)
    with pytest.raises(aiohttp.WSServerHandshakeError):
        async with connected(discord):
            pass
    async with connected(discord):
        pass
