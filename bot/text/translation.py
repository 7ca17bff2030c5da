"""The bot's words in the language of who reads them: English sentences, looked up in a catalogue for each language.

The current language is that of a task: what a member alone sees is in theirs, what everybody sees in the server's.
"""

from __future__ import annotations

import gettext
import io
import re
import string
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import get_decimal_symbol, get_group_symbol

ENGLISH = "en"
LANGUAGES: Mapping[str, Sequence[str]] = {
    "de": ("de",), "es": ("es-ES", "es-419"), "fr": ("fr",), "ja": ("ja",), "pt_BR": ("pt-BR",),
}  # fmt: skip
"""Catalogues beside English, and Discord's names of the locales that each is for."""
STORED, LABEL = "stored", "label"
"""Contexts of messages that reach the bot as English: sentences of the engine or of the intake, labels of studies."""

_language: ContextVar[str] = ContextVar("language", default=ENGLISH)


def language_of(locale: object) -> str:
    """The catalogue for one of Discord's locales; English where there is none."""
    return next((language for language, locales in LANGUAGES.items() if str(locale) in locales), ENGLISH)


def name_of(language: str) -> str:
    """What the language calls itself."""
    return (Locale.parse(language).display_name or language).capitalize()


def current_language() -> str:
    """The one that is spoken now."""
    return _language.get()


def speak(language: str) -> None:
    """Speak it from now on in this task, and in those that it starts."""
    _language.set(language if language in LANGUAGES else ENGLISH)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak it within the block."""
    before = _language.set(language if language in LANGUAGES else ENGLISH)
    try:
        yield
    finally:
        _language.reset(before)


def N_(message: str) -> str:  # noqa: N802 - gettext's name for it
    """The English itself: it belongs into the catalogue, and is translated where it is shown."""
    return message


def _(message: str, /, **values: Any) -> str:
    """The message in the current language, with the values in it; numbers as that language writes them."""
    known = _translation(_language.get())
    return _filled(known.messages.gettext(message) if known and message else message, values)


def pgettext(context: str, message: str, /, **values: Any) -> str:
    """The same for a message that has several meanings, of which `context` names one."""
    known = _translation(_language.get())
    return _filled(known.messages.pgettext(context, message) if known else message, values)


def ngettext(one: str, many: str, n: int, /, **values: Any) -> str:
    """The form that fits the number, which both forms may name as `{n}`."""
    known = _translation(_language.get())
    chosen = known.messages.ngettext(one, many, n) if known else one if n == 1 else many
    return _filled(chosen, {"n": n, **values})


def stored(text: str) -> str:
    """An English sentence that the engine or the intake made, or that Redis kept, in the current language.

    What no catalogue has is left as it is, also where it is translated already.
    """
    known = _translation(_language.get())
    return text if known is None or not text else known.recognised(STORED, text)


def label(text: str) -> str:
    """The same for the label of one of a study's pictures."""
    known = _translation(_language.get())
    return text if known is None else known.recognised(LABEL, text)


def in_all_languages(message: str) -> list[str]:
    """The message as each language has it."""
    texts = [message]
    for language in LANGUAGES:
        with speaking(language):
            texts.append(_(message))
    return texts


def command_text(context: str, message: str, language: str) -> str | None:
    """What Discord shows of a command in a language; None where it has no word of its own."""
    known = _translation(language)
    found = message if known is None else known.messages.pgettext(context, message)
    return None if found == message else found


def load_all() -> None:
    """Read the catalogues now, which takes a moment each."""
    for language in LANGUAGES:
        _translation(language)


class _Pattern(NamedTuple):
    """What texts that were made of a template look like."""

    expression: re.Pattern[str]
    template: str


class _Translation:
    """A language: its catalogue, and its numbers."""

    def __init__(self, catalogue: Catalog) -> None:
        compiled = io.BytesIO()
        write_mo(compiled, catalogue)
        compiled.seek(0)
        self.messages = gettext.GNUTranslations(compiled)
        self._patterns = {context: _patterns(catalogue, context) for context in (STORED, LABEL)}

    def recognised(self, context: str, text: str) -> str:
        """The text in this language: as it stands in the catalogue, or by the template that it was made of."""
        for exact in (self.messages.pgettext(context, text), self.messages.gettext(text)):
            if exact != text:
                return exact
        for pattern in self._patterns[context]:
            if found := pattern.expression.fullmatch(text):
                values = {name: self._value(context, value) for name, value in found.groupdict().items()}
                return self.messages.pgettext(context, pattern.template).format(**values)
        return text

    def _value(self, context: str, text: str) -> str:
        if _NUMBER.fullmatch(text):
            return _localized(text)
        return self.recognised(context, text) if text.endswith(".") else self.messages.pgettext(context, text)


_NUMBER = re.compile(r"[\d,]*\d(\.\d+)?%?")
_FIELD = re.compile(r"\{(\w+)\}")


def _patterns(catalogue: Catalog, context: str) -> list[_Pattern]:
    """Those with the most words of their own first."""
    templates = [str(message.id) for message in catalogue if message.context == context and "{" in str(message.id)]
    templates.sort(key=lambda template: len(_FIELD.sub("", template)), reverse=True)
    found = []
    for template in templates:
        fixed = _FIELD.split(template)
        parts = [re.escape(part) if not n % 2 else f"(?P<{part}>.+?)" for n, part in enumerate(fixed)]
        found.append(_Pattern(re.compile("".join(parts), re.DOTALL), template))
    return found


@cache
def _translation(language: str) -> _Translation | None:
    """None: English, as the code has it."""
    path = files("bot.text") / "locales" / f"{language}.po"
    if language not in LANGUAGES or not path.is_file():
        return None
    with path.open("rb") as file:
        return _Translation(read_po(file, locale=language))


class _Formatter(string.Formatter):
    """Writes numbers that are given with a format, as `{n:,}`, as the current language does."""

    def format_field(self, value: Any, format_spec: str) -> str:
        text: str = super().format_field(value, format_spec)
        return _localized(text) if format_spec and isinstance(value, int | float) else text


_formatter = _Formatter()


def _filled(template: str, values: Mapping[str, Any]) -> str:
    return _formatter.vformat(template, (), values) if values else template


def _localized(number: str) -> str:
    """A number as Python writes it, in the current language."""
    return number.translate(_signs(_language.get()))


@cache
def _signs(language: str) -> dict[int, str]:
    percent = Locale.parse(language).percent_formats[None].suffix[0]
    return str.maketrans({",": get_group_symbol(language), ".": get_decimal_symbol(language), "%": percent})


def number(value: float, spec: str) -> str:
    """The number by one of Python's formats, as the current language writes it."""
    return _localized(format(value, spec))
