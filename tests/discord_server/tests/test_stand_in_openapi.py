"""Discord's own OpenAPI description checks each body, where it is at hand."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from discord_server.calls import ROUTES
from discord_server.driver import Discord
from discord_server.openapi import ABSENT, description_path, load
from raw import Raw
from small_bot import png

pytestmark = pytest.mark.skipif(description_path() is None, reason=ABSENT)  # Discord's file, not ours to ship

BESIDE = {("GET", "/guilds/{guild_id}/members/@me")}
"""Routes that Discord answers and does not describe."""


@pytest.fixture
async def discord() -> AsyncIterator[Discord]:
    async with Discord.start(scale=100, inside=True) as discord:
        yield discord


async def test_a_body_that_no_rule_of_ours_forbids(discord: Discord) -> None:
    channel = await (await discord.guild("Studio")).channel("paintings")
    body = {"content": "a", "tts": "yes", "embeds": [{"title": 7}]}
    answer = await Raw(discord)("POST", f"/channels/{channel.id}/messages", body)
    assert answer.code == 50035
    assert answer.body["errors"].keys() == {"tts", "embeds"}


async def test_an_uploads_index_may_be_an_integer(discord: Discord) -> None:
    channel = await (await discord.guild("Studio")).channel("paintings")
    body = {"attachments": [{"id": 0, "description": "a"}]}
    path = f"/channels/{channel.id}/messages"
    assert (await Raw(discord)("POST", path, body, {"a.png": png()})).status == 200
    body["attachments"][0]["description"] = 7
    assert (await Raw(discord)("POST", path, body, {"a.png": png()})).code == 50035


def test_every_route_is_discords_own() -> None:
    path = description_path()
    assert path is not None
    described = load(path)
    unknown = {(one.method, one.template) for one in ROUTES if not described.knows(one.method, one.template)}
    assert unknown == BESIDE
