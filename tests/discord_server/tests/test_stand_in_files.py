"""Files: limits, signed addresses, alt text, and what a Components V2 message shows of them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from discord_server.driver import Discord
from discord_server.message_text import files_of
from discord_server.tests.raw import Json, Raw
from discord_server.tests.small_bot import png

MIB = 1024 * 1024
V2 = 1 << 15


@pytest.fixture
async def discord() -> AsyncIterator[Discord]:
    async with Discord.start(scale=100, inside=True) as discord:
        yield discord


def shown(*names: str) -> Json:
    items = [{"media": {"url": f"attachment://{name}"}, "description": f"alt of {name}"} for name in names]
    return {"flags": V2, "components": [{"type": 12, "items": items}]}


async def test_a_file_is_described(discord: Discord) -> None:
    channel = await (await discord.guild("Studio")).channel("paintings")
    body = {"attachments": [{"id": 0, "description": "red"}]}
    sent = await Raw(discord)("POST", f"/channels/{channel.id}/messages", body, {"a b.png": png(8)})
    [file] = sent.body["attachments"]
    assert (file["filename"], file["width"], file["height"], file["description"]) == ("a_b.png", 8, 8, "red")
    assert (file["content_type"], file["size"]) == ("image/png", len(png(8)))
    assert await discord.download(file["url"]) == png(8)
    with pytest.raises(ConnectionError, match="404"):
        await discord.download(file["url"].replace("hm=", "hm=0"))
    await discord.turn_clock(24 * 3600 + 1)
    with pytest.raises(ConnectionError, match="404"):
        await discord.download(file["url"])
    assert await discord.file(file) == png(8)


@pytest.mark.parametrize(("boost", "megabytes"), [(0, 10), (1, 10), (2, 50), (3, 100)])
async def test_the_boost_tier_limits_a_file(discord: Discord, boost: int, megabytes: int) -> None:
    guild = await discord.guild("Studio", boost=boost)
    channel = await guild.channel("paintings")
    path, size = f"/channels/{channel.id}/messages", min(megabytes, 24) * MIB
    assert (await Raw(discord)("POST", path, {}, {"a.bin": bytes(size)})).status == 200
    if megabytes == 10:
        refused = await Raw(discord)("POST", path, {}, {"a.bin": bytes(size + 1)})
        assert (refused.status, refused.code) == (413, 40005)
    assert discord.world.violations == []


async def test_a_request_of_more_than_25_mib(discord: Discord) -> None:
    channel = await (await discord.guild("Studio", boost=3)).channel("paintings")
    files = {f"{number}.bin": bytes(9 * MIB) for number in range(3)}
    refused = await Raw(discord)("POST", f"/channels/{channel.id}/messages", {}, files)
    assert (refused.status, refused.code) == (413, 40005)


async def test_a_request_that_does_not_say_how_large_it_is(discord: Discord) -> None:
    channel = await (await discord.guild("Studio", boost=3)).channel("paintings")

    async def body() -> AsyncIterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="files[0]"; filename="a.bin"\r\n\r\n'
        for _ in range(26):
            yield bytes(MIB)
        yield b"\r\n--x--\r\n"

    headers = {"Authorization": f"Bot {discord.token}", "Content-Type": "multipart/form-data; boundary=x"}
    async with aiohttp.ClientSession() as session:
        url = f"{discord.api_url}/channels/{channel.id}/messages"
        async with session.post(url, data=body(), headers=headers) as refused:
            assert refused.status == 413


async def test_eleven_files(discord: Discord) -> None:
    channel = await (await discord.guild("Studio")).channel("paintings")
    files = {f"{number}.png": png() for number in range(11)}
    assert (await Raw(discord)("POST", f"/channels/{channel.id}/messages", {}, files)).code == 50035


async def test_of_an_edited_message_only_the_files_that_stay_count(discord: Discord) -> None:
    channel = await (await discord.guild("Studio")).channel("paintings")
    raw, path = Raw(discord), f"/channels/{channel.id}/messages"
    six = {f"{number}.png": png() for number in range(6)}
    sent = (await raw("POST", path, {}, six)).body
    path = f"{path}/{sent['id']}"
    new = [{"id": str(number)} for number in range(6)]
    kept = [{"id": file["id"]} for file in sent["attachments"]]
    assert (await raw("PATCH", path, {"attachments": new + kept}, six)).code == 50035
    assert (await raw("PATCH", path, {}, six)).code == 50035
    assert len((await raw("PATCH", path, {"attachments": new}, six)).body["attachments"]) == 6


async def test_alt_text_is_limited(discord: Discord) -> None:
    channel = await (await discord.guild("Studio")).channel("paintings")
    body = {"attachments": [{"id": "0", "description": "x" * 1025}]}
    assert (await Raw(discord)("POST", f"/channels/{channel.id}/messages", body, {"a.png": png()})).code == 50035


async def test_an_empty_file_is_a_violation(discord: Discord) -> None:
    channel = await (await discord.guild("Studio")).channel("paintings")
    assert (await Raw(discord)("POST", f"/channels/{channel.id}/messages", {}, {"a.png": b""})).status == 200
    violations = discord.world.violations
    assert "empty file" in violations[0]["what"]


async def test_components_show_files_and_the_attachments_list_is_empty(discord: Discord) -> None:
    channel = await (await discord.guild("Studio")).channel("paintings")
    raw, path = Raw(discord), f"/channels/{channel.id}/messages"
    sent = (await raw("POST", path, shown("a.png", "b.png"), {"a.png": png(8), "b.png": png(9)})).body
    assert sent["attachments"] == []
    files = files_of(sent)
    assert {name: (one["width"], one["description"]) for name, one in files.items()} == {
        "a.png": (8, "alt of a.png"),
        "b.png": (9, "alt of b.png"),
    }
    keeping = [{"id": files["a.png"]["attachment_id"]}]
    edited = (await raw("PATCH", f"{path}/{sent['id']}", {**shown("a.png"), "attachments": keeping})).body
    assert files_of(edited).keys() == {"a.png"}
    gone = await raw("PATCH", f"{path}/{sent['id']}", shown("a.png", "b.png"))
    assert gone.code == 50035
    assert "b.png" not in files_of(discord.world.message(sent))


async def test_an_edit_replaces_a_file_of_the_same_name(discord: Discord) -> None:
    channel = await (await discord.guild("Studio")).channel("paintings")
    raw, path = Raw(discord), f"/channels/{channel.id}/messages"
    sent = (await raw("POST", path, shown("a.png"), {"a.png": png(8)})).body
    body = {**shown("a.png"), "attachments": [{"id": 0}]}
    edited = (await raw("PATCH", f"{path}/{sent['id']}", body, {"a.png": png(9)})).body
    assert files_of(edited)["a.png"]["width"] == 9
    assert discord.world.violations == []


async def test_a_file_that_no_component_shows_is_a_violation(discord: Discord) -> None:
    channel = await (await discord.guild("Studio")).channel("paintings")
    files = {"a.png": png(), "b.png": png()}
    sent = await Raw(discord)("POST", f"/channels/{channel.id}/messages", shown("a.png"), files)
    assert files_of(sent.body).keys() == {"a.png"}
    violations = discord.world.violations
    assert "b.png" in violations[0]["what"]


async def test_an_embed_shows_a_file(discord: Discord) -> None:
    channel = await (await discord.guild("Studio")).channel("paintings")
    body = {"embeds": [{"title": "a", "image": {"url": "attachment://a.png"}}]}
    sent = (await Raw(discord)("POST", f"/channels/{channel.id}/messages", body, {"a.png": png()})).body
    assert sent["attachments"] == []
    assert await discord.download(sent["embeds"][0]["image"]["url"]) == png()
