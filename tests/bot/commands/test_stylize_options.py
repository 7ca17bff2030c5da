"""What `/stylize` can be told, how the card tells it again, and what is refused in one private sentence."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from discord_server.driver import Impossible, Person
from discord_server.message_text import buttons_of, files_of, text_of
from scene import Scene, picture, scene
from support.pictures import noise
from support.workers import WorkerPool

from engine.contract import workers
from engine.contract.connection import connect
from engine.contract.models import SPENT

pytestmark = pytest.mark.asyncio(loop_scope="module")

Json = dict[str, Any]
UNTOLD: Json = {"size": None, "iterations": None}
"""As it is where nobody chooses."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """Without a worker: what was asked for stays in the queue, as it was asked for."""
    async with scene(pool, tmp_path_factory.mktemp("options")) as made:
        yield made
        assert made.discord.world.violations == []
        assert made.discord.world.refusals == []
        assert made.discord.world.pings == []


@pytest.fixture
def second(tmp_path: Path) -> Path:
    return picture(tmp_path / "waves.png", 3)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "fine, 225 iterations at 512 px · seed"),
        ({"recipe": "classic"}, "classic, 5,000 iterations at 512 px · seed"),
        ({"recipe": "gatys", "seed": 0}, "gatys, 500 iterations at 512 px · seed 0 · for"),
        ({"seed": 2**53 - 1}, "fine, 225 iterations at 512 px · seed 9007199254740991 · for"),
        ({"iterations": 99_900, "size": 1024}, "fine, 99,900 iterations at 1024 px · seed"),
        ({"iterations": 1, "size": 64}, "fine, 1 iteration at 64 px"),
        ({"strength": 2.0}, "fine, 225 iterations at 512 px, twice the usual strength · seed"),
        ({"strength": 0.01}, "fine, 225 iterations at 512 px, 0.01 times the usual strength · seed"),
        ({"start": "noise"}, "fine, 225 iterations at 512 px, from noise · seed"),
        ({"start": "style"}, "fine, 225 iterations at 512 px, from the style with 5% noise · seed"),
        ({"start": "content", "recipe": "gatys"}, "gatys, 500 iterations at 512 px, from the content · seed"),
        ({"colours": "keep"}, "fine, 225 iterations at 512 px, content's colours · seed"),
    ],
    ids=str,
)
async def test_the_card_tells_what_was_asked_for(stage: Scene, options: Json, told: str) -> None:
    asked = await stage.stylize(**UNTOLD | options)
    assert told in text_of(await stage.card(asked))
    assert "Accepted" in await stage.private_reply(asked)


@pytest.mark.parametrize(("blend", "told"), [(None, "2 styles"), (50, "2 styles"), (30, "2 styles 70 : 30")])
async def test_two_styles_are_mixed(stage: Scene, second: Path, blend: int | None, told: str) -> None:
    asked = await stage.stylize(style2=second, blend=blend)
    card = await stage.card(asked)
    assert f"24 iterations at 64 px, {told} · seed" in text_of(card)
    assert text_of(card).startswith("### harbour × strokes, waves\n")
    files = files_of(card)
    assert [name.partition(asked.id)[2] for name in files] == ["-content.jpg", "-style-1.jpg", "-style-2.jpg"]
    assert [one["description"] for one in files.values()] == [
        "Content: harbour.png", "Style: strokes.png", "Style: waves.png",
    ]  # fmt: skip


async def test_a_blend_without_a_second_style_is_refused(stage: Scene) -> None:
    asked = await stage.stylize(blend=30)
    assert await stage.private_reply(asked) == "A blend needs a second style: attach one as style2."
    assert await stage.traces(asked.id) == []


@pytest.mark.parametrize(
    ("options", "told", "in_full"),
    [
        ({}, "fine, 135 iterations at 256 px · seed", 512),
        ({"recipe": "classic", "seed": 7}, "classic, 150 iterations at 256 px · seed 7 ", 512),
        ({"recipe": "gatys", "strength": 2.0, "size": 1024},
         "gatys, 150 iterations at 256 px, twice the usual strength · seed", 1024),
        ({"size": 128, "iterations": 12}, "fine, 12 iterations at 128 px · seed", 128),
    ],
    ids=str,
)  # fmt: skip
async def test_a_draft_is_small_and_says_what_it_is_a_draft_of(
    stage: Scene, options: Json, told: str, in_full: int
) -> None:
    card = await stage.card(await stage.stylize(**UNTOLD | options, quality="draft"))
    assert text_of(card).startswith("### Draft\\: harbour × strokes\n")
    assert told in text_of(card)
    assert f"A draft by our small starter network: Finish goes on from it, at {in_full} px." in text_of(card)
    assert "Finish" not in [button["label"] for button in buttons_of(card)]


async def test_a_draft_that_could_not_be_finished_is_refused(stage: Scene) -> None:
    for options, words in (
        ({"size": 1025}, "The size may be at most 1024 px here: ask for a smaller one."),
        ({"animate": True}, "A draft is of one picture: leave out animate, or quality."),
    ):
        asked = await stage.stylize(**options, quality="draft")
        assert await stage.private_reply(asked) == words
        assert await stage.traces(asked.id) == []


async def test_a_size_above_the_operators_limit_is_refused(stage: Scene) -> None:
    asked = await stage.stylize(size=1025)
    assert await stage.private_reply(asked) == "The size may be at most 1024 px here: ask for a smaller one."
    assert await stage.traces(asked.id) == []


@pytest.mark.parametrize(
    "option",
    [{"iterations": 0}, {"iterations": 99_901}, {"size": 63}, {"size": 4097}, {"strength": 0.009}, {"strength": 101.0},
     {"seed": -1}, {"blend": 0}, {"blend": 100}, {"start": "picture"}, {"colours": "style"}, {"recipe": "oils"},
     {"quality": "best"}],
    ids=str,
)  # fmt: skip
async def test_discords_own_client_refuses_what_is_out_of_range(stage: Scene, option: Json) -> None:
    with pytest.raises(Impossible, match=next(iter(option))):
        await stage.stylize(**option)


@pytest.mark.parametrize("which", ["content", "style", "style2"])
async def test_what_is_no_picture_is_named_and_leaves_nothing_behind(stage: Scene, which: str) -> None:
    for file, words in (
        (("song.mp3", b"la la la"), "song.mp3 is no picture: attach a PNG, JPEG, WebP or GIF."),
        (("empty.png", b""), "empty.png is empty: send a picture that holds something."),
    ):
        given: Json = {which: file}
        asked = await stage.stylize(**given)
        assert await stage.private_reply(asked) == words
        assert await stage.traces(asked.id) == []


async def test_names_do_nothing_and_are_cut(stage: Scene) -> None:
    data = stage.content.read_bytes()
    long = f"-#-{'harbour~' * 40}.png"
    card = await stage.card(await stage.stylize(content=(long, data), style=("@everyone.sea.png", data)))
    thread = await stage.discord.until(lambda world: world.channel(card["id"]))
    assert thread["name"] == "-#-harbour~harbour~harbour~harbour~h…harbour~ × ＠everyone.sea"
    cut = "\\-#-harbour\\~harbour\\~harbour\\~harbour\\~h…harbour\\~"
    assert text_of(card).startswith(f"### {cut} × ＠everyone.sea\n")


async def test_names_that_are_not_latin_are_told_as_they_were_typed(stage: Scene, tmp_path: Path) -> None:
    """Discord's own names for these files have no letters left."""
    data = stage.content.read_bytes()
    given = await stage.stylize(content=("港口.png", data), style=("мазки.png", data), style2=("🌊.png", data))
    posted = await stage.ada.post(stage.channel, files=[("मछली.png", data)])
    menu = await stage.ada.menu(stage.channel, posted, "Use as style")
    await menu.answered()
    filled_in = await stage.ada.submit(menu.modal, {"picture": ("λιμάνι.png", data)})
    for asked, title in ((given, "港口 × мазки, 🌊"), (filled_in, "λιμάνι × मछली")):
        card = await stage.card(asked)
        assert text_of(card).startswith(f"### {title}\n")
        await stage.private_reply(asked)  # its thread is open
        assert stage.discord.world.channel(card["id"])["name"] == title
    told = [one["description"] for one in files_of(await stage.card(given)).values()]
    assert told == ["Content: 港口.png", "Style: мазки.png", "Style: 🌊.png"]
    asked = await stage.stylize(content=("港口.png", b"\x89PNG, as they say"))
    assert (await stage.private_reply(asked)).startswith("港口.png ")


