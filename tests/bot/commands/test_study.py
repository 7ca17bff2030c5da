"""`/study` and `/gallery` with real workers: one card, each picture and the sheet once, and on from any of them."""

from __future__ import annotations

import asyncio
import io
import json
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from discord_server.codes import Part
from discord_server.component_rules import walk
from discord_server.driver import Spoiler
from discord_server.message_text import buttons_of, files_of, text_of
from PIL import Image
from scene import Json, Scene, picture, pictures, scene
from study_kit import ENDS, SHORT, ask, tiles
from support.workers import WorkerPool

from engine.contract.connection import connect
from engine.contract.jobs import Jobs

pytestmark = pytest.mark.asyncio(loop_scope="module")

LONG: Json = {"size": 64, "iterations": 60}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    async with scene(pool, tmp_path_factory.mktemp("study")) as made:
        yield made
        assert made.discord.world.violations == []
        assert made.discord.world.refusals == []


@pytest.fixture(scope="module")
def worker(pool: WorkerPool) -> None:
    """For the tests that come after those without one."""
    pool.start_worker(seconds=0.2).ready()


async def gone(stage: Scene, job: str) -> None:
    """Returns when nothing is kept of a job."""
    for _ in range(1000):
        if not (left := [key for key in await stage.traces(job) if not key.startswith("arq:")]):
            return
        await asyncio.sleep(0.02)  # neither Redis nor a file system says when something goes
    raise AssertionError(f"there is still {left}")


def galleries(card: Json) -> list[int]:
    """How many pictures each of the card's galleries has."""
    return [len(part["items"]) for _, part in walk(card["components"]) if part["type"] == Part.GALLERY]


async def test_the_card_says_what_is_varied_and_queue_shows_one_line(stage: Scene) -> None:
    asked = await ask(stage, "strength", seed=7, **LONG)
    card = await stage.card(asked)
    assert "Accepted" in await stage.private_reply(asked)
    text = text_of(card)
    assert text.startswith("### Style against content\\: harbour × strokes\n**Waiting**")
    assert "5 pictures, varied: the weight of the style · fine, 60 iterations at 64 px" in text
    assert "· seed 7 ·" in text
    assert [button["label"] for button in buttons_of(card)] == ["Cancel", "Again"]
    queue = await stage.private_reply(await stage.ada.slash(stage.channel, "queue"))
    assert queue.count("Style against content") == 1
    await stage.private_reply(await stage.ada.press(card, "Cancel"))
    await stage.ended(card, "**Stopped**")


@pytest.mark.parametrize(
    ("vary", "options", "sentence"),
    [
        ("size", {"size": 4096}, "The size may be at most 1024 px here"),
        (
            "strength",
            {"iterations": 20_000},
            "A study of 5 paintings takes 100,000 iterations, and 99,900 is the most here",
        ),
        ("swap", {"snapshots": "1,2"}, "Snapshots are of one painting that grows: choose them with"),
        ("iterations", {"snapshots": "every:1", "iterations": 30}, "These are 30 pictures, and 16 are the most in one"),
    ],
)
async def test_what_cannot_be_studied_is_one_private_sentence(
    stage: Scene, vary: str, options: Json, sentence: str
) -> None:
    asked = await ask(stage, vary, **options)
    assert sentence in await stage.private_reply(asked)
    assert await stage.traces(asked.id) == []


