"""Pacing: a request that is broken off leaves discord.py able to ask again."""

from __future__ import annotations

from collections.abc import AsyncIterator

import discord
import pytest
import yarl
from discord.http import Route
from discord_server.driver import Discord

from bot.discord_api.pacing import paced


@pytest.fixture
async def client(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[discord.Client, Discord]]:
    """A client that has logged in, and the Discord where it did."""
    async with Discord.start(inside=True) as there:
        monkeypatch.setattr(Route, "BASE", there.api_url)
        monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(there.gateway_url))
        async with discord.Client(intents=discord.Intents.none()) as made:
            await made.login(there.token)
            yield made, there


async def test_a_global_rate_limit_that_outlasts_patience_does_not_end_the_bot(
    client: tuple[discord.Client, Discord],
) -> None:
    bot, there = client
    guild = await there.guild("Studio")
    channel = await guild.channel("paintings")
    await there.fault("GET /channels/*", times=1, status=429, everywhere=True, retry_after=600)
    with pytest.raises(TimeoutError):
        async with paced(bot, 0.1):
            await bot.fetch_channel(int(channel.id))
    async with paced(bot, 20):
        assert (await bot.fetch_channel(int(channel.id))).id == int(channel.id)
