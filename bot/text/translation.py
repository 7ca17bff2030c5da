"""The bot's words in the language of who reads them: English sentences, looked up in a catalogue for each language.

The current language is that of a task: what a member alone sees is in theirs, what everybody sees in the server's.
"""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.text.catalogue import Catalogue

ENGLISH = "en"
LANGUAGES: Mapping[str, Sequence[str]] = {
    "de": ("de",), "es": ("es-ES", "es-419"), "fr": ("fr",), "ja": ("ja",), "pt_BR": ("pt-BR",),
}  # fmt: skip
"""Catalogues beside English, and Discord's names of the locales that each is for."""
LANGUAGE_NAMES: Mapping[str, str] = {
    "en": "English", "de": "Deutsch", "es": "Español", "fr": "Français", "ja": "日本語", "pt_BR": "Português (Brasil)",
}  # fmt: skip
"""The languages' names for themselves."""
STORED, LABEL = "stored", "label"
"""Contexts of messages that reach the bot as English: sentences of the engine or of the intake, labels of studies."""

_language: ContextVar[str] = ContextVar("language", default=ENGLISH)


def language_of(locale: object) -> str:
    """The catalogue for one of Discord's locales; English where there is none."""
    return next((language for language, locales in LANGUAGES.items() if str(locale) in locales), ENGLISH)


def current_language() -> str:
    """The catalogue's name of the language that is spoken now."""
    return _language.get()


def speak(language: str) -> None:
    """Speak it from now on in this task, and in those that it starts."""
    _language.set(language if language in LANGUAGES else ENGLISH)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak the language within the block."""
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
    known = _catalogue(_language.get())
    return _filled(known.messages.gettext(message) if known and message else message, values)


def pgettext(context: str, message: str, /, **values: Any) -> str:
    """The message in the current language, where it has several meanings, of which `context` names one."""
    known = _catalogue(_language.get())
    return _filled(known.messages.pgettext(context, message) if known else message, values)


def ngettext(one: str, many: str, n: int, /, **values: Any) -> str:
    """The form that fits the number, which both forms may name as `{n}`."""
    known = _catalogue(_language.get())
    chosen = known.messages.ngettext(one, many, n) if known else one if n == 1 else many
    return _filled(chosen, {"n": n, **values})


def stored(text: str) -> str:
    """An English sentence that the engine or the intake made, or that Redis kept, in the current language.

    What no catalogue has is left as it is, also where it is translated already.
    """
    known = _catalogue(_language.get())
    return known.recognised(STORED, text) if known and text else text


def label(text: str) -> str:
    """The label of one of a study's pictures in the current language; unchanged where no catalogue has it."""
    known = _catalogue(_language.get())
    return known.recognised(LABEL, text) if known else text


def number(value: float, spec: str) -> str:
    """The number by one of Python's formats, as the current language writes it."""
    known, written = _catalogue(_language.get()), format(value, spec)
    return known.number(written) if known else written


def large_number(value: float) -> str:
    """From a million on: `1.2 million`, `3 billion`."""
    if known := _catalogue(_language.get()):
        return known.large_number(value)
    return f"{value / 1e9:.3g} billion" if abs(value) >= 1e9 else f"{value / 1e6:.3g} million"


def listed(things: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if known := _catalogue(_language.get()):
        return known.listed(things)
    return " and ".join([", ".join(things[:-1]), things[-1]] if len(things) > 1 else things)


def in_all_languages(message: str) -> list[str]:
    """The message as each language has it."""
    texts = [message]
    for language in LANGUAGES:
        with speaking(language):
            texts.append(_(message))
    return texts


def command_text(context: str, message: str, language: str) -> str | None:
    """What Discord shows of a command in a language; None where it has no word of its own."""
    known = _catalogue(language)
    found = message if known is None else known.messages.pgettext(context, message)
    return None if found == message else found


def load_all() -> None:
    """Read the catalogues now, which takes a moment each."""
    for language in LANGUAGES:
        _catalogue(language)


@cache
def _catalogue(language: str) -> Catalogue | None:
    """The language's catalogue; None for English, which the code has."""
    if language == ENGLISH:
        return None
    from bot.text.catalogue import Catalogue  # the terminal, which speaks English, needs no Babel

    return Catalogue(language, files("bot.text") / "locales" / f"{language}.po", (STORED, LABEL))


class _Formatter(string.Formatter):
    """Writes numbers that are given with a format, as `{n:,}`, as the current language does."""

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec and isinstance(value, int | float):
            return number(value, format_spec)
        text: str = super().format_field(value, format_spec)
        return text


_formatter = _Formatter()


def _filled(template: str, values: Mapping[str, Any]) -> str:
    return _formatter.vformat(template, (), values) if values else template
