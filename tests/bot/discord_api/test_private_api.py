"""discord.py's own insides, which a new version may change without a word: then this says what has changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import discord
import pytest
import yarl
from discord.asset import Asset
from discord.http import HTTPClient, Route
from discord_server.driver import Channel, Discord

from bot.discord_api import private_api

CHANGED = "this version of discord.py changed"


@dataclass
class There:
    """A client that has logged in, knows no channel, and has written a message; and the Discord where it did."""

    client: discord.Client
    discord: Discord
    channel: Channel
    message: int

    def thread(self) -> dict[str, object]:
        """The one thread of the channel."""
        (thread,) = self.discord.world.threads(self.channel)
        return thread


@pytest.fixture
async def there(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[There]:
    async with Discord.start(inside=True) as server:
        monkeypatch.setattr(Route, "BASE", server.api_url)
        monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(server.gateway_url))
        channel = await (await server.guild("Studio", bot_permissions=discord.Permissions.all().value)).channel("a")
        async with discord.Client(intents=discord.Intents.none()) as client:
            await client.login(server.token)
            sent = await client.get_partial_messageable(int(channel.id)).send("a card")
            yield There(client, server, channel, sent.id)


@pytest.mark.parametrize(
    ("where", "name"),
    [
        (HTTPClient, "start_thread_with_message"), (HTTPClient, "edit_channel"), (HTTPClient, "delete_channel"),
        (HTTPClient, "delete_message"), (Route, "BASE"), (Asset, "BASE"),
    ],
)  # fmt: skip
def test_what_the_adapter_uses_is_there(where: type, name: str) -> None:
    assert hasattr(where, name), f"{CHANGED} {where.__name__}.{name}"


async def test_a_thread_is_opened_woken_renamed_and_deleted_by_its_id_alone(there: There) -> None:
    channel = int(there.channel.id)
    thread = await private_api.start_thread(there.client, channel, there.message, "harbour", 1440)
    await there.discord.now()
    opened = f"{CHANGED} start_thread_with_message"
    assert thread == there.message, opened
    assert there.thread()["name"] == "harbour", opened
    for change, archived in ((private_api.archive_thread, True), (private_api.wake_thread, False)):
        await change(there.client, thread)
        await there.discord.now()
        assert there.thread()["thread_metadata"]["archived"] is archived, f"{CHANGED} edit_channel"  # type: ignore[index]
    await private_api.rename_thread(there.client, thread, "A painting")
    await there.discord.now()
    assert there.thread()["name"] == "A painting", f"{CHANGED} edit_channel"
    await private_api.delete_thread(there.client, thread)
    await there.discord.now()
    assert there.discord.world.threads(there.channel) == [], f"{CHANGED} delete_channel"


async def test_a_message_is_deleted_by_its_id_alone(there: There) -> None:
    await private_api.delete_message(there.client, int(there.channel.id), there.message)
    await there.discord.now()
    assert there.discord.world.messages(there.channel) == [], f"{CHANGED} delete_message"


async def test_requests_wait_for_the_global_limit_until_they_are_released(there: There) -> None:
    channel = int(there.channel.id)
    await there.discord.fault("GET /channels/*", times=1, status=429, everywhere=True, retry_after=600)
    limited = asyncio.create_task(there.client.fetch_channel(channel))
    gate = there.client.http.__dict__.get("_global_over")
    assert isinstance(gate, asyncio.Event), f"{CHANGED} _global_over, which requests wait for"
    while gate.is_set():
        assert not limited.done(), f"{CHANGED} what it does about the global limit"
        await asyncio.sleep(0)
    limited.cancel()
    await asyncio.wait([limited])
    assert not gate.is_set(), f"{CHANGED} what becomes of the limit when its request is broken off"
    private_api.release_requests(there.client)
    assert (await there.client.fetch_channel(channel)).id == channel, f"{CHANGED} what requests wait for"


async def test_its_origins_are_where_it_is_pointed_at(there: There) -> None:
    pointed = f"{CHANGED} Route.BASE or Asset.BASE"
    assert private_api.origins() == {there.discord.url, str(yarl.URL(Asset.BASE).origin())}, pointed
    assert there.client.user is not None
    assert there.client.user.default_avatar.url.startswith(Asset.BASE), pointed


def test_pyproject_keeps_other_versions_out() -> None:
    assert discord.version_info[:2] == (2, 7), "try the tests above with this version, then move the bound in pyproject"
