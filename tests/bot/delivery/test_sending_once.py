"""A message is sent once, however long its upload takes, and however long its repetition waits for others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import discord
import pytest
import yarl
from discord import ui
from discord.http import Route
from discord_server.driver import Channel, Discord
from scene import pictures

from bot.delivery import sender
from bot.delivery.sender import OutgoingMessage, Sender
from bot.delivery.size_fallback import OutgoingFile

AN_HOUR = 3600.0


class Outbox:
    """A sender that has logged in, and the channel that it sends to."""

    def __init__(self, server: Discord, client: discord.Client, channel: Channel) -> None:
        self.server, self.channel = server, channel
        self.path = f"/channels/{channel.id}/messages"
        self._sender = Sender(client)
        self._begun = asyncio.Queue[None]()

    async def send(self, key: str, size: int = 9) -> int:
        """The id of a message with one file of so many bytes."""

        async def variants() -> AsyncIterator[Sequence[OutgoingFile]]:
            yield [OutgoingFile(f"impasto-{self.channel.id}-{key}.bin", b"a" * size, "")]

        marker = f"impasto-{self.channel.id}-{key}"
        message = OutgoingMessage(str(self.channel.id), key, marker, lambda _: key, variants(), view=self._view)
        return await self._sender.send(int(self.channel.id), message, look_first=False)

    def _view(self, _: Sequence[OutgoingFile]) -> ui.View:
        self._begun.put_nowait(None)
        return ui.View()

    async def begun(self, attempts: int) -> None:
        """Returns when so many were begun, each of which then waits for its turn."""
        for _ in range(attempts):
            await self._begun.get()

    async def requests(self) -> list[str]:
        """What was asked of the channel's messages, in order."""
        world = await self.server.now()
        return [one["method"] for one in world.requests if one["path"] == self.path]


@pytest.fixture
async def outbox(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Outbox]:
    async with Discord.start(inside=True) as server:
        monkeypatch.setattr(Route, "BASE", server.api_url)
        monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(server.gateway_url))
        channel = await (await server.guild("Studio")).channel("paintings")
        async with discord.Client(intents=discord.Intents.none()) as client:
            await client.login(server.token)
            yield Outbox(server, client, channel)


async def test_a_repetition_that_waited_for_its_turn_is_looked_for_first(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    posts = f"POST {outbox.path}"
    await outbox.server.fault(posts, times=1, swallow="cut")
    held = await outbox.server.fault(posts, times=1, delay_s=AN_HOUR)
    first, other = asyncio.create_task(outbox.send("first")), asyncio.create_task(outbox.send("other"))
    await outbox.begun(3)  # the repetition of the first waits behind the other
    monkeypatch.setattr(sender, "NONCE_HOLDS", -AN_HOUR)
    await outbox.server.turn_clock(AN_HOUR)
    await held.release()
    await asyncio.gather(first, other)
    world = await outbox.server.now()
    assert sorted(pictures(world, outbox.channel)) == ["first.bin", "other.bin"]
    assert await outbox.requests() == ["POST", "POST", "GET"]


async def test_discord_pys_own_repetition_of_a_long_upload_is_looked_for_first(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    await outbox.server.fault(f"POST {outbox.path}", times=1, status=500)
    await outbox.send("short")
    assert await outbox.requests() == ["POST", "POST"]
    monkeypatch.setattr(sender, "NONCE_HOLDS", 0.0)
    await outbox.server.fault(f"POST {outbox.path}", times=1, status=500)
    await outbox.send("long")
    assert (await outbox.requests())[2:] == ["POST", "GET", "POST"]


async def test_a_large_file_has_the_time_that_a_slow_uplink_takes(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "REQUEST_TIMEOUT", 0.0)  # so that the time is the file's alone
    async with asyncio.timeout(60):
        await outbox.send("film", 8_000_000)
    assert await outbox.requests() == ["POST"]
