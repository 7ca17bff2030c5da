"""The catalogues: they have every text, whole, in every language; and no text for members stands outside of them."""

from __future__ import annotations

import ast
import re
import string
import textwrap
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

import catalogue
import discord
import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from discord import app_commands
from discord_server.command_rules import check_commands

from bot.commands import add_commands
from bot.lifecycle.command_names import CommandTranslator
from bot.text.translation import LABEL, LANGUAGES, STORED, command_text, label, speaking, stored

each_language = pytest.mark.parametrize("language", LANGUAGES)

ELSEWHERE = (
    "bot/terminal/", "bot/live_page/",  # for who runs the bot, in English
    "bot/intake/", "bot/decoder/",  # say English sentences, which are recognised: see `catalogue.sentences`
    "bot/lifecycle/", "bot/settings.py", "bot/backend.py", "bot/child_signals.py",
    "bot/discord_api/pacing.py", "bot/discord_api/proxy.py", "bot/discord_api/retry.py", "bot/text/translation.py",
)  # fmt: skip
"""Files in which nothing is said to members."""
TRANSLATES = (*catalogue.CALLS, "stored", "label", "in_all_languages")
TOLD = ("UserError", "AttachmentError", "BadPicture", "RecipeError", "reply_private", "TextDisplay", "Label")
"""What is given to these is read by members."""
KEYWORDS = ("label", "placeholder", "description", "text", "title", "content", "alt")
NO_WORDS = {"Adam", "L-BFGS", "Impasto", "px", "s", "min", "h", "and"}
"""Names and units."""
NO_TEXTS = {
    "Gatys, Ecker and Bethge, Image Style Transfer Using Convolutional Neural Networks, 2016",
    "stands by", "thread member", "unarchive first", "Le", "Ge",
}  # fmt: skip
"""Names of a paper, of states and of types."""


@cache
def english() -> Catalog:
    return catalogue.template()


