"""Discord's own OpenAPI description checks each request and each answer, where it is at hand."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from discord_server.calls import ROUTES
from discord_server.driver import Discord, Spoiler
from discord_server.openapi import ABSENT, OpenApi, description_path, load
from discord_server.tests.raw import Raw
from discord_server.tests.small_bot import png

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


async def test_what_a_select_begins_with_may_have_an_integer_as_id(discord: Discord) -> None:
    channel = await (await discord.guild("Studio")).channel("paintings")
    chosen = {"id": 7, "type": "channel"}
    select = {"type": 8, "custom_id": "a", "default_values": [chosen]}
    path, body = f"/channels/{channel.id}/messages", {"components": [{"type": 1, "components": [select]}]}
    assert (await Raw(discord)("POST", path, body)).status == 200
    chosen["type"] = "user"
    assert (await Raw(discord)("POST", path, body)).code == 50035


def test_an_interactions_answer_is_held_against_the_kind_that_it_is_of() -> None:
    wrong = {"type": 7, "data": {"content": 7}}
    with pytest.raises(Exception, match="7 is not of type 'string'"):
        _description().check("POST", "/interactions/{interaction_id}/{interaction_token}/callback", [], wrong)


def test_every_route_is_discords_own() -> None:
    described = _description()
    unknown = {(one.method, one.template) for one in ROUTES if not described.knows(one.method, one.template)}
    assert unknown == BESIDE


async def test_a_parameter_that_discord_does_not_know(discord: Discord) -> None:
    channel = await (await discord.guild("Studio")).channel("paintings")
    path = f"/channels/{channel.id}/messages"
    assert (await Raw(discord)("GET", f"{path}?limit=1&before=1")).status == 200
    refused = await Raw(discord)("GET", f"{path}?limits=1")
    assert (refused.code, list(refused.body["errors"])) == (50035, ["limits"])


@pytest.mark.parametrize(
    ("status", "body", "wrong"),
    [
        (200, {"url": "wss://gateway.discord.gg", "shards": 1}, "'session_start_limit' is a required property"),
        (200, {"url": 1, "shards": 1, "session_start_limit": {}}, "$.url: 1 is not of type 'string'"),
        (204, None, "204 is none of"),
        (403, {"message": "Missing Access"}, "'code' is a required property"),
        (429, {"message": "You are being rate limited.", "code": 0, "global": False}, "'retry_after' is a required"),
    ],
)
def test_an_answer_that_discord_would_not_give(status: int, body: object, wrong: str) -> None:
    assert any(wrong in fault for fault in _description().faults("GET", "/gateway/bot", status, body))


def test_an_answer_with_a_body_where_there_is_none() -> None:
    found = _description().faults("POST", "/channels/{channel_id}/typing", 204, {"a": 1})
    assert found == ["204 has no body"]


async def test_a_test_fails_that_rests_on_a_wrong_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OpenApi, "faults", lambda *_: ["$: 'id' is a required property"])
    with pytest.raises(AssertionError, match=r"GET /users/@me 200: \$: 'id' is a required property"):
        async with Discord.start(inside=True) as discord:
            await Raw(discord)("GET", "/users/@me")


@pytest.mark.parametrize("path", ["/users/@me", "/oauth2/applications/@me", "/applications/@me", "/gateway/bot"])
async def test_what_the_bot_asks_first_is_answered_in_full(discord: Discord, path: str) -> None:
    answer = await Raw(discord)("GET", path)
    assert answer.status == 200
    assert _description().faults("GET", path, 200, answer.body) == []


async def test_what_an_interaction_carries_is_as_described(discord: Discord) -> None:
    """The gateway itself is not described; what it carries is."""
    guild = await discord.guild("Studio")
    channel, ada = await guild.channel("paintings"), await guild.member("Ada")
    await ada.wear_tag(guild, "ART")
    commands = [
        {"name": "Look", "type": 3},
        {"name": "take", "description": "x", "options": [{"type": 11, "name": "file", "description": "x"}]},
    ]
    await Raw(discord)("PUT", f"/applications/{discord.application_id}/commands", commands)
    described = _description()
    sticker = await guild.sticker("wave", png())
    posted = await ada.post(channel, "a", [("港口.png", png()), ("IMG", png())], stickers=[sticker])
    for message in (posted, await ada.forward(posted, channel)):
        payload = (await ada.menu(channel, message, "Look")).payload
        seen = payload["data"]["resolved"]["messages"][message["id"]]
        assert described.faults("GET", "/channels/{channel_id}/messages/{message_id}", 200, seen) == []
        assert described.faults("GET", "/guilds/{guild_id}/members/{user_id}", 200, payload["member"]) == []
    payload = (await ada.slash(channel, "take", file=Spoiler(("SPOILER_a b.png", png())))).payload
    files = list(payload["data"]["resolved"]["attachments"].values())
    message = {**posted, "attachments": files}
    assert described.faults("GET", "/channels/{channel_id}/messages/{message_id}", 200, message) == []
    assert payload["member"]["user"]["primary_guild"]["tag"] == "ART"


def _description() -> OpenApi:
    path = description_path()
    assert path is not None
    return load(path)
