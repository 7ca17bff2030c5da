"""`make catalogue`: brings the catalogues in bot/text/locales/ up to date with what the code says in English.

New messages are added without a translation, which a test asks for; those that nobody says any more are dropped.
Messages come from three places: calls such as `_("…")`, the commands as Discord is told them, and sentences that the
engine and the intake make in English, which the bot recognises by their templates.
"""

from __future__ import annotations

import ast
import asyncio
import importlib
import inspect
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType

import discord
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from discord import app_commands

from bot.commands import add_commands
from bot.intake.picture import NAMELESS
from bot.lifecycle.command_names import CONTEXTS
from bot.text.drawn_texts import DRAWN
from bot.text.translation import LABEL, LANGUAGES, STORED
from engine.contract.drawn_texts import TEXTS
from engine.painting.painter import REASONS
from engine.worker.weights.input_normalisation import IN_WORDS

ROOT = Path(__file__).parents[2]
LOCALES = ROOT / "bot" / "text" / "locales"
CALLS = ("_", "N_", "ngettext", "pgettext")
ENGLISH_ALONE = ("bot/terminal/", "bot/live_page/")
"""For who runs the bot."""
SENTENCES = (
    "engine.contract.recipe_code", "engine.painting.network.networks", "engine.painting.painter",
    "engine.painting.input_pictures", "engine.recipe.presets", "engine.recipe.recipe", "engine.recipe.studies",
    "engine.worker.context", "engine.worker.loss_stagnation", "engine.worker.slices",
    "engine.worker.weights.named_weights",
)  # fmt: skip
"""Modules whose sentences reach members."""
FRAGMENTS: Mapping[str, Sequence[str]] = {
    "engine/painting/painter.py": REASONS, "engine/worker/weights/input_normalisation.py": tuple(IN_WORDS.values()),
    "bot/intake/picture.py": (NAMELESS,),
}  # fmt: skip
"""What stands within sentences as a value."""
PREDICATES = ("bot.decoder.decode", "bot.decoder.scaled_size", "bot.intake.picture", "bot.intake.refused_kinds")
"""Modules that say what is wrong with a picture, with its name before it or without."""
UNHEARD = ("read_picture_file",)
"""Functions there whose sentences the terminal alone says."""
_HEADER = ("msgid", "msgstr", '"Language:', '"Plural-Forms:', '"Content-Type:')
"""Lines of a catalogue's head that mean something."""
_LABELS = {"Variant": (0, "note"), "_only": (0,), "_Kind": (0, 1)}
"""Arguments of these that are labels of studies."""

_VERBS = ("is ", "has ", "needs ", "takes ", "cannot ", "holds ")

Found = Iterator[tuple[str, str, str | None]]
"""Place, message, context."""


def template() -> Catalog:
    """All messages, untranslated, with the files that they are in."""
    catalogue = Catalog(project="Impasto", charset="utf-8", fuzzy=False)
    for path in sorted((ROOT / "bot").rglob("*.py")):
        place = path.relative_to(ROOT).as_posix()
        if not place.startswith(ENGLISH_ALONE):
            for message, context in calls(ast.parse(path.read_text())):
                catalogue.add(message, locations=[(place, 0)], context=context)
    for place, message, context in [*commands(), *sentences(), *labels(), *drawn()]:
        catalogue.add(message, locations=[(place, 0)], context=context)
    return catalogue


