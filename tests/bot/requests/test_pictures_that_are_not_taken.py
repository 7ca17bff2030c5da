"""Pictures that cannot be had or cannot be taken: one private sentence, and nothing is queued or shown."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from discord_server.message_text import text_of
from judging import one_sentence
from malformed import bombs, deflated_zeros, png
from scene import Scene, card_of, scene
from support.workers import WorkerPool

from engine.contract.connection import connect
from engine.contract.jobs import Jobs

pytestmark = pytest.mark.asyncio(loop_scope="module")

MIB = 2**20
FILES = "GET /ephemeral-attachments/**"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    async with scene(pool, tmp_path_factory.mktemp("pictures")) as made:
        made.ada = await made.guild.member("Ada", upload_limit=100 * MIB)
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def stage(shared_stage: Scene) -> AsyncIterator[Scene]:
    """Whatever is refused leaves nothing behind, on Discord and in the queue."""
    yield shared_stage
    world = await shared_stage.discord.now()
    assert world.messages(shared_stage.channel) == []
    assert world.violations == world.refusals == []
    async with connect(shared_stage.pool.url) as redis:
        assert await Jobs(redis).open() == []


async def told(stage: Scene, **options: Any) -> str:
    """The sentence about an order that is refused."""
    asked = await stage.stylize(**options)
    text = one_sentence(await stage.private_reply(asked))
    assert card_of(stage.discord.world, stage.channel, asked.id) is None
    return text


KINDS = "PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF or HEIC"
TOO_MANY_PIXELS = "has more than 120 million pixels, the most I can open: send a smaller copy."
REFUSED = {
    "notes.png": (b"Dear diary, this is no picture.", f"is plain text: send a picture instead ({KINDS})."),
    "torn.png": (
        bombs()["PNG that is cut after its header"],
        f"is not a picture I can read, or is damaged: send it as {KINDS}.",
    ),
    "claim.png": (bombs()["PNG that claims 60000 a side"], TOO_MANY_PIXELS),
    "flood.png": (png(20_000, 20_000, pixels=deflated_zeros(20_001 * 20_000)), TOO_MANY_PIXELS),
    "song.mp3": (b"ID3", "is no picture: attach a PNG, JPEG, WebP or GIF."),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_no_picture_or_too_much_of_one(stage: Scene, name: str) -> None:
    data, words = REFUSED[name]
    assert await told(stage, content=(name, data)) == f"{name} {words}"
    assert await told(stage, style=(name, data)) == f"{name} {words}"


async def test_a_file_that_is_declared_too_large_is_not_fetched(stage: Scene) -> None:
    fetched = await stage.discord.fault(FILES, status=500)
    said = await told(stage, content=("huge.png", bytes(26 * MIB)))
    assert said == "huge.png is larger than 25 MiB: send a smaller copy."
    assert await fetched.hits() == 0
    await fetched.remove()


@pytest.mark.parametrize(
    ("trouble", "most", "words"),
    [
        ({"status": 404}, 1, "Discord no longer has harbour.png: attach it again."),
        ({"status": 403}, 1, "Discord no longer has harbour.png: attach it again."),
        ({"status": 503}, 2, "Discord does not hand out harbour.png at the moment: try again in a minute."),
        ({"reset": True}, 4, "Discord does not hand out harbour.png at the moment: try again in a minute."),
    ],
)
async def test_what_discord_does_not_hand_out(stage: Scene, trouble: dict[str, Any], most: int, words: str) -> None:
    fault = await stage.discord.fault(FILES, **trouble)
    assert await told(stage) == words
    assert 1 <= await fault.hits() <= most  # aiohttp itself repeats what a connection that it kept open has lost
    await fault.remove()


async def test_a_picture_whose_address_has_expired(stage: Scene) -> None:
    other = await stage.guild.channel("long ago")
    message = await stage.ada.post(other, "look", files=[stage.content])
    menu = await stage.ada.menu(other, message, "Stylize this")
    await menu.answered()
    await stage.discord.turn_clock(25 * 3600)
    form = await stage.ada.submit(menu.modal, {"Style: the picture to paint like": stage.style, "recipe": "fine"})
    assert await stage.private_reply(form) == "Discord no longer has harbour.png: attach it again."
    assert [text_of(one) for one in stage.discord.world.messages(other)] == ["look"]
