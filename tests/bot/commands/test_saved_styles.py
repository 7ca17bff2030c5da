"""`/style`: a server keeps styles by name; who may save, use and delete them, and when they go."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from discord_server.driver import Person
from discord_server.message_text import buttons_of, files_of, is_ephemeral, text_of
from saved_styles_kit import DRAWN, Place, a_place, accepted, blobs, by_name, job_of, names, painted, save
from scene import SMALL, Scene, clip, picture, pictures, scene
from support.workers import WorkerPool

from bot.drawn_styles import DRAWN_STYLES
from engine.contract.connection import connect
from engine.contract.saved_styles import LEFT_DAYS, SavedStyles
from engine.contract.store import Store
from engine.contract.stored_blobs import noted

pytestmark = pytest.mark.asyncio(loop_scope="module")

Json = dict[str, Any]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    folder = tmp_path_factory.mktemp("styles")
    async with scene(pool, folder, IMPASTO_USER_STYLES="3", IMPASTO_GUILD_STYLES="4") as made:
        yield made
        assert made.discord.world.violations == []
        assert made.discord.world.pings == []


@pytest_asyncio.fixture(loop_scope="module")
async def place(stage: Scene) -> Place:
    return await a_place(stage)


async def test_a_bot_in_front_of_a_new_store_puts_the_first_styles_there(stage: Scene, place: Place) -> None:
    shown = await (await place.mem.slash(place.channel, "style list")).shown()
    assert "### 5 saved styles" in text_of(shown)
    kept = sorted((stage.pool.folder / "store" / "drawn").iterdir())
    assert {path.stem: path.read_bytes() for path in kept} == DRAWN_STYLES


async def test_a_saved_style_is_offered_listed_and_painted_like(stage: Scene, place: Place) -> None:
    assert await save(stage, place, "Dusk at sea", recipe="classic", strength=2.0, size=96) == (
        "Saved as **Dusk at sea**: by `/stylize style_name:` everybody in this server can paint like it "
        "(classic, strength 2, 96 px)."
    )
    assert await names(place, place.other) == ["Dusk at sea", *DRAWN]
    assert await names(place, place.other, typed="SEA") == ["Dusk at sea"]
    shown = await (await place.other.slash(place.channel, "style list")).shown()
    assert is_ephemeral(shown)
    assert "### 6 saved styles" in text_of(shown)
    assert f"**Dusk at sea**\n-# by <@{place.mem.id}>" in text_of(shown)
    assert "classic · strength 2 · 96 px" in text_of(shown)
    assert "drawn by this project" in text_of(shown)
    assert len(files_of(shown)) == 6
    for file in files_of(shown).values():
        assert (await stage.discord.download(file["url"])).startswith(b"\xff\xd8")
    asked = await by_name(stage, place, "dusk AT sea", place.other, size=None)
    card = await stage.card(asked, place.channel)
    assert text_of(card).startswith("### harbour × Dusk at sea")
    assert "classic, 24 iterations at 96 px, twice the usual strength" in text_of(card)
    job = await job_of(stage, asked.id)
    assert job.styles[0].key == f"jobs/{asked.id}/picture-1.png"
    # What is asked for goes before what was saved.
    job = await job_of(stage, (await accepted(stage, place, "dusk at sea", size=64, recipe="fine", strength=1.0)))
    assert (job.recipe.name, job.recipe.size) == ("fine", 64)


async def test_what_a_bot_that_is_killed_before_it_refers_to_it_has_stored_is_left_to_the_sweep(
    stage: Scene, place: Place
) -> None:
    """No sweep has been made while it was of a style or painting."""
    await save(stage, place, "short")
    stored = await blobs(stage, place)
    job = await accepted(stage, place, "short")
    async with connect(stage.pool.url) as redis:
        assert {*stored, f"jobs/{job}"} <= await noted(redis, Store(stage.pool.store_url))


async def test_a_style_saved_above_the_limits_is_painted_within_them(stage: Scene, place: Place) -> None:
    await save(stage, place, "dusk", recipe="classic", size=1024, iterations=3000)
    rules = {"choices": json.dumps({"size": 512, "iterations": 700})}
    async with connect(stage.pool.url) as redis:
        await redis.hset(f"impasto:guild:{place.guild.id}", mapping=rules)  # type: ignore[misc]
    job = await job_of(stage, await accepted(stage, place, "dusk", size=None, iterations=None))
    assert (job.recipe.name, job.recipe.size, job.recipe.iterations) == ("classic", 512, 700)
    asked = await by_name(stage, place, "dusk", size=600, iterations=None)
    assert await stage.private_reply(asked) == "The size may be at most 512 px here: ask for a smaller one."


async def test_a_film_like_a_style_saved_above_the_limits_is_within_them(stage: Scene, place: Place) -> None:
    """Unless its iterations were chosen."""
    await save(stage, place, "dusk", recipe="classic", iterations=3000)
    async with connect(stage.pool.url) as redis:
        rules = {"choices": json.dumps({"iterations": 1000})}
        await redis.hset(f"impasto:guild:{place.guild.id}", mapping=rules)  # type: ignore[misc]
    film: Json = {"content": ("clip.gif", clip()), "animate": True}
    job = await job_of(stage, await accepted(stage, place, "dusk", iterations=None, **film))
    assert (job.recipe.name, job.recipe.frames, job.iterations) == ("classic", 3, 1000)
    told = await stage.private_reply(await by_name(stage, place, "dusk", iterations=1000, **film))
    assert told.startswith("A film of 3 pictures takes 1,080 iterations, and 1,000 is the most here: ")


async def test_a_lost_picture_is_told_as_such_and_a_store_that_is_away_as_that(stage: Scene, place: Place) -> None:
    await save(stage, place, "lost")
    asked = await by_name(stage, place, "lost")
    card = await stage.card(asked, place.channel)
    folder = stage.pool.folder / "store"
    aside = folder.rename(folder.with_name("aside"))
    folder.write_text("no folder")
    away = "My store of pictures does not answer: try again in a few minutes."
    told = [await stage.private_reply(await place.mem.press(card, button)) for button in ("Again", "Swap")]
    told.append(await stage.private_reply(await by_name(stage, place, "lost")))
    folder.unlink()
    aside.rename(folder)
    assert told == [away, away, away]
    store = Store(stage.pool.store_url)
    await store.delete(*await blobs(stage, place), f"jobs/{asked.id}/picture-0.png")
    assert await stage.private_reply(await by_name(stage, place, "lost")) == (
        "The picture of the style lost is no longer there: save it again, or choose another style."
    )
    assert await stage.private_reply(await place.mem.press(card, "Again")) == (
        "The pictures of that painting are no longer kept: start over with `/stylize`."
    )


@pytest.mark.parametrize("blank", ["\u200b", "\u3164 \u2800"])
async def test_a_name_of_which_nothing_is_seen_is_no_name(stage: Scene, place: Place, blank: str) -> None:
    """Neither that of the style which is called as such a name is shown."""
    assert await save(stage, place, blank) == "Nothing of that name would be seen: choose another one."
    await save(stage, place, "picture")
    deleted = await stage.private_reply(await place.mem.slash(place.channel, "style delete", name=blank))
    assert deleted.startswith("There is no saved style called")
    painted_like = await stage.private_reply(await by_name(stage, place, blank))
    assert painted_like.startswith("There is no saved style called")
    assert await names(place, typed=blank) == await names(place)
    assert "picture" in await names(place)


@pytest.mark.parametrize("name", ["black/white", "<3 @sea", "the \N{WOMAN}\u200d\N{ARTIST PALETTE}"])
async def test_a_name_is_found_as_it_was_typed(stage: Scene, place: Place, name: str) -> None:
    """Though what it is saved and shown as has look-alikes of some of its letters."""
    assert (await save(stage, place, name)).startswith("Saved as ")
    (saved,) = set(await names(place)) - set(DRAWN)
    assert saved != name
    assert "There is a style called" in await save(stage, place, name)
    for typed in (name, name[:5], name[-3:], saved):
        assert await names(place, typed=typed) == [saved]
    assert await names(place, typed=" ") == await names(place)
    further = await place.mem.autocomplete(place.channel, "gallery", "style_names", f"{name}, ")
    assert saved not in [one["value"].split(", ")[1] for one in further]
    for typed in (name, saved):
        job = await job_of(stage, await accepted(stage, place, typed))
        assert [style.name for style in job.styles] == [saved]
    deleted = await place.mem.slash(place.channel, "style delete", name=name)
    assert (await stage.private_reply(deleted)).startswith("Deleted: ")


@pytest.mark.long
async def test_a_painting_by_name_comes_to_its_end(stage: Scene, pool: WorkerPool, place: Place) -> None:
    asked = await by_name(stage, place, "night", style2=stage.style)
    card = await painted(stage, pool, await stage.card(asked, place.channel))
    assert pictures(stage.discord.world, card["id"])[-3:] == ["final.png", "loss.png", "film.webp"]
    assert [style.name for style in (await job_of(stage, asked.id)).styles] == ["night", "strokes.png"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({}, "There is no style: attach one as `style`, or choose a saved one as `style_name`."),
        (
            {"style_name": "night", "style": "the picture"},
            "`style` and `style_name` both say what the style is: leave out one of them.",
        ),
        (
            {"style_name": "[no](http://x) @everyone"},
            r"There is no saved style called \[no\]\(http\:∕∕x\) ＠everyone here: "
            "`/style list` shows those that there are.",
        ),
    ],
)
async def test_which_style_is_meant_must_be_clear(stage: Scene, place: Place, options: Json, sentence: str) -> None:
    given = {key: stage.style if value == "the picture" else value for key, value in options.items()}
    asked = await place.mem.slash(place.channel, "stylize", content=stage.content, **SMALL, **given)
    assert await stage.private_reply(asked) == sentence
    assert await stage.traces(asked.id) == []


async def test_a_name_is_taken_once_and_caps_hold(stage: Scene, place: Place) -> None:
    assert "There is a style called NIGHT here already" in await save(stage, place, "NIGHT")
    saved = await asyncio.gather(*(save(stage, place, "one") for _ in range(3)))
    assert sorted(reply[:6] for reply in saved) == ["Saved ", "There ", "There "]
    for name in ("two", "three"):
        assert (await save(stage, place, name)).startswith("Saved")
    most = "You have saved 3 styles here, and that is the most: delete one by `/style delete` first."
    assert await save(stage, place, "four") == most
    assert (await save(stage, place, "four", place.other)).startswith("Saved")
    most = "This server has 4 saved styles, and that is the most: delete one by `/style delete` first."
    assert await save(stage, place, "five", place.other) == most
    assert len(await blobs(stage, place)) == 4


@pytest.mark.parametrize(
    ("file", "words"),
    [(("notes.txt", b"words"), "notes.txt is no picture"), (("x.png", b"\x89PNG\r\n\x1a\n"), "x.png")],
)
async def test_what_is_no_picture_is_not_saved(stage: Scene, place: Place, file: Any, words: str) -> None:
    assert words in await save(stage, place, "broken", picture=file)
    assert await names(place) == DRAWN
    assert await blobs(stage, place) == []


async def test_who_saved_it_and_moderators_delete_it_and_nobody_else(stage: Scene, place: Place) -> None:
    for name in ("mine", "another"):
        await save(stage, place, name)
    assert await names(place, place.other, "style delete") == []
    assert await names(place, None, "style delete") == ["another", "mine"]
    assert await names(place, place.moderator, "style delete") == ["another", *DRAWN[:2], "mine", *DRAWN[2:]]

    async def delete(person: Person, name: str) -> str:
        return await stage.private_reply(await person.slash(place.channel, "style delete", name=name))

    only = f"Only <@{place.mem.id}>, who saved it, or a member with Manage Messages can delete this style."
    assert await delete(place.other, "mine") == only
    assert await delete(place.mem, "ink") == "Only a member with Manage Messages can delete this style."
    assert await delete(place.mem, "MINE") == "Deleted: MINE. What was painted like it stays.".replace("MINE", "mine")
    for right, name in (("manage_messages", "another"), ("manage_guild", "ink")):
        assert (await delete(await place.guild.member("One", permissions=[right]), name)).startswith("Deleted")
    assert await names(place) == [name for name in DRAWN if name != "ink"]
    assert await blobs(stage, place) == []


async def test_the_rules_of_the_server_hold_for_saving(stage: Scene, place: Place) -> None:
    shown = await (await place.moderator.slash(place.channel, "impasto settings")).shown()
    await (await place.moderator.choose(shown, place.mem, of="Members for whom I do not paint")).answered()
    refused = "This server's moderators do not let you paint here: ask them, or paint in another server."
    assert await save(stage, place, "sly") == refused
    elsewhere = await place.guild.channel("elsewhere")
    await (await place.moderator.choose(shown, elsewhere, of="Channels in which I paint: all")).answered()
    assert (
        await save(stage, place, "sly", place.other) == f"In this server I paint only in <#{elsewhere.id}>: ask there."
    )
    assert await names(place) == DRAWN


async def test_forget_reaches_what_a_member_saved_in_every_server(stage: Scene, place: Place) -> None:
    there = await stage.discord.guild("There")
    eve = await there.member("Eve")
    channel = await there.channel("paintings")
    await save(stage, place, "stays")
    for name in ("a", "b"):
        given = {"name": name, "picture": stage.style}
        await stage.private_reply(await eve.slash(channel, "style save", **given))
    assert await stage.private_reply(await eve.slash(channel, "forget")) == "Your 2 saved styles: deleted."
    assert [one["value"] for one in await eve.autocomplete(channel, "stylize", "style_name", "")] == DRAWN
    assert await Store(stage.pool.store_url).blobs(f"styles/{there.id}/") == []
    assert await stage.private_reply(await eve.slash(channel, "forget")) == "I keep nothing of yours."
    assert "stays" in await names(place)


async def test_a_spoiler_and_an_age_restricted_style_stay_what_they_are(
    stage: Scene, place: Place, tmp_path: Path
) -> None:
    covered = picture(tmp_path / "SPOILER_end.png", 4)
    await save(stage, place, "the end", picture=covered)
    shown = await (await place.mem.slash(place.channel, "style list")).shown()
    assert [file["spoiler"] for file in files_of(shown).values()].count(True) == 1
    assert (await job_of(stage, await accepted(stage, place, "the end"))).spoiler
    private = await place.guild.channel("private", nsfw=True)
    given = {"name": "bare", "picture": stage.style}
    await stage.private_reply(await place.mem.slash(private, "style save", **given))
    assert "bare" not in await names(place)
    assert "bare" not in text_of(await (await place.mem.slash(place.channel, "style list")).shown())
    refused = "The style bare was saved in an age-restricted channel: use it in one of those."
    assert await stage.private_reply(await by_name(stage, place, "bare")) == refused
    assert "bare" in [one["value"] for one in await place.mem.autocomplete(private, "stylize", "style_name", "")]
    asked = await place.mem.slash(private, "stylize", content=stage.content, style_name="bare", **SMALL)
    assert (await stage.private_reply(asked)).startswith("Accepted: ")


async def test_a_gallery_of_saved_and_attached_styles(stage: Scene, place: Place) -> None:
    async def offered(typed: str) -> list[str]:
        return [one["value"] for one in await place.mem.autocomplete(place.channel, "gallery", "style_names", typed)]

    async def ask(**given: Any) -> str:
        asked = await place.mem.slash(place.channel, "gallery", content=stage.content, **SMALL, **given)
        reply = await stage.private_reply(asked)
        return str(asked.id) if reply.startswith("Accepted") else reply

    assert await offered("pos") == ["poster"]
    assert await offered("ink, ") == [f"ink, {name}" for name in DRAWN if name != "ink"]
    assert await offered("ink、") == await offered("ink， ") == await offered("ink, ")
    job = await job_of(stage, await ask(style1=stage.style, style_names="ink、  NIGHT"))
    assert [style.name for style in job.styles] == ["strokes.png", "ink", "night"]
    assert [part.styles[0].name for part in job.parts] == ["strokes.png", "ink", "night"]
    assert await ask() == "A study of styles needs two of them, or more."
    assert await ask(style_names=", ".join(DRAWN * 2)) == "These are 10 styles, and 8 are the most: leave some out."
    assert "There is no saved style called no here" in await ask(style_names="ink, no")
    assert "no comma" in await save(stage, place, "a, b")
    assert "no comma" in await save(stage, place, "夜、墨")


async def test_a_gallery_offers_no_style_that_it_would_not_find(stage: Scene, place: Place) -> None:
    """One that was saved before names had no comma."""
    async with connect(stage.pool.url) as redis:
        styles = SavedStyles(redis, Store(stage.pool.store_url))
        await save(stage, place, "old")
        saved = await styles.find(int(place.guild.id), "old")
        assert saved is not None
        for name in ("夜、墨", "夜，墨"):
            await styles.save(int(place.guild.id), saved.model_copy(update={"name": name}), 9, 9)
    offered = await place.mem.autocomplete(place.channel, "gallery", "style_names", "")
    assert [one["value"] for one in offered] == sorted([*DRAWN, "old"])
    assert {"夜、墨", "夜，墨"} < set(await names(place))


async def test_a_long_list_has_pages(stage: Scene, place: Place) -> None:
    for name, person in (("a", place.mem), ("b", place.mem), ("c", place.mem), ("d", place.other)):
        await save(stage, place, name, person)
    shown = await (await place.mem.slash(place.channel, "style list")).shown()
    assert [button["label"] for button in buttons_of(shown)] == ["Next"]
    assert len(files_of(shown)) == 8
    await (await place.mem.press(shown, "Next")).answered()
    page = await stage.discord.until(lambda world: _saying(world.message(shown), "**strokes**"))
    assert len(files_of(page)) == 1
    assert [button["label"] for button in buttons_of(page)] == ["Previous"]


def _saying(message: Json, words: str) -> Json | None:
    return message if words in text_of(message) else None


async def test_direct_messages_have_the_drawn_ones_and_keep_none(stage: Scene) -> None:
    dm = await stage.ada.dm()
    offered = await stage.ada.autocomplete(dm, "stylize", "style_name", "")
    assert [one["value"] for one in offered] == DRAWN
    asked = await stage.ada.slash(dm, "stylize", content=stage.content, style_name="poster", **SMALL)
    assert await stage.private_reply(asked) == "Accepted: watch it below."
    asked = await stage.ada.slash(dm, "style save", name="x", picture=stage.style)
    assert await stage.private_reply(asked) == "Styles are saved for a server: use this in a server that I am in."


@pytest.mark.long
@pytest.mark.parametrize("away", [False, True])
async def test_the_styles_of_a_server_that_the_bot_was_removed_from_expire_unless_it_comes_back(
    stage: Scene, place: Place, away: bool
) -> None:
    """Also where it was `away` when it was removed."""
    await save(stage, place, "stays")
    key = f"impasto:styles:{place.guild.id}"
    if away:
        stage.bots[-1].end()
        await place.guild.kick_bot()
    async with connect(stage.pool.url) as redis, redis.monitor() as monitor:
        if away:
            await stage.start_bot(IMPASTO_USER_STYLES="3", IMPASTO_GUILD_STYLES="4")
        else:
            await place.guild.kick_bot()
        async for command in monitor.listen():
            if command["command"].startswith(f"EXPIRE {key} "):
                break
        assert 6 * 86400 < await redis.ttl(key) <= LEFT_DAYS * 86400
        assert await blobs(stage, place)
        await place.guild.invite_bot()
        async for command in monitor.listen():
            if command["command"] == f"PERSIST {key}":
                break
        assert await redis.ttl(key) == -1
    assert "stays" in await names(place)
