"""Which picture a message's menu takes: whatever a member sees in it, wherever Discord keeps it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from discord_server.driver import File, Interaction, Spoiler
from discord_server.message_text import files_of, is_ephemeral, selects_of, text_of
from discord_server.tests.raw import Raw
from manual_worker import manual_worker
from scene import LONG, Scene, scene
from support.workers import WorkerPool

pytestmark = pytest.mark.asyncio(loop_scope="module")

Json = dict[str, Any]
V2 = 1 << 15
NO_PICTURE = "There is no picture in this message: choose one that has a picture attached."
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """Without a worker: what was asked for stays in the queue."""
    async with scene(pool, tmp_path_factory.mktemp("pictures")) as made:
        yield made
        assert made.discord.world.violations == []
        assert made.discord.world.refusals == []


async def _menu(stage: Scene, message: Json, name: str = "Use as style") -> Interaction:
    asked = await stage.ada.menu(stage.discord.channel(message["channel_id"]), message, name)
    await asked.answered()
    return asked


async def _title(stage: Scene, opened: Interaction) -> str:
    """Of the painting that comes of a form of "Use as style"."""
    sent = await stage.ada.submit(opened.modal, {"picture": stage.content})
    assert "Accepted" in await stage.private_reply(sent)
    card = await stage.card(sent, stage.discord.channel(sent.payload["channel_id"]))
    return text_of(card).split("\n")[0].removeprefix("### ")


async def _by_the_bot(stage: Scene, body: Json, *names: str) -> Json:
    """A message of the bot's own that this test makes up."""
    nobody: Json = {"allowed_mentions": {"parse": []}}
    files = dict.fromkeys(names, stage.style.read_bytes()) or None
    answer = await Raw(stage.discord)("POST", f"/channels/{stage.channel.id}/messages", body | nobody, files)
    posted: Json = answer.body
    return posted


async def test_a_forwards_picture_is_taken(stage: Scene) -> None:
    elsewhere = await stage.guild.channel("elsewhere")
    files: list[tuple[File, str]] = [(stage.style, "strokes"), (Spoiler(stage.style), "a spoiler")]
    for file, called in files:
        posted = await stage.ada.post(stage.channel, "look", files=[file])
        forwarding = await stage.ada.forward(posted, elsewhere)
        assert await _title(stage, await _menu(stage, forwarding)) == f"harbour × {called}"


async def test_a_picture_without_a_content_type_is_taken_as_by_the_command(stage: Scene) -> None:
    file = ("IMG_2041", stage.style.read_bytes())
    posted = await stage.ada.post(stage.channel, files=[("Makefile", b"all:"), file])
    assert await _title(stage, await _menu(stage, posted)) == "harbour"
    assert "Accepted" in await stage.private_reply(await stage.stylize(style=file))


async def test_a_picture_that_the_intake_reads_comes_before_one_that_it_does_not(stage: Scene) -> None:
    drawing = ("drawing.svg", SVG)
    posted = await stage.ada.post(stage.channel, files=[drawing, stage.style])
    assert await _title(stage, await _menu(stage, posted)) == "harbour × strokes"
    alone = await _menu(stage, await stage.ada.post(stage.channel, files=[drawing]))
    sent = await stage.ada.submit(alone.modal, {"picture": stage.content})
    assert (await stage.private_reply(sent)).startswith("drawing.svg is an SVG drawing: ")


async def test_a_sticker_is_taken_unless_it_is_a_drawing_in_json(stage: Scene) -> None:
    for format, data in (("PNG", stage.style.read_bytes()), ("APNG", stage.style.read_bytes())):
        sticker = await stage.guild.sticker("wave", data, format)
        posted = await stage.ada.post(stage.channel, stickers=[sticker])
        assert await _title(stage, await _menu(stage, posted)) == "harbour × wave"
    drawn = await stage.guild.sticker("drawn", b"{}", "LOTTIE")
    posted = await stage.ada.post(stage.channel, stickers=[drawn])
    assert await stage.private_reply(await _menu(stage, posted)) == NO_PICTURE