def calls(tree: ast.AST) -> Iterator[tuple[str | tuple[str, str], str | None]]:
    """Message, with its plural where it has one, and context of each call that translates or marks one."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS):
            continue
        texts = [str(arg.value) for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
        match node.func.id, texts:
            case "ngettext", [one, many]:
                yield (one, many), None
            case "pgettext", [context, message]:
                yield message, context
            case (("_" | "N_"), [message]):
                yield message, None


class _Recorder(app_commands.Translator):
    """Notes what it is asked for."""

    def __init__(self) -> None:
        self.asked: dict[tuple[str, str], None] = {}

    async def translate(
        self, string: app_commands.locale_str, locale: discord.Locale, context: app_commands.TranslationContextTypes
    ) -> None:
        self.asked[CONTEXTS[context.location], str(string)] = None


def commands() -> Found:
    """What Discord shows of commands."""
    recorder, client = _Recorder(), discord.Client(intents=discord.Intents.none())
    tree = app_commands.CommandTree(client)
    add_commands(tree)

    async def ask() -> None:
        for command in tree.get_commands():
            await command.get_translated_payload(tree, recorder)

    asyncio.run(ask())
    for context, message in recorder.asked:
        yield "bot/commands", message, context


def sentences() -> Found:
    """What engine and intake say."""
    for name in (*SENTENCES, *PREDICATES):
        module = importlib.import_module(name)
        place, tree = _source(module)
        skipped = {id(node) for node in _unsaid(tree)}
        for node in _texts(tree, skipped):
            text = _as_template(node, module)
            if text is None or not _is_sentence(text):
                continue
            if name in PREDICATES and text[0].islower():
                if not text.startswith(_VERBS):
                    continue  # the end of others
                text = f"{{name}} {text}"
            yield place, text, STORED
    for place, fragments in FRAGMENTS.items():
        yield from ((place, text, STORED) for text in fragments)


def labels() -> Found:
    """What pictures of studies are called, and what is varied."""
    module = importlib.import_module("engine.recipe.studies")
    place, tree = _source(module)
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in _LABELS:
            wanted = _LABELS[call.func.id]
            given = [arg for number, arg in enumerate(call.args) if number in wanted]
            given += [keyword.value for keyword in call.keywords if keyword.arg in wanted]
            for node in (text for arg in given for text in _texts(arg, set())):
                text = _as_template(node, module)
                if text and any(letter.isalpha() for letter in _without_fields(text)):
                    yield place, text, LABEL


def drawn() -> Found:
    """What workers draw in pictures."""
    yield from (("engine/contract/drawn_texts.py", text, DRAWN) for text in TEXTS)


def _source(module: ModuleType) -> tuple[str, ast.Module]:
    path = Path(inspect.getfile(module))
    return path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())


def _texts(tree: ast.AST, skipped: set[int]) -> Iterator[ast.Constant | ast.JoinedStr]:
    """The strings in it, none that is a part of another one."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if id(node) in skipped:
            continue
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            yield node
        else:
            waiting += ast.iter_child_nodes(node)


def _unsaid(tree: ast.AST) -> Iterator[ast.AST]:
    """Docstrings, and what goes to a log or to whoever started the process."""
    for node in ast.walk(tree):
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if is_docstring or (isinstance(node, ast.FunctionDef) and node.name in UNHEARD):
            yield node
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            of = ast.unparse(node.func)
            if "log." in of or of.endswith(".say"):
                yield node


def _as_template(node: ast.Constant | ast.JoinedStr, module: ModuleType) -> str | None:
    """The text with `{name}` for each value: its last name in the code, or a number where it has none."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    parts: list[str] = []
    for part in node.values:
        if isinstance(part, ast.Constant):
            parts.append(str(part.value))
            continue
        assert isinstance(part, ast.FormattedValue)
        known = getattr(module, part.value.id, None) if isinstance(part.value, ast.Name) else None
        parts.append(known if isinstance(known, str) else f"{{{_name(part.value, len(parts))}}}")
    names = [part for part in parts if part.startswith("{")]
    if len(set(names)) < len(names):
        parts = [f"{{{part[1:-1]}{n}}}" if part.startswith("{") else part for n, part in enumerate(parts)]
    return "".join(parts)


def _name(value: ast.expr, place: int) -> str:
    match value:
        case ast.Name():
            return value.id.lower().strip("_")
        case ast.Attribute():
            return value.attr
    return f"value{place}"


def _is_sentence(text: str) -> bool:
    return " " in text and re.sub(r" \{\w+\}$", "", text).endswith(".")


def _without_fields(text: str) -> str:
    return "".join(part.rpartition("}")[2] for part in text.split("{"))


def main() -> None:
    LOCALES.mkdir(exist_ok=True)
    messages = template()
    for language in LANGUAGES:
        path = LOCALES / f"{language}.po"
        catalogue = Catalog(locale=language)
        if path.is_file():
            with path.open("rb") as file:
                catalogue = read_po(file, locale=language)
        catalogue.update(messages, no_fuzzy_matching=True)
        save(catalogue, path)
        missing = sum(1 for message in catalogue if message.id and not _is_whole(message.string))
        print(f"{path.relative_to(ROOT)}: {len(catalogue)} messages, {missing} of them without a translation")


def save(catalogue: Catalog, path: Path) -> None:
    """By files, without dates and line numbers, which would change with every change of the code."""
    ordered = Catalog(locale=catalogue.locale, charset="utf-8", fuzzy=False)
    ordered.mime_headers = [("Plural-Forms", catalogue.plural_forms)]
    messages = [message for message in catalogue if message.id]
    for message in sorted(messages, key=lambda one: (sorted(one.locations), one.context or "", str(one.id))):
        places = sorted(set(message.locations))
        ordered.add(message.id, message.string, locations=places, context=message.context)
    written = io.BytesIO()
    write_po(written, ordered, width=118, include_lineno=False)
    head, _, body = written.getvalue().decode().partition("\n\n")
    kept = [line for line in head.splitlines() if line.startswith(_HEADER)]
    path.write_text("\n".join([*kept, "", body]))


def _is_whole(text: object) -> bool:
    return all(text) if isinstance(text, (tuple, list)) else bool(text)


if __name__ == "__main__":
    main()
