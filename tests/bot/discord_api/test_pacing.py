"""Pacing: requests take turns, whoever makes them, and what is broken off leaves discord.py able to ask again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import aiohttp
import discord
import pytest
import yarl
from discord.http import Route
from discord_server.driver import Discord
from multidict import CIMultiDict
from virtual_clock import now, run

from bot.discord_api.pacing import Pacing, time_limit

MESSAGE, WEBHOOK, CALLBACK = "/channels/1/messages/2", "/webhooks/1/token", "/interactions/1/token/callback"
TEN_MINUTES = 600.0
BAN = 10_000
"""Invalid requests in ten minutes."""


class Requests:
    """Requests as aiohttp tells a trace of them, without a network."""

    def __init__(self) -> None:
        self.pacing = Pacing()
        self._trace = self.pacing.trace()
        self._trace.freeze()

    async def make(self, path: str = MESSAGE, status: int = 200) -> float:
        """When it was let go, on the loop's clock."""
        url, none, session = yarl.URL(Route.BASE + path), CIMultiDict[str](), SimpleNamespace()
        start = aiohttp.TraceRequestStartParams("DELETE", url, none)
        await self._trace.on_request_start.send(session, none, start)  # type: ignore[arg-type]
        at, answer = now(), SimpleNamespace(status=status)
        end = aiohttp.TraceRequestEndParams("DELETE", url, none, answer)  # type: ignore[arg-type]
        await self._trace.on_request_end.send(session, none, end)  # type: ignore[arg-type]
        return at

    async def at_once(self, times: int, **how: Any) -> list[float]:
        return sorted(await asyncio.gather(*(self.make(**how) for _ in range(times))))


def test_requests_of_one_moment_come_one_after_the_other() -> None:
    async def scenario() -> None:
        at = await Requests().at_once(200)
        assert all(later - first > 1 for first, later in zip(at, at[50:], strict=False))
        assert at[-1] < 200 / 30

    run(scenario())


def test_an_interaction_waits_for_nobody() -> None:
    async def scenario() -> None:
        requests = Requests()
        many = asyncio.create_task(requests.at_once(200))
        await asyncio.sleep(0)
        assert await requests.make(CALLBACK) == await requests.make(WEBHOOK) == now() == 0
        await many

    run(scenario())


@pytest.mark.long
@pytest.mark.parametrize("status", [401, 403, 429])
def test_what_is_refused_for_ever_never_bans(status: int) -> None:
    async def scenario() -> None:
        requests, at = Requests(), list[float]()
        while now() < 3 * TEN_MINUTES:
            at += await requests.at_once(50, status=status)
        assert all(later - first >= TEN_MINUTES for first, later in zip(at, at[BAN - 100 :], strict=False))
        assert len(at) > BAN  # more slowly, but it goes on

    run(scenario())


def test_after_ten_minutes_of_peace_it_is_as_quick_as_before() -> None:
    async def scenario() -> None:
        requests = Requests()
        for _ in range(20):
            await requests.at_once(100, status=403)
        slow = await requests.at_once(10)
        assert requests.pacing.invalid() == 2000
        await asyncio.sleep(2 * TEN_MINUTES)
        assert requests.pacing.invalid() == 0
        quick = await requests.at_once(10)
        assert max(b - a for a, b in pairwise(quick)) < min(b - a for a, b in pairwise(slow))

    run(scenario())


def test_what_is_not_found_or_not_answered_is_not_counted() -> None:
    async def scenario() -> None:
        requests = Requests()
        for status in (200, 400, 404, 500, 503):
            await requests.make(status=status)
        assert requests.pacing.invalid() == 0

    run(scenario())


@pytest.fixture
async def there(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[discord.Client, Discord]]:
    """A client that has logged in, and the Discord where it did."""
    async with Discord.start(inside=True) as server:
        monkeypatch.setattr(Route, "BASE", server.api_url)
        monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(server.gateway_url))
        async with discord.Client(intents=discord.Intents.none(), http_trace=Pacing().trace()) as client:
            await client.login(server.token)
            yield client, server


async def test_a_global_rate_limit_that_outlasts_patience_does_not_end_the_bot(
    there: tuple[discord.Client, Discord],
) -> None:
    bot, server = there
    guild = await server.guild("Studio")
    channel = await guild.channel("paintings")
    await server.fault("GET /channels/*", times=1, status=429, everywhere=True, retry_after=600)
    with pytest.raises(TimeoutError):
        async with time_limit(bot, 0.1):
            await bot.fetch_channel(int(channel.id))
    async with time_limit(bot, 20):
        assert (await bot.fetch_channel(int(channel.id))).id == int(channel.id)


async def test_discord_pys_own_requests_keep_to_the_limit(there: tuple[discord.Client, Discord]) -> None:
    bot, server = there
    await asyncio.gather(*(bot.fetch_channel(number) for number in range(1, 91)), return_exceptions=True)
    counts = (await server.now()).counts
    assert counts["requests"]["GET /channels/{channel_id}"] == 90
    assert counts["rate_limited"] == 0
