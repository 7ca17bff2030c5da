"""What its sender covers is covered wherever it is shown, as is each painting of it; and nobody reads its name."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from discord_server.driver import Interaction, Spoiler
from discord_server.message_text import buttons_of, files_of, text_of
from scene import LONG, Json
from support.delivery import Stage, open_stage, posted
from support.workers import WorkerPool

pytestmark = pytest.mark.asyncio(loop_scope="module")

ENDS = ("00010.png", "final.png", "loss.png", "film.webp")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """Without a worker: the tests paint by hand."""
    async with open_stage(pool, tmp_path_factory.mktemp("spoilers")) as made:
        yield made
        assert made.discord.world.violations == []


@pytest.fixture
def ending(there: Stage) -> tuple[str, bytes]:
    """What nobody may know: its name and its bytes."""
    return "the_butler_did_it.png", there.scene.content.read_bytes()


def covered(message: Json) -> dict[str, bool]:
    """By the ends of the files' names."""
    return {name.split("-", 2)[2]: one["spoiler"] for name, one in files_of(message).items()}


async def everything(there: Stage, card: Json) -> str:
    """All that members are told of it, with the names of files and thread, and the alt texts."""
    await there.discord.now()
    world = there.discord.world
    shown = [*world.messages(there.scene.channel), *world.messages(card["id"]), world.channel(card["id"])]
    return json.dumps([thing for thing in shown if thing["id"] == card["id"] or thing.get("channel_id") == card["id"]])


@pytest.mark.parametrize("how", ["by a flag", "by its name", "by both", "by its name that is not Latin"])
@pytest.mark.parametrize("which", ["content", "style"])
async def test_a_spoiler_and_the_painting_of_it_are_covered(
    there: Stage, ending: tuple[str, bytes], which: str, how: str
) -> None:
    name, data = ending
    if how != "by a flag":
        name = "SPOILER_убийца.png" if "Latin" in how else f"SPOILER_{name}"
    file: Any = (name, data) if how.startswith("by its name") else Spoiler((name, data))
    card, manual_worker = await there.manual_painting(**LONG, **{which: file})
    one = {"content.jpg": which == "content", "style-1.jpg": which == "style"}
    assert covered(card) == one
    titles = {"content": "a spoiler × strokes", "style": "harbour × a spoiler"}
    assert text_of(card).startswith(f"### {titles[which]}\n")
    assert there.discord.world.channel(card["id"])["name"] == titles[which]
    await manual_worker.snapshot(10)
    await manual_worker.done()
    shown = [covered(await there.posted(card["id"], end)) for end in ENDS]
    assert shown == [{end: end != "loss.png"} for end in ENDS]
    card = await there.scene.ended(card)
    assert covered(card) == {"painting.jpg": True, **one}
    told = await everything(there, card)
    assert "butler" not in told
    assert "убийца" not in told


async def test_what_is_no_spoiler_is_not_covered(there: Stage) -> None:
    card, manual_worker = await there.manual_painting(**LONG)
    await manual_worker.snapshot(10)
    await manual_worker.done()
    assert not any([covered(await there.posted(card["id"], end))[end] for end in ENDS])
    assert not any(covered(await there.scene.ended(card)).values())


async def test_of_a_stopped_one_the_last_picture_is_covered(there: Stage, ending: tuple[str, bytes]) -> None:
    card, manual_worker = await there.manual_painting(**LONG, content=Spoiler(ending))
    await there.scene.ada.press(card, "Cancel")
    await manual_worker.stopped(7)
    assert covered(await there.posted(card["id"], "stopped.png")) == {"stopped.png": True}


