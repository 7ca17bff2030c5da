"""A message that Discord would refuse is refused with Discord's error, and listed as a violation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from discord_server.driver import Discord
from discord_server.tests.raw import Json, Raw

V2 = 1 << 15


@pytest.fixture
async def discord() -> AsyncIterator[Discord]:
    async with Discord.start(scale=100, inside=True) as discord:
        yield discord


def text(content: str) -> Json:
    return {"type": 10, "content": content}


def row(*parts: Json) -> Json:
    return {"type": 1, "components": list(parts)}


def button(custom_id: str, **more: Any) -> Json:
    return {"type": 2, "style": 2, "label": "Go", "custom_id": custom_id, **more}


def select(options: int, **more: Any) -> Json:
    chosen = [{"label": str(number), "value": str(number)} for number in range(options)]
    return {"type": 3, "custom_id": "s", "options": chosen, **more}


def gallery(*urls: str, **more: Any) -> Json:
    return {"type": 12, "items": [{"media": {"url": url}, **more} for url in urls]}


def v2(*components: Json) -> Json:
    return {"flags": V2, "components": list(components)}


def embed(**fields: Any) -> Json:
    return {"embeds": [fields]}


URL = "https://example.org/a.png"
FIELDS = [{"name": "n", "value": "v"}] * 26
REFUSED: list[tuple[str, Json]] = [
    ("content", {"content": "x" * 2001}),
    ("content", {**v2(text("a")), "content": "b"}),
    ("embeds", {**v2(text("a")), **embed(title="b")}),
    ("components", v2(text("x" * 2001), text("x" * 2000))),
    ("components", v2(*[text("a")] * 41)),
    ("components", v2({"type": 17, "components": [text("a")] * 40})),
    ("components.0.components.0.custom_id", v2(row(button("x" * 101)))),
    ("components.0.components.0.custom_id", v2(row(button("")))),
    ("components.0.components.1.custom_id", v2(row(button("a"), button("a")))),
    ("components.0.components.0.label", v2(row(button("a", label="x" * 81)))),
    ("components.0.components.0", v2(row({"type": 2, "style": 1, "custom_id": "a"}))),
    ("components.0.components.0.url", v2(row({"type": 2, "style": 5, "label": "a"}))),
    ("components.0.components", v2(row(*(button(str(number)) for number in range(6))))),
    ("components", {"components": [row(button(str(number))) for number in range(6)]}),
    ("components.0.type", {"components": [text("needs the flag")]}),
    ("components.0.components", v2(row(button("a"), select(1)))),
    ("components.0.components.0.options", v2(row(select(26)))),
    ("components.0.components.0.max_values", v2(row(select(2, max_values=26)))),
    ("components.0.items", v2(gallery(*[URL] * 11))),
    ("components.0.items.0.description", v2(gallery(URL, description="x" * 1025))),
    ("components.0.items.0.media.url", v2(gallery("attachment://nowhere.png"))),
    ("components.0.file.url", v2({"type": 13, "file": {"url": URL}})),
    ("components.0.accessory", v2({"type": 9, "components": [text("a")]})),
    ("components.0.components", v2({"type": 17, "components": [{"type": 17, "components": [text("a")]}]})),
    ("embeds.0.title", embed(title="x" * 257)),
    ("embeds.0.description", embed(description="x" * 4097)),
    ("embeds.0.fields", embed(fields=FIELDS)),
    ("embeds", {"embeds": [{"description": "x" * 3001}, {"description": "x" * 3001}]}),
    ("embeds.0.image.url", embed(image={"url": "attachment://nowhere.png"})),
    ("nonce", {"content": "a", "nonce": "x" * 26}),
    ("flags", {"content": "a", "flags": 1 << 6}),
    ("attachments.0.id", {"content": "a", "attachments": [{"id": 0}]}),
    ("allowed_mentions", {"content": "a", "allowed_mentions": {"parse": ["users"], "users": ["1"]}}),
]


def errors_at(tree: Json, path: str) -> list[Json]:
    for step in path.split("."):
        tree = tree.get(step, {})
    return list(tree.get("_errors", []))


@pytest.mark.parametrize(("path", "body"), REFUSED, ids=[f"{at}-{path}" for at, (path, _) in enumerate(REFUSED)])
async def test_refused(discord: Discord, path: str, body: Json) -> None:
    channel = await (await discord.guild("Studio")).channel("paintings")
    answer = await Raw(discord)("POST", f"/channels/{channel.id}/messages", body)
    assert (answer.status, answer.code) == (400, 50035)
    assert discord.world.violations
    assert discord.world.messages(channel) == []


async def test_the_stand_ins_own_rules_say_where(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_OPENAPI", "/nowhere")
    async with Discord.start(scale=100, inside=True) as discord:
        channel = await (await discord.guild("Studio")).channel("paintings")
        for path, body in REFUSED:
            answer = await Raw(discord)("POST", f"/channels/{channel.id}/messages", body)
            assert errors_at(answer.body["errors"], path), (path, answer.body)


async def test_a_correct_message_is_taken(discord: Discord) -> None:
    channel = await (await discord.guild("Studio")).channel("paintings")
    parts = [text("x" * 4000), row(button("a"), button("b")), row(select(25)), gallery(*[URL] * 10)]
    answer = await Raw(discord)("POST", f"/channels/{channel.id}/messages", v2({"type": 17, "components": parts}))
    assert answer.status == 200, answer.body
    assert discord.world.violations == []


async def test_the_content_type_is_exactly_json(discord: Discord) -> None:
    channel = await (await discord.guild("Studio")).channel("paintings")
    url = f"{discord.api_url}/channels/{channel.id}/messages"
    headers = {"Authorization": f"Bot {discord.token}", "Content-Type": "text/plain"}
    async with aiohttp.ClientSession() as session, session.post(url, data=b"{}", headers=headers) as refused:
        assert refused.status == 400
        assert refused.headers["Content-Type"] == "application/json"


async def test_an_empty_message(discord: Discord) -> None:
    channel = await (await discord.guild("Studio")).channel("paintings")
    answer = await Raw(discord)("POST", f"/channels/{channel.id}/messages", {"content": " "})
    assert answer.code == 50006


async def test_the_v2_flag_stays(discord: Discord) -> None:
    channel = await (await discord.guild("Studio")).channel("paintings")
    raw, path = Raw(discord), f"/channels/{channel.id}/messages"
    sent = (await raw("POST", path, v2(text("a")))).body
    edited = await raw("PATCH", f"{path}/{sent['id']}", {"flags": 0, "components": [row(button("a"))]})
    assert errors_at(edited.body["errors"], "flags")
    plain = (await raw("POST", path, {"content": "a"})).body
    turned = await raw("PATCH", f"{path}/{plain['id']}", v2(text("a")))
    assert errors_at(turned.body["errors"], "content")
    assert (await raw("PATCH", f"{path}/{plain['id']}", {"content": None, **v2(text("a"))})).status == 200


async def test_only_ones_own_messages_can_be_edited(discord: Discord) -> None:
    guild = await discord.guild("Studio")
    channel = await guild.channel("paintings")
    said = await (await guild.member("Ada")).post(channel, "hello")
    path = f"/channels/{channel.id}/messages/{said['id']}"
    assert (await Raw(discord)("PATCH", path, {"content": "bye"})).code == 50005
    assert (await Raw(discord)("DELETE", path)).code == 50013
    await guild.bot_permissions({"manage_messages"})
    assert (await Raw(discord)("DELETE", path)).status == 204
    assert (await Raw(discord)("GET", path)).code == 10008


async def test_what_others_write_needs_the_message_content_intent(discord: Discord) -> None:
    guild = await discord.guild("Studio")
    channel = await guild.channel("paintings")
    ada = await guild.member("Ada")
    path = f"/channels/{channel.id}/messages"
    await ada.post(channel, "for friends")
    await ada.post(channel, f"<@{discord.bot_id}> for the bot")
    assert [one["content"] for one in (await Raw(discord)("GET", path)).body] == [
        f"<@{discord.bot_id}> for the bot",
        "",
    ]
    await discord.grant_intents(1 << 15)
    assert (await Raw(discord)("GET", path)).body[1]["content"] == "for friends"


async def test_pages_of_the_history(discord: Discord) -> None:
    channel = await (await discord.guild("Studio")).channel("paintings")
    raw, path = Raw(discord), f"/channels/{channel.id}/messages"
    ids = [(await raw("POST", path, {"content": str(number)})).body["id"] for number in range(5)]

    async def page(query: str) -> list[int]:
        return [ids.index(one["id"]) for one in (await raw("GET", f"{path}?{query}")).body]

    assert await page("limit=2") == [4, 3]
    assert await page(f"before={ids[3]}&limit=2") == [2, 1]
    assert await page(f"after={ids[0]}&limit=2") == [2, 1]
    assert await page(f"around={ids[2]}&limit=3") == [3, 2, 1]
    assert (await raw("GET", f"{path}?limit=101")).code == 50035


async def test_the_same_nonce_gives_the_same_message(discord: Discord) -> None:
    channel = await (await discord.guild("Studio")).channel("paintings")
    raw, path = Raw(discord), f"/channels/{channel.id}/messages"
    first, again = [await raw("POST", path, {"content": "a", "nonce": "n", "enforce_nonce": True}) for _ in range(2)]
    assert first.body["id"] == again.body["id"]
    assert (await raw("POST", path, {"content": "a", "nonce": "n"})).body["id"] != first.body["id"]
    await discord.turn_clock(181)
    late = await raw("POST", path, {"content": "a", "nonce": "n", "enforce_nonce": True})
    assert late.body["id"] != first.body["id"]
    assert len(discord.world.messages(channel)) == 3


async def test_automod(discord: Discord) -> None:
    guild = await discord.guild("Studio")
    channel = await guild.channel("paintings")
    await guild.block_words("Mauve")
    raw, path = Raw(discord), f"/channels/{channel.id}/messages"
    assert (await raw("POST", path, v2(text("a mauve sky")))).code == 200000
    assert (await raw("POST", path, v2(text("a blue sky")))).status == 200


async def test_who_is_pinged(discord: Discord) -> None:
    guild = await discord.guild("Studio")
    channel = await guild.channel("paintings")
    ada, raw = await guild.member("Ada"), Raw(discord)
    role = await guild.role("artists", mentionable=True)
    everybody = f"@everyone {ada.mention} <@&{role}>"

    async def ping(body: Json) -> Json | None:
        sent = (await raw("POST", f"/channels/{channel.id}/messages", body)).body
        found = [one for one in discord.world.pings if one["message"] == sent["id"]]
        return {key: found[0][key] for key in ("users", "roles", "everyone")} if found else None

    quiet = await guild.role("quiet")
    whole = {"users": [ada.id], "roles": [role], "everyone": True}
    assert await ping({"content": everybody}) == whole
    assert await ping(v2(text(everybody))) == whole
    assert await ping({"content": everybody, "allowed_mentions": {"parse": []}}) is None
    some = {"parse": ["roles"], "users": [ada.id]}
    assert await ping({"content": everybody, "allowed_mentions": some}) == {**whole, "everyone": False}
    assert await ping({"content": everybody, "flags": 1 << 12}) is None
    await guild.everyone_permissions({"view_channel", "send_messages"})
    assert await ping({"content": f"{everybody} <@&{quiet}>"}) == {**whole, "everyone": False}


async def test_an_edit_pings_nobody_but_mentions_by_default(discord: Discord) -> None:
    guild = await discord.guild("Studio")
    channel = await guild.channel("paintings")
    ada, raw, path = await guild.member("Ada"), Raw(discord), f"/channels/{channel.id}/messages"
    sent = (await raw("POST", path, {"content": "a"})).body
    edited = (await raw("PATCH", f"{path}/{sent['id']}", {"content": ada.mention})).body
    assert [one["id"] for one in edited["mentions"]] == [ada.id]
    assert discord.world.pings == []
    assert [one["content"] for one in await discord.history(sent)] == ["a"]
