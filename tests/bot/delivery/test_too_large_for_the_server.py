"""A file over the server's limit is sent smaller, by the limit at the time of posting."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from conftest import House, noise
from discord_server.reading import files_of, text_of
from PIL import Image
from scene import pictures
from trouble_kit import Stage, png_of, posted, refused, stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

MIB = 2**20


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house_stage(house: House, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with stage(house, tmp_path_factory.mktemp("sizes")) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def on(house_stage: Stage) -> AsyncIterator[Stage]:
    """A server, a channel and a member of the test's own."""
    await house_stage.scene.open()
    yield house_stage
    await house_stage.clear()
    assert house_stage.discord.world.violations == []


async def test_a_boost_that_ends_after_the_order_sends_the_next_picture_as_webp(on: Stage) -> None:
    await on.scene.guild.boost(2)
    card, brush = await on.easel()
    large = png_of(noise(7, 2048))
    assert len(large) > 10 * MIB
    await brush.snapshot(10, large)
    whole = await on.posted(card["id"], "00010.png")
    assert await on.discord.file(*whole["attachments"]) == large
    await on.scene.guild.boost(0)
    await on.scene.whispered(await on.scene.ada.slash(on.scene.channel, "queue"))  # so the bot has heard of it
    await brush.snapshot(20, large)
    smaller = await on.posted(card["id"], "00020.webp", "00020.png")
    assert text_of(smaller).endswith("\n-# as WebP")
    data = await on.discord.file(*smaller["attachments"])
    assert len(data) <= 10 * MIB
    with Image.open(io.BytesIO(data)) as picture:
        assert (picture.format, picture.size) == ("WEBP", (2048, 2048))
    assert refused(on.discord.world, card["id"]) == []


async def test_each_refusal_for_size_is_a_step_down(on: Stage) -> None:
    card, brush = await on.easel()
    there = f"POST /channels/{card['id']}/messages"
    picture, names = png_of(noise(7, 800)), []
    for iteration, steps in ((10, 1), (12, 2), (14, 6)):
        code = await on.discord.fault(there, times=steps, status=413, code=40005 if steps % 2 else 0)
        await brush.snapshot(iteration, picture)
        message = await on.posted(card["id"], *(f"{iteration:05d}.{ending}" for ending in ("png", "webp", "jpg")))
        names += [name.rpartition("-")[2] for name in files_of(message)]
        assert "\n-# as " in text_of(message)
        assert await code.hits() == steps
    assert [name.rpartition(".")[2] for name in names] == ["webp", "webp", "jpg"]
    assert "of its size" in text_of(message)
    assert len(pictures(on.discord.world, card["id"])) == 3


async def test_a_server_that_takes_no_file_at_all_gets_the_words(on: Stage) -> None:
    card, brush = await on.easel()
    await on.discord.fault(f"POST /channels/{card['id']}/messages", status=413, code=40005)
    await brush.snapshot(10)
    told = "A picture is too large for this server even at its smallest, and was left out: ask for a smaller size."
    assert "**Painting**" in text_of(await on.scene.ended(card, told))
    await brush.done()
    done = await on.scene.ended(card)
    assert told in text_of(done)
    assert any(name.endswith("painting.jpg") for name in files_of(done))
    assert posted(on.discord.world, card["id"], "png", "webp", "jpg") == []
    assert len(refused(on.discord.world, card["id"])) < 20