@pytest.mark.parametrize("kind", ["embed", "thumbnail of an embed", "section", "file", "covered container"])
async def test_what_a_bot_shows_in_its_own_way_is_taken(stage: Scene, kind: str) -> None:
    media = {"url": "attachment://strokes.png"}
    section = {"type": 9, "components": [{"type": 10, "content": "a"}], "accessory": {"type": 11, "media": media}}
    box = {"type": 17, "spoiler": True, "components": [{"type": 12, "items": [{"media": media}]}]}
    bodies: dict[str, Json] = {
        "embed": {"embeds": [{"image": media}]},
        "thumbnail of an embed": {"embeds": [{"thumbnail": media}]},
        "section": {"flags": V2, "components": [section]},
        "file": {"flags": V2, "components": [{"type": 13, "file": media}]},
        "covered container": {"flags": V2, "components": [box]},
    }
    posted = await _by_the_bot(stage, bodies[kind], "strokes.png")
    covered = kind == "covered container"
    assert await _title(stage, await _menu(stage, posted)) == f"harbour × {'a spoiler' if covered else 'strokes'}"


async def test_what_does_not_lie_with_discord_is_no_picture(stage: Scene) -> None:
    """It would not be fetched."""
    elsewhere = {"type": 12, "items": [{"media": {"url": "https://example.org/b.png"}}]}
    embed = {"image": {"url": "https://example.org/b.png"}}
    for body in ({"flags": V2, "components": [elsewhere]}, {"embeds": [embed]}):
        posted = await _by_the_bot(stage, body)
        assert await stage.private_reply(await _menu(stage, posted)) == NO_PICTURE


async def test_a_picture_of_the_bots_own_card_is_chosen_by_its_thumbnail(stage: Scene) -> None:
    card = await stage.card(await stage.stylize(**LONG))
    asked = await _menu(stage, card)
    choice = await asked.shown()
    assert is_ephemeral(choice)
    assert text_of(choice) == "There are several pictures in this message: choose one."
    shown = files_of(choice)
    assert [one["description"] for one in shown.values()] == ["1. harbour.png", "2. strokes.png"]
    for name, one in files_of(card).items():
        assert await stage.discord.download(shown[name]["url"]) == await stage.discord.file(one)
    for label, title in (("1. harbour.png", "harbour × harbour"), ("2. strokes.png", "harbour × strokes")):
        chosen = await stage.ada.choose(choice, label)
        await chosen.answered()
        assert chosen.modal.title == "Use as style"
        assert await _title(stage, chosen) == title


async def test_a_snapshot_in_the_thread_is_taken(stage: Scene) -> None:
    asked = await stage.stylize(**LONG)
    card = await stage.card(asked)
    async with manual_worker(stage, asked.id) as painter:
        await painter.snapshot(10)
    snapshot = await stage.discord.until(lambda world: world.messages(card["id"])[0])
    assert await _title(stage, await _menu(stage, snapshot)) == "harbour"


async def test_a_picture_that_is_shown_twice_is_one(stage: Scene) -> None:
    item = {"media": {"url": "attachment://strokes.png"}}
    body: Json = {"flags": V2, "components": [{"type": 12, "items": [item, item]}]}
    assert await _title(stage, await _menu(stage, await _by_the_bot(stage, body, "strokes.png"))) == "harbour × strokes"


async def test_of_more_pictures_than_a_gallery_holds_the_first_can_be_chosen(stage: Scene) -> None:
    sticker = await stage.guild.sticker("wave", stage.style.read_bytes())
    files: list[Any] = [(f"{letter}{letter}.png", stage.style.read_bytes()) for letter in "abcdefghij"]
    posted = await stage.ada.post(stage.channel, files=files, stickers=[sticker])
    (select,) = selects_of(await (await _menu(stage, posted)).shown())
    assert [option["label"] for option in select["options"]][::9] == ["1. aa.png", "10. jj.png"]


async def test_a_choice_from_before_a_restart_is_answered_in_a_sentence(stage: Scene) -> None:
    choice = await (await _menu(stage, await stage.card(await stage.stylize(**LONG)))).shown()
    stage.bots[-1].end()
    await stage.start_bot()
    chosen = await stage.ada.choose(choice, "1. harbour.png")
    assert await stage.private_reply(chosen) == (
        "I was restarted while this choice was open, or it was open for too long: open it again."
    )