def _clip(frames: int) -> bytes:
    out = BytesIO()
    first, *further = [noise(seed, 24).resize((48, 36)) for seed in range(frames)]
    first.save(out, "GIF", save_all=True, append_images=further, duration=80)
    return out.getvalue()


@pytest.mark.long
async def test_each_quota_is_refused_in_a_sentence_of_its_own(empty_redis_url: str, tmp_path: Path) -> None:
    pool = WorkerPool(empty_redis_url, tmp_path)
    caps: Json = {"IMPASTO_USER_JOBS": "2", "IMPASTO_GUILD_JOBS": "3", "IMPASTO_TOTAL_JOBS": "4"}
    async with scene(pool, tmp_path, **caps, IMPASTO_MAX_ITERATIONS="1000") as stage:
        bob = await stage.guild.member("Bob")
        first, _ = await _take(stage, stage.ada, 2)
        full = "You already have as many paintings under way as one member may: wait for one to end{}, or cancel one."
        await _refused(stage, stage.ada, full.format(""), content=("broken.png", b"nobody looks at it"))
        await _painters(pool, speed=1e9)
        at = re.compile(re.escape(full.format("@")).replace("@", r", <t:(\d{10}):R>"))
        before = time.time()
        told = at.fullmatch(await _refusal(stage, stage.ada))
        assert told
        assert int(told[1]) > before
        film: Json = {"content": ("clip.gif", _clip(24)), "iterations": 100, "animate": True}
        await _refused(stage, bob, "A film of 24 pictures takes 1,020 iterations, and 1,000 is the most here: ", **film)
        await _take(stage, bob, 1)
        await _refused(stage, bob, "This server already has as many paintings under way as it may: ")
        await _refused(stage, bob, "At most 1,000 iterations can be asked for here: ", iterations=1001)
        await _refused(
            stage, bob, "This server already has as many", recipe="classic", iterations=None
        )  # not for 5,000
        await (await stage.ada.press(first, "Cancel")).shown()
        elsewhere = await stage.discord.guild("Elsewhere")
        channel, cy = await elsewhere.channel("chat"), await elsewhere.member("Cy")
        for _ in range(2):
            assert "Accepted" in await stage.private_reply(await stage.stylize(cy, channel))
        await _refused(stage, bob, "The queue is full at the moment: ")
        await _spend(pool, bob)
        await _refused(stage, bob, "Your painting time of today is used up: try again when the day is over, <t:")
        assert stage.discord.world.violations == []


