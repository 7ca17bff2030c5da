"""What people send that is a picture in some way: covered, renamed, without a kind, forwarded, stuck on."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest

from discord_server.driver import Discord, File, Impossible, Person, Spoiler
from discord_server.message_text import files_of
from discord_server.places import Channel, Guild
from discord_server.tests.raw import Json, Raw
from discord_server.tests.small_bot import png

V2 = 1 << 15
COMMANDS: list[Json] = [
    {"name": "Look", "type": 3},
    {"name": "take", "description": "Takes", "options": [{"type": 11, "name": "file", "description": "x"}]},
    {
        "name": "strict",
        "description": "Takes pictures",
        "options": [{"type": 11, "name": "file", "description": "x", "file_types": ["image", ".tiff"]}],
    },
]


@pytest.fixture
async def discord() -> AsyncIterator[Discord]:
    async with Discord.start(scale=100, inside=True) as discord:
        await Raw(discord)("PUT", f"/applications/{discord.application_id}/commands", COMMANDS)
        yield discord
        assert discord.world.violations == []


async def told(ada: Person, channel: Channel, message: Json) -> Json:
    """The message as the bot is told it by a menu."""
    asked = await ada.menu(channel, message, "Look")
    found: Json = asked.payload["data"]["resolved"]["messages"][message["id"]]
    return found


async def test_a_spoiler_is_a_flag_a_name_or_both(ada: Person, channel: Channel) -> None:
    files: list[File] = [
        Spoiler(("a.png", png())),
        ("SPOILER_b.png", png()),
        Spoiler(("SPOILER_c.png", png())),
        ("d.png", png()),
    ]
    posted = await ada.post(channel, files=files)
    found = [(one["filename"], one.get("flags", 0)) for one in (await told(ada, channel, posted))["attachments"]]
    assert found == [("a.png", 8), ("SPOILER_b.png", 0), ("SPOILER_c.png", 8), ("d.png", 0)]
    covered = {name for name, one in files_of(posted).items() if one["spoiler"]}
    assert covered == {"a.png", "SPOILER_b.png", "SPOILER_c.png"}


async def test_an_options_file_can_be_a_spoiler(ada: Person, channel: Channel) -> None:
    asked = await ada.slash(channel, "take", file=Spoiler(("a.png", png())))
    [file] = asked.payload["data"]["resolved"]["attachments"].values()
    assert (file["filename"], file["flags"], file["ephemeral"]) == ("a.png", 8, True)


async def test_the_bot_covers_what_it_posts(discord: Discord, channel: Channel) -> None:
    raw, path = Raw(discord), f"/channels/{channel.id}/messages"
    body: Json = {"attachments": [{"id": 0, "is_spoiler": True}, {"id": 1}]}
    sent = await raw("POST", path, body, {"a.png": png(), "b.png": png()})
    assert [files_of(sent.body)[name]["spoiler"] for name in ("a.png", "b.png")] == [True, False]
    items = [{"media": {"url": "attachment://a.png"}, "spoiler": True}, {"media": {"url": "attachment://b.png"}}]
    shown = {"flags": V2, "components": [{"type": 12, "items": items}]}
    sent = await raw("POST", path, shown, {"a.png": png(), "b.png": png()})
    assert [files_of(sent.body)[name]["spoiler"] for name in ("a.png", "b.png")] == [True, False]


@pytest.mark.parametrize(
    ("name", "filename", "title"),
    [
        ("harbour.png", "harbour.png", None),
        ("my harbour.png", "my_harbour.png", "my harbour"),
        ("Test测试.png", "Test.png", "Test测试"),
        ("_港口 1.png", "1.png", "_港口 1"),
        ("港口.png", "[0-9a-f]{16}.png", "港口"),
        ("港口", "[0-9a-f]{16}", "港口"),
    ],
)
async def test_a_name_that_is_not_latin_is_kept_as_title(
    ada: Person, channel: Channel, name: str, filename: str, title: str | None
) -> None:
    posted = await ada.post(channel, files=[(name, png())])
    [file] = (await told(ada, channel, posted))["attachments"]
    assert re.fullmatch(filename, file["filename"])
    assert file.get("title") == title


async def test_a_file_of_unknown_kind_has_no_content_type(discord: Discord, ada: Person, channel: Channel) -> None:
    posted = await ada.post(channel, files=[("IMG_2041", png(8)), ("a.png", b"no picture")])
    unknown, named = (await told(ada, channel, posted))["attachments"]
    assert "content_type" not in unknown
    assert (unknown["width"], unknown["height"]) == (8, 8)
    assert named["content_type"] == "image/png"
    assert "width" not in named
    assert await discord.download(unknown["url"]) == png(8)


async def test_a_forward_holds_what_it_forwards_as_it_was(
    discord: Discord, guild: Guild, channel: Channel, ada: Person
) -> None:
    elsewhere = await guild.channel("elsewhere")
    posted = await ada.post(channel, "look", files=[Spoiler(("港口.png", png(8)))])
    forwarding = await ada.forward(posted, elsewhere)
    await channel.delete_message(posted)
    message = await told(ada, elsewhere, forwarding)
    assert (message["content"], message["attachments"]) == ("", [])
    reference = {"type": 1, "channel_id": channel.id, "message_id": posted["id"], "guild_id": guild.id}
    assert message["message_reference"] == reference
    [snapshot] = message["message_snapshots"]
    assert snapshot["message"]["content"] == "look"
    [file] = snapshot["message"]["attachments"]
    assert (file["title"], file["flags"]) == ("港口", 8)
    assert await discord.download(file["url"]) == png(8)
    again = await told(ada, channel, await ada.forward(forwarding, channel))
    assert again["message_reference"] == reference


async def test_the_bot_reads_no_forward_without_the_intent(discord: Discord, channel: Channel, ada: Person) -> None:
    forwarding = await ada.forward(await ada.post(channel, "look", files=[("a.png", png())]), channel)
    raw, path = Raw(discord), f"/channels/{channel.id}/messages/{forwarding['id']}"
    [snapshot] = (await raw("GET", path)).body["message_snapshots"]
    assert (snapshot["message"]["content"], snapshot["message"]["attachments"]) == ("", [])
    await discord.grant_intents(1 << 15)
    [snapshot] = (await raw("GET", path)).body["message_snapshots"]
    assert (snapshot["message"]["content"], len(snapshot["message"]["attachments"])) == ("look", 1)


async def test_what_one_does_not_see_or_may_not_write_is_not_forwarded(
    guild: Guild, channel: Channel, ada: Person
) -> None:
    hidden = await guild.channel("hidden")
    await hidden.deny("view_channel", to=ada)
    posted = await ada.post(channel, "look")
    with pytest.raises(Impossible, match="does not see"):
        await ada.forward(posted, hidden)
    await channel.deny("send_messages", to=ada)
    with pytest.raises(Impossible, match="may not write"):
        await ada.forward(posted, channel)


@pytest.mark.parametrize("kind", [("PNG", 1, "png"), ("APNG", 2, "png"), ("LOTTIE", 3, "json"), ("GIF", 4, "gif")])
async def test_a_sticker_lies_at_discords_own_host(
    discord: Discord, guild: Guild, channel: Channel, ada: Person, kind: tuple[str, int, str]
) -> None:
    format, number, address = kind
    sticker = await guild.sticker("wave", png(8), format)
    message = await told(ada, channel, await ada.post(channel, stickers=[sticker]))
    assert message["sticker_items"] == [{"id": sticker, "name": "wave", "format_type": number}]
    assert message["attachments"] == []
    assert await discord.download(f"{discord.url}/stickers/{sticker}.{address}") == png(8)
    with pytest.raises(ConnectionError, match="404"):
        await discord.download(f"{discord.url}/stickers/{sticker}.webp")


async def test_a_cards_pictures_are_in_its_components(
    discord: Discord, guild: Guild, channel: Channel, ada: Person
) -> None:
    thumbnail = {"type": 11, "media": {"url": "attachment://a.png"}}
    section = {"type": 9, "components": [{"type": 10, "content": "a"}], "accessory": thumbnail}
    elsewhere = {"type": 12, "items": [{"media": {"url": "https://example.org/b.png"}}]}
    card = {"flags": V2, "components": [section, elsewhere]}
    sent = await Raw(discord)("POST", f"/channels/{channel.id}/messages", card, {"a.png": png(8)})
    message = await told(ada, channel, sent.body)
    assert message["attachments"] == []
    media = message["components"][0]["accessory"]["media"]
    assert (media["width"], media["content_type"], media["attachment_id"]) == (8, "image/png", media["id"])
    assert await discord.download(media["url"]) == png(8)
    assert message["components"][1]["items"][0]["media"].keys() > {"id", "url", "proxy_url"}
    [snapshot] = (await told(ada, channel, await ada.forward(sent.body, channel)))["message_snapshots"]
    assert snapshot["message"]["components"][0]["accessory"]["media"]["id"] == media["id"]


async def test_the_client_holds_files_against_the_options_file_types(ada: Person, channel: Channel) -> None:
    """By their names' endings: a picture without one cannot be chosen."""
    for name in ("a.png", "b.JPG", "c.tiff"):
        assert await ada.slash(channel, "strict", file=(name, png()))
    for name in ("IMG_2041", "a.bmp", "clip.mp4"):
        with pytest.raises(Impossible, match="can be chosen"):
            await ada.slash(channel, "strict", file=(name, png()))
