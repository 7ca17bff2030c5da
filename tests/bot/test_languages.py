"""Who reads what in which language: a card is in its server's, an answer in its member's, and no English is left."""

from __future__ import annotations

import functools
import re
import string
from collections.abc import AsyncIterator
from typing import Any

import catalogue
import pytest
import pytest_asyncio
from babel.messages.pofile import read_po
from card_kit import a_job
from discord_server.driver import Channel, Guild, Person
from discord_server.message_text import buttons_of, files_of, is_ephemeral, selects_of, text_of
from manual_worker import manual_worker
from scene import LONG, Scene, pictures, scene
from support.workers import WorkerPool

from bot.text.drawn_texts import WITHOUT_LETTERS, drawn_texts
from bot.text.study_text import at_tile, study_in_words, tile_label
from bot.text.translation import LANGUAGE_NAMES, LANGUAGES, _, pgettext, speaking
from engine.contract.connection import connect
from engine.contract.jobs import Jobs
from engine.contract.models import StoredPicture
from engine.contract.study import Part, Study
from engine.recipe.presets import preset
from engine.recipe.studies import variants

pytestmark = pytest.mark.asyncio(loop_scope="module")

Json = dict[str, Any]
FOREIGN = {"de": "fr", "es": "de", "fr": "pt_BR", "ja": "es", "pt_BR": "ja"}
"""What a member speaks in a server that has another language."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    async with scene(pool, tmp_path_factory.mktemp("languages")) as made:
        yield made
        assert made.discord.world.violations == []


def locale(language: str) -> str:
    return LANGUAGES[language][-1] if language in LANGUAGES else "en-US"


async def place(stage: Scene, language: str, member: str, **rights: Any) -> tuple[Guild, Channel, Person]:
    """A server in one language with a member who speaks another."""
    guild = await stage.discord.guild("Atelier", locale=locale(language))
    return guild, await guild.channel("bilder"), await guild.member("Eva", locale=locale(member), **rights)


async def test_after_a_restart_a_painting_goes_on_in_its_language(stage: Scene) -> None:
    _guild, channel, eva = await place(stage, "de", "fr")
    asked = await stage.stylize(eva, channel, **LONG)
    card = await stage.card(asked, channel)
    async with manual_worker(stage, asked.id) as painter:
        await painter.snapshot(10)
        await stage.discord.until(lambda world: len(pictures(world, card["id"])) == 1 or None)
        slow = await stage.discord.fault("PATCH /webhooks/**", delay_s=600)
        queue = await eva.slash(channel, "queue")
        await queue.answered()
        stage.bots[-1].kill()
        await slow.remove()
        await painter.snapshot(30)
        await stage.start_bot()
        told = text_of(await queue.shown())
        assert told.startswith("J’ai été redémarré")
        captions = await stage.discord.until(lambda world: _captions(world.messages(card["id"]), 2))
        assert captions[-1].startswith("**Iteration 30** von 90.000 · Verlust ")
        await painter.stopped(40)
    await stage.ended(card, "**Angehalten** bei Iteration 40 von 90.000")


def _captions(messages: list[Json], count: int) -> list[str] | None:
    found = [text_of(message) for message in messages if files_of(message)]
    return found if len(found) >= count else None


@pytest.mark.long
@pytest.mark.parametrize("language", LANGUAGES)
async def test_nothing_english_is_left_of_a_painting(stage: Scene, late_worker: None, language: str) -> None:
    _guild, channel, eva = await place(stage, language, FOREIGN[language])
    asked = await stage.stylize(eva, channel, strength=2.0, seed=7)
    with speaking(language):
        done, loss = _("**Done**"), _("**The loss** at each iteration")
    card = await stage.ended(await stage.card(asked, channel), done)
    thread = await stage.discord.until(lambda world: _whole(world.messages(card["id"]), loss))
    shown = [card, *thread]
    texts = [text_of(message) for message in shown]
    texts += [str(file["description"]) for message in shown for file in files_of(message).values()]
    texts += [button["label"] for message in shown for button in buttons_of(message)]
    assert len(texts) > 20
    assert {text: found for text in texts if (found := leftovers(text, language))} == {}
    with speaking(FOREIGN[language]):
        assert await stage.private_reply(asked) == _("Accepted: watch it in {place}.", place=f"<#{card['id']}>")
    async with connect(stage.pool.url) as redis:
        job = await Jobs(redis).get(asked.id)
    assert job is not None
    with speaking(language):
        assert job.drawn_texts == drawn_texts(job)
        assert bool(job.drawn_texts) == (language not in WITHOUT_LETTERS)


def _whole(thread: list[Json], loss: str) -> list[Json] | None:
    """Once all of it is there: after the plot comes the film alone."""
    return thread if len(thread) >= 4 and loss in map(text_of, thread[:-1]) else None


def leftovers(text: str, language: str) -> list[str]:
    """The English messages that are in a text; none of those that this language has the same."""
    return [english for english, pattern in _english(language) if pattern.search(text)]


@functools.cache
def _english(language: str) -> list[tuple[str, re.Pattern[str]]]:
    """Those messages, each with what finds it in a text."""
    with (catalogue.LOCALES / f"{language}.po").open("rb") as file:
        known = read_po(file, locale=language)
    found = []
    for message in known:
        english, own = (str(one[0] if isinstance(one, tuple | list) else one) for one in (message.id, message.string))
        fixed = [part[0] for part in string.Formatter().parse(english)]
        if max(map(len, re.findall(r"[A-Za-z]+", " ".join(fixed))), default=0) > 3 and own != english:
            found.append((english, re.compile(rf"(?<!\w){'.+?'.join(map(re.escape, fixed))}(?!\w)")))
    return found


async def test_an_english_leftover_is_found() -> None:
    assert leftovers("**Stopped** at iteration 10 of 300", "de")
    assert leftovers("**Angehalten** bei Iteration 10 von 300", "de") == []
    assert leftovers("# Wird gemalt\nSeed 7 · painting `1`", "de")


async def test_a_member_is_answered_in_their_language_by_whatever_way(stage: Scene, late_worker: None) -> None:
    _guild, channel, eva = await place(stage, "en", "de")
    card = await stage.ended(await stage.card(await stage.stylize(eva, channel), channel))
    pdf, no_code = ("a.pdf", b"%PDF-1.7"), {"recipe_code": "nonsense", "size": None, "iterations": None}
    refusals = [
        await stage.private_reply(await eva.slash(channel, "stylize", content=stage.content)),
        await stage.private_reply(await eva.slash(channel, "stylize", content=pdf, style=stage.style)),
        await stage.private_reply(await stage.stylize(eva, channel, **no_code)),
        await stage.private_reply(await eva.slash(channel, "cancel", job="1")),
    ]  # fmt: skip
    assert [text for text in refusals if leftovers(text, "de")] == []
    assert refusals[0].startswith("Es fehlt ein Stil: Häng einen als `stil` an")
    assert await stage.private_reply(await eva.slash(channel, "queue")) == (
        "0 Gemälde insgesamt in Arbeit, am Malen: 1 Worker.\nKeines davon ist von hier."
    )
    picture = next(message for message in stage.discord.world.messages(card["id"]) if files_of(message))
    form = await eva.press(picture, "From here")
    await form.answered()
    assert form.modal.title == "Von hier weitermalen"
    sent = await eva.submit(form.modal, {"iterations": "many", "strength": "1"})
    assert await stage.private_reply(sent) == (
        "Die Zahl der Iterationen muss eine ganze Zahl zwischen 1 und 99.900 sein: Versuch es noch einmal."
    )


async def test_direct_messages_are_in_the_members_language(stage: Scene, late_worker: None) -> None:
    eva = await stage.discord.user("Eva", installed=True, locale="ja")
    channel = stage.discord.channel(await eva.dm())
    card = await stage.ended(await stage.card(await stage.stylize(eva, channel), channel), "**完成**")
    assert leftovers(text_of(card), "ja") == []


async def test_moderators_choose_what_everybody_reads(stage: Scene, late_worker: None) -> None:
    _guild, channel, mo = await place(stage, "en", "fr", permissions=["manage_guild"])
    panel = await (await mo.slash(channel, "impasto settings")).shown()
    assert is_ephemeral(panel)
    assert leftovers(text_of(panel), "fr") == []
    with speaking("fr"):
        select, usual, chosen = _("Language"), _("as the server has it in Discord"), LANGUAGE_NAMES["pt_BR"]
        same, other = (_("Language: {name}", name=name) for name in (usual, chosen))
    assert same in text_of(panel)
    assert [one["placeholder"] for one in selects_of(panel) if one["placeholder"] == select] == [select]
    await (await mo.choose(panel, chosen, of=select)).answered()
    await stage.discord.until(lambda world: other in text_of(world.message(panel)) or None)
    card = await stage.ended(await stage.card(await stage.stylize(mo, channel), channel), "**Pronto**")
    await (await mo.choose(stage.discord.world.message(panel), usual, of=select)).answered()
    await stage.discord.until(lambda world: same in text_of(world.message(panel)) or None)
    again = await mo.press(card, "De novo")
    await stage.ended(await stage.card(again, channel), "**Done**")


async def test_commands_have_their_names_in_every_language(stage: Scene) -> None:
    commands = {command["name"]: command for command in stage.discord.world.commands}
    for name in ("stylize", "queue", "Use as style"):
        told = commands[name]["name_localizations"]
        assert set(told) == {name for locales in LANGUAGES.values() for name in locales}
    with speaking("ja"):
        assert commands["queue"]["name_localizations"]["ja"] == pgettext("command", "queue") == "順番待ち"


async def test_a_card_that_was_posted_in_german_is_a_picture_to_style_by_its_own_name(
    stage: Scene, late_worker: None
) -> None:
    _guild, channel, eva = await place(stage, "de", "de")
    card = await stage.ended(await stage.card(await stage.stylize(eva, channel), channel), "**Fertig**")
    menu = await eva.menu(channel, card, "Use as style")
    shown = await menu.shown()
    labels = [option["label"] for select in selects_of(shown) for option in select["options"]]
    assert labels[1:] == ["2. harbour.png", "3. strokes.png"]


async def test_the_pictures_of_a_study_are_called_in_the_servers_language() -> None:
    """Their labels are the engine's, and lie in the job in English."""
    picture = StoredPicture(key="nowhere", name="harbour.png", width=32, height=32)
    recipe = preset("fine", iterations=20, size=64)
    parts = [
        Part(label=variant.label, recipe=recipe, content=picture, styles=(picture,))
        for variant in variants("start", recipe, {}, ["strokes"])
    ]
    job = a_job().model_copy(update={"study": Study(vary="start", parts=tuple(parts))})
    with speaking("de"):
        told = [tile_label(job, tile) for tile in job.tiles]
        assert at_tile(job, 30) == "Bild 2 von 9, 30 % Rauschen · Iteration 30 von 180"
        assert study_in_words(job) == ["9 Bilder, variiert: der Start"]
    assert told[:2] == ["Inhalt", "30\N{NO-BREAK SPACE}% Rauschen"]
    assert told[4:] == ["Stil", "Stücke des Stils", "nur Rauschen", "Rauschen, Seed 1", "Rauschen, Seed 2"]
