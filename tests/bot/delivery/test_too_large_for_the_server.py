"""A file over the server's limit is sent smaller, by the limit at the time of posting."""

from __future__ import annotations

import io

import pytest
from discord_server.message_text import files_of, text_of
from PIL import Image
from scene import pictures
from support.delivery import Stage, job_of, png_of, posted, refused
from support.pictures import noise

pytestmark = pytest.mark.asyncio(loop_scope="module")

MIB = 2**20


@pytest.mark.long
async def test_a_boost_that_ends_after_the_order_sends_the_next_picture_as_webp(stage: Stage) -> None:
    await stage.scene.guild.boost(2)
    card, manual_worker = await stage.manual_painting()
    large = png_of(noise(7, 2048))
    assert len(large) > 10 * MIB
    await manual_worker.snapshot(10, large)
    whole = await stage.posted(card["id"], "00010.png")
    assert await stage.discord.file(*whole["attachments"]) == large
    await stage.scene.guild.boost(0)
    await stage.scene.private_reply(
        await stage.scene.ada.slash(stage.scene.channel, "queue")
    )  # so the bot has heard of it
    await manual_worker.snapshot(20, large)
    smaller = await stage.posted(card["id"], "00020.webp", "00020.png")
    assert text_of(smaller).endswith("\n-# as WebP")
    data = await stage.discord.file(*smaller["attachments"])
    assert len(data) <= 10 * MIB
    with Image.open(io.BytesIO(data)) as picture:
        assert (picture.format, picture.size) == ("WEBP", (2048, 2048))
    assert refused(stage.discord.world, card["id"]) == []


async def test_each_refusal_for_size_is_a_step_down(stage: Stage) -> None:
    card, manual_worker = await stage.manual_painting()
    there = f"POST /channels/{card['id']}/messages"
    picture, names = png_of(noise(7, 800)), []
    for iteration, steps in ((10, 1), (12, 2), (14, 6)):
        code = await stage.discord.fault(there, times=steps, status=413, code=40005 if steps % 2 else 0)
        await manual_worker.snapshot(iteration, picture)
        message = await stage.posted(card["id"], *(f"{iteration:05d}.{ending}" for ending in ("png", "webp", "jpg")))
        names += [name.rpartition("-")[2] for name in files_of(message)]
        assert "\n-# as " in text_of(message)
        assert await code.hits() == steps
    assert [name.rpartition(".")[2] for name in names] == ["webp", "webp", "jpg"]
    assert "of its size" in text_of(message)
    assert len(pictures(stage.discord.world, card["id"])) == 3


@pytest.mark.long
async def test_what_was_left_out_is_told_at_the_end_too_and_by_show_and_after_a_restart(stage: Stage) -> None:
    """In the server's language, though who asks to be shown it has another."""
    made = stage.scene
    made.guild = await stage.discord.guild("Atelier", locale="de")
    made.channel, made.ada = await made.guild.channel("bilder"), await made.guild.member("Ada")
    card, manual_worker = await stage.manual_painting()
    fault = await stage.discord.fault(f"POST /channels/{card['id']}/messages", status=413, code=40005)
    await manual_worker.snapshot(10)
    told = "und wurde weggelassen"
    await stage.scene.ended(card, told)
    await fault.remove()
    stage.scene.bots[-1].kill()
    await stage.scene.start_bot()
    await manual_worker.progress(20)
    await stage.scene.ended(card, told)
    await manual_worker.done()
    assert told in text_of(await stage.scene.ended(card, "**Fertig**"))
    shown = await (await stage.scene.ada.slash(stage.scene.channel, "show", job=job_of(card))).shown()
    assert told in text_of(shown)


@pytest.mark.long
async def test_a_server_that_takes_no_file_at_all_gets_the_words(stage: Stage) -> None:
    card, manual_worker = await stage.manual_painting()
    await stage.discord.fault(f"POST /channels/{card['id']}/messages", status=413, code=40005)
    await manual_worker.snapshot(10)
    told = "A picture is too large for this server even at its smallest, and was left out: ask for a smaller size."
    assert "**Painting**" in text_of(await stage.scene.ended(card, told))
    await manual_worker.done()
    done = await stage.scene.ended(card)
    assert told in text_of(done)
    assert any(name.endswith("painting.jpg") for name in files_of(done))
    assert posted(stage.discord.world, card["id"], "png", "webp", "jpg") == []
    assert len(refused(stage.discord.world, card["id"])) < 20
