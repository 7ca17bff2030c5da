"""**Before and after** and **Short film**, for passing on: shown once in a place, and reached by `/forget`."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from discord_server.message_text import buttons_of, files_of, is_ephemeral
from PIL import Image
from scene import LONG, Scene, picture, scene
from support.pictures import noise
from support.workers import WorkerPool

from bot.cards.before_and_after import before_and_after, side_by_side
from bot.post_ledger import Ledger
from bot.stored_pngs import Broken
from bot.text.translation import speaking
from engine.contract.connection import connect
from engine.contract.events import Done
from engine.contract.jobs import Jobs
from engine.contract.store import Store

pytestmark = pytest.mark.asyncio(loop_scope="module")

Json = dict[str, Any]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    async with scene(pool, tmp_path_factory.mktemp("sharing")) as made:
        pool.start_worker(seconds=0.3).ready()
        yield made
        assert made.discord.world.violations == []


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def painted(stage: Scene) -> Json:
    """The card of a painting for those tests that leave it as it is."""
    return await stage.painted()


async def brought(stage: Scene, card: Json) -> Json:
    """The card in a channel of its own, where nothing of it was shown yet."""
    channel = await stage.guild.channel("elsewhere")
    return await (await stage.ada.slash(channel, "show", job=_job(card))).shown()


def finished_picture(stage: Scene, card: Json) -> Json:
    """The message with it, in the painting's thread."""
    messages = stage.discord.world.messages(card["id"])
    (last,) = [one for one in messages if "Larger" in [button["label"] for button in buttons_of(one)]]
    return last


async def test_it_is_shown_to_all_once_in_a_place_and_then_to_who_presses(stage: Scene, painted: Json) -> None:
    card, bob = painted, await stage.guild.member("Bob")
    shown = await (await stage.ada.press(card, "Before and after")).shown()
    assert not is_ephemeral(shown)
    ((name, file),) = files_of(shown).items()
    assert name == f"impasto-{_job(card)}-before-and-after.jpg"
    assert file["description"] == "On the left the content, on the right the painting that was made of it"
    with Image.open(io.BytesIO(await stage.discord.download(file["url"]))) as image:
        assert (image.format, image.size) == ("JPEG", (2 * 480 + 8, 360 + 56))
        colours = [image.convert("RGB").crop(box).resize((1, 1)) for box in ((0, 0, 480, 360), (488, 0, 968, 360))]
        assert colours[0].tobytes() != colours[1].tobytes()
    for person in (stage.ada, bob):
        assert is_ephemeral(await (await person.press(card, "Before and after")).shown())
    last = finished_picture(stage, card)
    in_thread = await (await bob.press(last, "Before and after")).shown()  # another place
    assert not is_ephemeral(in_thread)
    elsewhere = await brought(stage, card)
    assert not is_ephemeral(await (await bob.press(elsewhere, "Before and after")).shown())


async def test_two_presses_at_once_show_it_to_all_once(stage: Scene, painted: Json) -> None:
    card, bob = await brought(stage, painted), await stage.guild.member("Bob")
    for button in ("Before and after", "Short film"):
        presses = await asyncio.gather(*(person.press(card, button) for person in (stage.ada, bob)))
        shown = [await press.shown() for press in presses]
        assert sorted(map(is_ephemeral, shown)) == [False, True]
        assert [len(files_of(message)) for message in shown] == [1, 1]


@pytest.mark.long
async def test_the_short_film_is_shown_beside_it_and_once_in_a_place_too(stage: Scene, painted: Json) -> None:
    card, bob = await brought(stage, painted), await stage.guild.member("Bob")
    for button in ("Before and after", "Short film"):
        assert not is_ephemeral(await (await stage.ada.press(card, button)).shown())
        assert is_ephemeral(await (await bob.press(card, button)).shown())
    last = finished_picture(stage, painted)
    shown = await (await bob.press(last, "Short film")).shown()
    assert not is_ephemeral(shown)
    ((name, file),) = files_of(shown).items()
    assert name == f"impasto-{_job(card)}-short-film.webp"
    assert shown["content"] == f"-# how it was painted, of painting `{_job(card)}`"
    with Image.open(io.BytesIO(await stage.discord.download(file["url"]))) as film:
        assert (film.format, film.size) == ("WEBP", (480, 360))
        assert getattr(film, "n_frames", 1) > 20


async def test_a_painting_without_a_film_has_a_short_one_too(stage: Scene) -> None:
    card = await stage.painted(film="no")
    shown = await (await stage.ada.press(card, "Short film")).shown()
    ((_, file),) = files_of(shown).items()
    with Image.open(io.BytesIO(await stage.discord.download(file["url"]))) as film:
        assert getattr(film, "n_frames", 1) > 5


async def test_of_a_film_the_last_picture_stands_beside_its_painting(stage: Scene) -> None:
    """Which is what final.png is of a film."""
    red, blue = (Image.new("RGB", (64, 48), colour) for colour in ((200, 20, 20), (20, 20, 200)))
    clip = io.BytesIO()
    red.save(clip, "GIF", save_all=True, append_images=[blue], duration=200)
    card = await stage.painted(content=("clip.gif", clip.getvalue()), animate=True)
    shown = await (await stage.ada.press(card, "Before and after")).shown()
    ((_, file),) = files_of(shown).items()
    with Image.open(io.BytesIO(await stage.discord.download(file["url"]))) as image:
        left, _, right = image.convert("RGB").resize((32, 24)).getpixel((8, 8))  # type: ignore[misc]
    assert right > left + 100