@cache
def catalogue_of(language: str) -> Catalog:
    with (catalogue.LOCALES / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


def messages(of: Catalog) -> list[Message]:
    return [message for message in of if message.id]


def forms(text: Any) -> tuple[str, ...]:
    return tuple(text) if isinstance(text, (tuple, list)) else (text,)


@each_language
def test_every_message_is_translated_and_none_too_many(language: str) -> None:
    """`make catalogue` brings the file up to date; then the new messages want a translation."""
    wanted = {(message.context, forms(message.id)) for message in messages(english())}
    there = {(message.context, forms(message.id)) for message in messages(catalogue_of(language))}
    assert wanted - there == set()
    assert there - wanted == set()
    assert [message.id for message in messages(catalogue_of(language)) if not all(forms(message.string))] == []
    assert [message.id for message in messages(catalogue_of(language)) if message.fuzzy] == []
    assert catalogue_of(language).obsolete == {}


@each_language
def test_every_form_of_a_message_has_its_values_and_its_marks(language: str) -> None:
    plurals = catalogue_of(language).num_plurals
    for message in messages(catalogue_of(language)):
        given = [fields(form) for form in forms(message.id)]
        all_of_them, needed = set().union(*given), set.intersection(*given) - {("n", ","), ("n", "")}
        assert len(forms(message.string)) == (plurals if len(given) > 1 else 1), message.id
        for form in forms(message.string):
            assert needed <= fields(form) <= all_of_them, (message.id, form)
            assert form.count("**") == message.id[0].count("**") if len(given) > 1 else form.count("**") % 2 == 0
            assert form.count("`") == forms(message.id)[0].count("`"), (message.id, form)
            assert form == form.strip() or message.id != form.strip(), message.id


def fields(text: str) -> set[tuple[str, str]]:
    """Name and format of each value."""
    return {(name, spec or "") for _, name, spec, _ in string.Formatter().parse(text) if name is not None}


@each_language
async def test_discord_takes_the_names_and_descriptions_of_commands(language: str) -> None:
    for locale in LANGUAGES[language]:
        payload = await translated_commands()
        check_commands(payload)
        names = Counter(localized(command, "name", locale) for command in payload)
        assert max(names.values()) == 1
        for options in option_lists(payload):
            names = Counter(localized(option, "name", locale) for option in options)
            assert max(names.values()) == 1, names
        described = [one for one in everything(payload) if one.get("description", "…") != "…"]
        assert [one for one in described if locale not in (one.get("description_localizations") or {})] == []


async def translated_commands() -> list[dict[str, Any]]:
    tree = app_commands.CommandTree(discord.Client(intents=discord.Intents.none()))
    add_commands(tree)
    return [await command.get_translated_payload(tree, CommandTranslator()) for command in tree.get_commands()]


def localized(one: dict[str, Any], key: str, locale: str) -> str:
    return str((one.get(f"{key}_localizations") or {}).get(locale, one[key]))


def everything(payload: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for one in payload:
        yield one
        yield from everything(one.get("options") or [])


def option_lists(payload: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    return [one["options"] for one in everything(payload) if one.get("options")]


@each_language
def test_sentences_name_commands_and_options_as_discord_shows_them(language: str) -> None:
    """`/stylize style_name:` is called otherwise in a German client."""
    for message in messages(catalogue_of(language)):
        if message.context in (None, "description"):
            for quoted in re.findall(r"`([^`]+)`|(/style list)", message.id if isinstance(message.id, str) else ""):
                for word in re.findall(r"[a-z_0-9]+", "".join(quoted)):
                    here = _shown_as(word, language)
                    assert any(name in str(message.string) for name in here), (word, message.id, message.string)


def _shown_as(word: str, language: str) -> list[str]:
    found = [command_text(context, word, language) for context in ("command", "option")]
    return [name for name in found if name] or [word]


@each_language
def test_what_the_engine_says_is_recognised(language: str) -> None:
    """Each sentence with values in it is found by its own template, and no longer English."""
    known = catalogue_of(language)
    for message in messages(known):
        if message.context in (STORED, LABEL):
            english_text = str(message.id)
            names = [name for name, _ in sorted(fields(english_text))]
            values = {name: f"{7 + place}" for place, name in enumerate(names)}
            with speaking(language):
                told = (stored if message.context == STORED else label)(english_text.format(**values))
            assert told == str(message.string).format(**values), message.id


def test_numbers_in_what_the_engine_says_are_written_as_the_language_does() -> None:
    with speaking("de"):
        assert stored("The number of iterations must be between 1 and 99,900.").endswith(
            "zwischen 1 und 99.900 liegen."
        )
        assert label("30% noise") == "30\N{NO-BREAK SPACE}% Rauschen"
        whole = stored("It cannot be painted at twice the size. The size must be between 32 and 4096 px.")
        assert whole.endswith("Die Größe muss zwischen 32 und 4096 px liegen.")
        assert stored("harbour.png is no such thing.") == "harbour.png is no such thing."


def test_no_text_for_members_is_outside_of_the_catalogues() -> None:
    known = {message.id for message in messages(english()) if message.context}  # commands are told to Discord whole
    outside = []
    for path in sorted((catalogue.ROOT / "bot").rglob("*.py")):
        place = path.relative_to(catalogue.ROOT).as_posix()
        if not place.startswith(ELSEWHERE):
            found = texts_outside(path.read_text())
            outside += [f"{place}:{line}: {text}" for line, text in found if text not in known]
    assert outside == []


@pytest.mark.parametrize(
    "planted",
    [
        'raise UserError("There is no style.")',
        'raise UserError(f"{name} is no picture.")',
        'raise UserError(_GONE)',
        'await reply_private(interaction, "Done")',
        'text = f"**Stopped** at iteration {n:,}"',
        'text = "all of it below"',
        'ui.Button(label="Cancel")',
        'ui.TextDisplay("waiting")',
        'ui.Select(placeholder="language")',
        'lines = [f"loss {loss}", _("seed {seed}", seed=1)]',
        '_WORDS = {"queued": "waiting for its turn"}',
    ],
)  # fmt: skip
def test_a_text_outside_is_found(planted: str) -> None:
    assert texts_outside(f'_GONE = N_("It has gone.")\nasync def said() -> None:\n    {planted}\n')


@pytest.mark.parametrize(
    "innocent",
    [
        'raise UserError(_("There is no style."))',
        'raise UserError(_(_GONE))',
        '_log.warning("a card could not be edited", reason=str(error))',
        'raise ValueError("this is for who reads the log")',
        'key = f"jobs/{job}/picture-{n}.png"',
        '"""What a docstring says is for who reads the code."""',
        'lines = [f"-# {line}", f"### {title}", f"{width} × {height} px"]',
    ],
)  # fmt: skip
def test_what_is_no_text_for_members_is_left_alone(innocent: str) -> None:
    assert texts_outside(f'_GONE = N_("It has gone.")\nasync def said() -> None:\n    {innocent}\n') == []


def texts_outside(code: str) -> list[tuple[int, str]]:
    """Line and text of what reads like words for people, and is not given to a function that translates or marks it."""
    tree = ast.parse(textwrap.dedent(code))
    skipped = {id(node) for parent in ast.walk(tree) for node in _not_for_members(parent)}
    marked = {target.id for node in tree.body for target in _marked(node)}
    found: list[tuple[int, str]] = []
    waiting: list[ast.AST] = [tree]
    told = {id(node) for call in ast.walk(tree) if isinstance(call, ast.Call) for node in _told_by(call)}
    while waiting:
        node = waiting.pop()
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Name) and node.id in marked and id(node) in told:
            found.append((node.lineno, node.id))
        if isinstance(node, ast.JoinedStr | ast.Constant):
            text = _shown(node)
            if _is_prose(text) or (id(node) in told and _words(text)):
                found.append((node.lineno, text))
        waiting += [] if isinstance(node, ast.Constant) else ast.iter_child_nodes(node)
    return sorted(set(found))


def _not_for_members(node: ast.AST) -> Iterator[ast.AST]:
    """What is translated, or is there for programs and for who reads code and logs."""
    match node:
        case ast.Expr(value=ast.Constant() as docstring):
            yield docstring
        case ast.Call(func=ast.Name(id=name)) if name in TRANSLATES or name.endswith(("Literal", "count")):
            yield from node.args
        case ast.Call(func=ast.Attribute() as function) if "log." in ast.unparse(function):
            yield node
        case ast.Raise(exc=ast.Call(func=ast.Name(id="AttributeError" | "ValueError" | "ConnectionError"))):
            yield node
        case ast.Dict(keys=keys):
            yield from filter(None, keys)
        case ast.Subscript(slice=index):
            yield index
        case ast.Compare() | ast.Assert():
            yield node
        case ast.AnnAssign(annotation=annotation) | ast.arg(annotation=ast.expr() as annotation):
            yield annotation
        case ast.JoinedStr(values=parts):
            # The text is looked at as a whole; its values one by one.
            yield from (part for part in parts if isinstance(part, ast.Constant))
            yield from (part.format_spec for part in parts if isinstance(part, ast.FormattedValue) and part.format_spec)


def _marked(node: ast.stmt) -> list[ast.Name]:
    """Constants that are in the catalogue, and have to be translated where they are shown."""
    match node:
        case ast.Assign(targets=targets, value=ast.Call(func=ast.Name(id="N_"))):
            return [target for target in targets if isinstance(target, ast.Name)]
    return []


def _told_by(call: ast.Call) -> Iterator[ast.expr]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in TOLD:
        yield from call.args
    yield from (keyword.value for keyword in call.keywords if keyword.arg in KEYWORDS)


def _shown(node: ast.JoinedStr | ast.Constant) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)


def _words(text: str) -> list[str]:
    """Without what is no word in any language; addresses and keys have none."""
    if not re.search(r"\s", text) and re.search(r"[:/._{]", text.strip(":.!?")):
        return []
    words = re.findall(r"[^\W\d_]+", re.sub(r"\{.*?\}", "", text))
    return [word for word in words if word not in NO_WORDS]


def _is_prose(text: str) -> bool:
    """Words with a space between them or beside a value; or one that begins like a sentence."""
    if text in NO_TEXTS or not _words(text):
        return False
    return bool(
        re.search(r"[A-Za-z]{2}[,:;*]* +[A-Za-z{*]|} +[A-Za-z]{2}", text) or re.fullmatch(r"[A-Z][a-z]+\W*", text)
    )