async def test_what_comes_of_it_is_covered_too(there: Stage, ending: tuple[str, bytes]) -> None:
    """Children by its buttons, its card elsewhere, and what is made of a painting of it by a message's menu."""
    scene, ada = there.scene, there.scene.ada
    card, manual_worker = await there.manual_painting(**LONG, content=Spoiler(ending))
    await manual_worker.snapshot(10)
    snapshot = await there.posted(card["id"], "00010.png")
    from_here = await ada.press(snapshot, "From here")
    await from_here.answered()
    of_a_snapshot = await ada.menu(there.discord.channel(card["id"]), snapshot, "Stylize this")
    await of_a_snapshot.answered()
    await manual_worker.done()
    done = await scene.ended(card)
    again, swapped = [await ada.press(done, label) for label in ("Again", "Swap")]
    gone_on = await ada.submit(from_here.modal, {})
    children = {again: ("content.jpg",), swapped: ("style-1.jpg",), gone_on: ("content.jpg",)}
    for press, hidden in children.items():
        child = await scene.card(press)
        assert covered(child) == {name: name in hidden for name in ("content.jpg", "style-1.jpg")}
    elsewhere = await scene.guild.channel("elsewhere")
    asked = await ada.slash(elsewhere, "show", job=buttons_of(done)[0]["custom_id"].split(":")[2])
    assert covered(await asked.shown()) == {"painting.jpg": True, "content.jpg": True, "style-1.jpg": False}
    sent = await ada.submit(of_a_snapshot.modal, {"picture": scene.style})
    child = await scene.card(sent, there.discord.channel(card["id"]))
    assert covered(child) == {"content.jpg": True, "style-1.jpg": False}
    assert "butler" not in await everything(there, card)


@pytest.mark.parametrize("which", ["start_picture", "mask", "style_mask"])
async def test_what_no_card_shows_covers_the_painting_and_what_goes_on_from_it(
    there: Stage, ending: tuple[str, bytes], which: str
) -> None:
    """A picture to begin with, or a mask: the painting has its shapes."""
    given: Json = {which: Spoiler(ending)}
    draft, first = await there.manual_painting(**LONG, **given, quality="draft")
    assert covered(draft) == {"content.jpg": False, "style-1.jpg": False}
    await first.snapshot(10)
    snapshot = await there.posted(draft["id"], "00010.png")
    assert covered(snapshot) == {"00010.png": True}
    form = await there.scene.ada.press(snapshot, "From here")
    await form.answered()
    gone_on = await there.scene.ada.submit(form.modal, {})
    await first.done()
    finish = await there.scene.ada.press(await there.posted(draft["id"], "final.png"), "Finish")
    for asked in (gone_on, finish):
        child = await there.painting(asked)
        await (await there.manual_worker(asked.id)).snapshot(10)
        assert covered(await there.posted(child["id"], "00010.png")) == {"00010.png": True}
        assert "butler" not in await everything(there, child)


async def test_a_cards_covered_picture_is_chosen_covered(there: Stage, ending: tuple[str, bytes]) -> None:
    card = await there.painting(await there.scene.stylize(**LONG, content=Spoiler(ending)))
    asked = await there.scene.ada.menu(there.scene.channel, card, "Use as style")
    choice = await asked.shown()
    assert covered(choice) == {"content.jpg": True, "style-1.jpg": False}
    chosen: Interaction = await there.scene.ada.choose(choice, "1. a spoiler")
    await chosen.answered()
    sent = await there.scene.ada.submit(chosen.modal, {"picture": there.scene.content})
    child = await there.scene.card(sent)
    assert covered(child) == {"content.jpg": False, "style-1.jpg": True}


async def test_a_covered_picture_is_found_again_after_a_kill(there: Stage, ending: tuple[str, bytes]) -> None:
    """It was posted, and nobody told the bot; the nonce holds no longer."""
    card, manual_worker = await there.manual_painting(**LONG, content=Spoiler(ending))
    fault = await there.discord.fault(f"POST /channels/{card['id']}/messages", swallow="hang", times=1)
    await manual_worker.snapshot(10)
    await there.posted(card["id"], "00010.png")
    there.scene.bots[-1].kill()
    await fault.remove()
    await there.discord.turn_clock(3600)
    await there.scene.start_bot()
    await manual_worker.done()
    await there.posted(card["id"], "film.webp")
    assert len(posted(there.discord.world, card["id"], "00010.png")) == 1


async def test_the_member_is_told_of_a_bad_spoiler_by_its_name(there: Stage) -> None:
    """Only they read it."""
    asked = await there.scene.stylize(content=Spoiler(("SPOILER_ending.png", b"\x89PNG, as they say")))
    assert (await there.scene.private_reply(asked)).startswith("ending.png ")
    assert await there.scene.traces(asked.id) == []