async def _take(stage: Scene, person: Person, times: int) -> list[Json]:
    return [await stage.card(await stage.stylize(person)) for _ in range(times)]


async def _refused(stage: Scene, person: Person, words: str, **options: Any) -> None:
    answer = await _refusal(stage, person, **options)
    assert answer.startswith(words)
    assert answer.endswith(".")


async def _refusal(stage: Scene, person: Person, **options: Any) -> str:
    asked = await stage.stylize(person, **options)
    answer = await stage.private_reply(asked)
    assert await stage.traces(asked.id) == []
    return answer


async def _painters(pool: WorkerPool, speed: float) -> None:
    """A worker of that speed, in operations a second, for as long as the database is this test's."""
    async with connect(pool.url) as redis:
        await workers.beat(redis, workers.Worker(id="w1", device="cpu", weights="random", speed=speed))
        await redis.persist("impasto:worker:w1")  # nobody is there to say that it lives


async def _spend(pool: WorkerPool, person: Person) -> None:
    """An hour was painted for them today; and tomorrow, should it be midnight."""
    async with connect(pool.url) as redis:
        today = (await redis.time())[0] // 86400
        for day in (today, today + 1):
            await redis.hset(f"{SPENT}:{day}", f"user:{person.id}", "3600")  # type: ignore[misc]