async def test_each_picture_the_sheet_the_losses_and_a_film_come_once(stage: Scene, worker: None) -> None:
    asked = await ask(stage, "strength", mention=True)
    card = await stage.ended(await stage.card(asked))
    thread = card["id"]
    assert pictures(stage.discord.world, thread) == [
        *(f"{end:05d}.png" for end in (12, 24, 36, 48, 60)), *ENDS
    ]  # fmt: skip
    texts = [text_of(message) for message in tiles(stage, card)]
    assert [text.split(" · ")[:2] for text in texts] == [
        [f"**style × {factor}**", f"{number} of 5"]
        for number, factor in enumerate(("0.01", "0.1", "1", "10", "100"), 1)
    ]
    assert "α∕β = " in texts[0]
    (sheet,) = [m for m in stage.discord.world.messages(thread) if "in one sheet" in text_of(m)]
    assert f"<@{stage.ada.id}>" in text_of(sheet)
    assert [button["label"] for button in buttons_of(sheet)] == ["Again"]
    ((name, file),) = files_of(sheet).items()
    assert name.endswith("final.png")
    assert "style × 0.1" in file["description"]
    with Image.open(io.BytesIO(await stage.discord.download(file["url"]))) as image:
        assert image.width > 3 * 64
    assert "**Done** · 5 pictures" in text_of(card)
    assert [button["label"] for button in buttons_of(card)] == ["Again"]
    assert galleries(card) == [1, 2]  # the sheet alone is shown whole


@pytest.mark.long
async def test_a_press_on_a_picture_goes_on_from_that_painting(stage: Scene, worker: None) -> None:
    asked = await ask(stage, "swap")
    card = await stage.ended(await stage.card(asked))
    swapped = tiles(stage, card)[1]
    assert "**swapped**" in text_of(swapped)
    press = await stage.ada.press(swapped, "From here")
    await press.answered()
    form = await stage.ada.submit(press.modal, {"Recipe": "fine", "Iterations": "12", "Strength of the style": "1"})
    child = await stage.card(form)
    assert text_of(child).startswith("### strokes × harbour\n")  # its own content and style, not the study's
    assert "from a given picture" in text_of(child)
    child = await stage.ended(child)
    assert pictures(stage.discord.world, child["id"])[-3:] == ENDS


@pytest.mark.long
async def test_a_form_left_as_it_is_goes_on_with_the_settings_of_that_painting(
    stage: Scene, pool: WorkerPool, worker: None
) -> None:
    for vary, first, words in (
        ("strength", "0.01", "0.01 times the usual strength"), ("optimiser", "1", "own step")
    ):  # fmt: skip
        card = await stage.ended(await stage.card(await ask(stage, vary)))
        press = await stage.ada.press(tiles(stage, card)[0], "From here")
        await press.answered()
        fields = {one["custom_id"]: one for _, one in walk(press.modal.data["components"]) if "custom_id" in one}
        assert (fields["strength"]["value"], fields["iterations"]["value"]) == (first, "12")
        child = await stage.card(await stage.ada.submit(press.modal, {}))
        assert words in text_of(child)


@pytest.mark.long
async def test_without_a_film_by_the_talks_recipe(stage: Scene, worker: None) -> None:
    card = await stage.ended(await stage.card(await ask(stage, "swap", recipe="talk", film="no")))
    assert "· classic, 12 iterations at 64 px" in text_of(card)
    again = await stage.ended(await stage.card(await stage.ada.press(card, "Again")))
    for one in (card, again):
        assert pictures(stage.discord.world, one["id"]) == ["00012.png", "00024.png", "final.png", "loss.png"]


async def test_a_style_that_is_nothing_but_white_is_refused_at_once(stage: Scene, tmp_path: Path) -> None:
    Image.new("RGB", (64, 64), "white").save(tmp_path / "white.png")
    asked = await ask(stage, "white", style=tmp_path / "white.png")
    assert await stage.private_reply(asked) == (
        "The style is white all over, and without its white nothing is left: give another one."
    )
    assert await stage.traces(asked.id) == []


@pytest.mark.long
async def test_the_moments_of_one_that_grows_are_chosen(stage: Scene, worker: None) -> None:
    card = await stage.ended(await stage.card(await ask(stage, "iterations", iterations=20, snapshots="3,10")))
    labels = [text_of(message).split("**")[1] for message in tiles(stage, card)]
    assert labels == ["3 iterations", "10 iterations", "20 iterations"]