async def test_forget_takes_it_wherever_it_is(stage: Scene) -> None:
    eve, other = await stage.guild.member("Eve"), await stage.guild.channel("far")
    card = await stage.ended(await stage.card(await stage.stylize(eve)))
    shown = await (await eve.slash(other, "show", job=_job(card))).shown()
    for button in ("Before and after", "Short film"):
        await (await eve.press(shown, button)).shown()
    assert len(stage.discord.world.messages(other)) == 3
    await stage.private_reply(await eve.slash(stage.channel, "forget"))
    await stage.discord.until(lambda world: world.messages(other) == [] or None)


@pytest.mark.parametrize("button", ["Before and after", "Short film"])
async def test_what_was_forgotten_while_it_was_on_its_way_is_not_left(stage: Scene, button: str) -> None:
    eve, other = await stage.guild.member("Eve"), await stage.guild.channel("late")
    card = await stage.ended(await stage.card(await stage.stylize(eve)))
    shown = await (await eve.slash(other, "show", job=_job(card))).shown()
    await stage.forget_on_its_way(_job(card), eve, eve.press(shown, button))
    assert stage.discord.world.messages(other) == []
    assert f"impasto:posted:{_job(card)}" not in await stage.traces(_job(card))


@pytest.mark.long
@pytest.mark.parametrize("button", ["Before and after", "Short film"])
async def test_what_is_deleted_by_token_is_counted_no_more(stage: Scene, button: str) -> None:
    """Though Discord has deleted it at the first of two requests, and does not know it at the second."""
    eve, other = await stage.guild.member("Eve"), await stage.guild.channel("late")
    card = await stage.ended(await stage.card(await stage.stylize(eve)))
    shown = await (await eve.slash(other, "show", job=_job(card))).shown()
    deaf = await stage.discord.fault(f"DELETE /channels/{stage.channel.id}/messages/{card['id']}", status=503)
    late = await stage.discord.fault("PATCH /webhooks/**", with_files=True, times=1, delay_s=600)
    await stage.discord.fault("DELETE /webhooks/**", swallow="cut", times=1)
    press = await eve.press(shown, button)
    while not await late.hits():
        await stage.discord.now()
    await stage.private_reply(await eve.slash(stage.channel, "forget"))
    await late.release()
    async with connect(stage.pool.url) as redis:
        while await redis.exists(f"impasto:thinking:{press.id}"):
            await stage.discord.now()
        page = await Ledger(redis).page(_job(card))
    assert page is not None
    assert (page.shared, page.films) == ({}, frozenset())
    assert press.messages() == []
    assert [said for said in stage.said() if said["event"] == "an interaction broke off"] == []
    await deaf.remove()
    await stage.private_reply(await eve.slash(stage.channel, "forget"))
    await stage.discord.until(lambda world: card["id"] not in [one["id"] for one in world.messages(stage.channel)])


async def test_what_everybody_sees_is_lettered_in_the_servers_language(stage: Scene, painted: Json) -> None:
    card, eva = await brought(stage, painted), await stage.guild.member("Eva", locale="de")
    async with connect(stage.pool.url) as redis:
        job, done = await Jobs(redis).get(_job(card)), await Jobs(redis).outcome(_job(card))
    assert job is not None
    assert isinstance(done, Done)
    for language in ("en", "de"):  # the second one is for her alone
        shown = await (await eva.press(card, "Before and after")).shown()
        with speaking(language):
            drawn = await before_and_after(Store(stage.pool.store_url), job, done.files["final.png"])
        assert [await stage.discord.download(file["url"]) for file in files_of(shown).values()] == [drawn]


async def test_a_spoiler_stays_covered(stage: Scene, tmp_path: Path) -> None:
    card = await stage.painted(content=picture(tmp_path / "SPOILER_end.png", 3))
    for button in ("Before and after", "Short film"):
        shown = await (await stage.ada.press(card, button)).shown()
        assert [file["spoiler"] for file in files_of(shown).values()] == [True]


async def test_what_is_not_done_or_lost_is_a_sentence(stage: Scene) -> None:
    card = await stage.painted()
    store = Store(stage.pool.store_url)
    await store.delete(f"jobs/{_job(card)}/picture-0.png")
    refused = await stage.private_reply(await stage.ada.forge(card, f"impasto:code:{_job(card)}"))
    assert "impasto:1:" in refused or "no longer kept" in refused
    gone = await stage.private_instead(await stage.ada.press(card, "Before and after"))
    assert gone == "The pictures of that painting are no longer kept: start over with `/stylize`."
    asked = await stage.stylize(**LONG)
    running = await stage.card(asked)
    assert "Before and after" not in [button["label"] for button in buttons_of(running)]
    await stage.private_reply(await stage.ada.press(running, "Cancel"))


def _job(card: Json) -> str:
    return str(buttons_of(card)[0]["custom_id"].split(":")[2])


@pytest.mark.parametrize("size", [(20, 10), (10, 20), (2000, 300), (7, 500)])
async def test_both_stand_side_by_side_in_one_size(size: tuple[int, int]) -> None:
    before, after, style = (_png(noise(seed, 32).resize(size)) for seed in (1, 2, 3))
    with Image.open(io.BytesIO(side_by_side(before, after, [style] * 4))) as image:
        assert image.format == "JPEG"
        assert 480 <= max((image.width - 8) // 2, image.height - 56) <= 800


async def test_what_is_no_picture_is_told() -> None:
    with pytest.raises(Broken):
        side_by_side(b"x", _png(noise(1)), [])


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