@pytest.mark.long
async def test_one_content_in_as_many_styles_as_there_may_be(stage: Scene, worker: None, tmp_path: Path) -> None:
    styles = {f"style{k}": picture(tmp_path / f"style_{k}.png", k) for k in range(1, 9)}
    asked = await stage.ada.slash(stage.channel, "gallery", content=stage.content, **styles, size=64, iterations=2)
    card = await stage.card(asked)
    assert len(files_of(card)) == 9
    assert "8 pictures, varied: the style" in text_of(card)
    card = await stage.ended(card)
    labels = [text_of(message).split("**")[1] for message in tiles(stage, card)]
    assert labels == [rf"style\_{k}" for k in range(1, 9)]
    assert pictures(stage.discord.world, card["id"])[-3:] == ENDS
    assert galleries(card) == [1, 9]  # the sheet above all others


async def test_of_a_covered_picture_all_is_covered_but_the_losses(stage: Scene, worker: None) -> None:
    hidden = Spoiler(("the_butler_did_it.png", stage.style.read_bytes()))
    asked = await stage.ada.slash(
        stage.channel, "gallery", content=stage.content, style1=stage.style, style2=hidden, **SHORT
    )
    card = await stage.ended(await stage.card(asked))
    messages = stage.discord.world.messages(card["id"])
    shown = {name.split("-", 2)[2]: one["spoiler"] for message in messages for name, one in files_of(message).items()}
    assert shown == {"00012.png": True, "00024.png": True, "final.png": True, "loss.png": False, "film.webp": True}
    assert [one["spoiler"] for one in files_of(card).values()] == [True, False, False, True]
    assert "butler" not in json.dumps([card, *messages, stage.discord.world.channel(card["id"])])


@pytest.mark.long
async def test_a_cancelled_study_continues_where_it_was(stage: Scene, pool: WorkerPool, worker: None) -> None:
    asked = await ask(stage, "strength", iterations=24)
    card = await stage.card(asked)
    await stage.discord.until(lambda _: tiles(stage, card))
    pool.workers[-1].send(signal.SIGSTOP)  # or it might be done before it is told to stop
    await stage.private_reply(await stage.ada.press(card, "Cancel"))
    pool.workers[-1].send(signal.SIGCONT)
    card = await stage.ended(card, "**Stopped**")
    assert [button["label"] for button in buttons_of(card)] == ["Continue", "Again"]
    before = pictures(stage.discord.world, card["id"])
    assert before[-1] == "stopped.png"
    press = await stage.ada.press(card, "Continue")
    child = await stage.ended(await stage.card(press))
    after = pictures(stage.discord.world, child["id"])
    every = [f"{end:05d}.png" for end in (24, 48, 72, 96, 120)]
    assert [*before[:-1], *after] == [*every, *ENDS]
    async with connect(pool.url) as redis:
        went_on = await Jobs(redis).get(str(press.id))
    assert went_on is not None
    assert went_on.came_from == (went_on.parent,)


@pytest.mark.long
async def test_again_has_other_seeds_and_forget_leaves_nothing(stage: Scene, worker: None) -> None:
    eve = await stage.guild.member("Eve")
    given = {"content": stage.content, "style": stage.style, "vary": "flicker", "seed": 5, **SHORT}
    first = await eve.slash(stage.channel, "study", **given)
    card = await stage.ended(await stage.card(first))
    again = await eve.press(card, "Again")
    second = await stage.ended(await stage.card(again))
    labels = [[text_of(message).split("**")[1] for message in tiles(stage, one)] for one in (card, second)]
    assert labels[0] == ["seed 5", "seed 5, again", "seed 5, once more", "seed 6", "seed 7", "seed 8"]
    assert len(labels[1]) == 6
    assert not set(labels[0]) & set(labels[1])
    (sheet,) = [m for m in stage.discord.world.messages(second["id"]) if "in one sheet" in text_of(m)]
    assert "mean difference of two paintings: 0 levels with one seed" in text_of(sheet)
    await stage.private_reply(await eve.slash(stage.channel, "forget"))
    for job in (first.id, again.id):
        await gone(stage, job)
    assert not [m for m in stage.discord.world.messages(stage.channel) if first.id in str(m) or again.id in str(m)]
