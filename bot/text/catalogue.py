"""A language: its catalogue, read as it stands in the repository, and how it writes numbers and lists."""

from __future__ import annotations

import gettext
import io
import re
from collections.abc import Sequence
from importlib.resources.abc import Traversable
from typing import NamedTuple

from babel import Locale
from babel.lists import format_list
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_compact_decimal, get_decimal_symbol, get_group_symbol

_NUMBER = re.compile(r"[\d,]*\d(\.\d+)?%?")
_FIELD = re.compile(r"\{(\w+)\}")


class Catalogue:
    """The messages of one language other than English."""

    def __init__(self, language: str, file: Traversable, contexts: Sequence[str]) -> None:
        """`contexts` are the message contexts whose made texts `recognised` knows."""
        with file.open("rb") as stream:
            found = read_po(stream, locale=language)
        compiled = io.BytesIO()
        write_mo(compiled, found)
        compiled.seek(0)
        self.messages = gettext.GNUTranslations(compiled)
        self._language = language
        self._patterns = {context: _patterns(found, context) for context in contexts}
        percent = Locale.parse(language).percent_formats[None].suffix[0]
        signs = {",": get_group_symbol(language), ".": get_decimal_symbol(language), "%": percent}
        self._signs = str.maketrans(signs)

    def number(self, written: str) -> str:
        """A number as Python writes it, as this language does."""
        return written.translate(self._signs)

    def large_number(self, value: float) -> str:
        """From a million on, in three digits and a word."""
        return format_compact_decimal(value, format_type="long", fraction_digits=2, locale=self._language)

    def listed(self, things: Sequence[str]) -> str:
        """The things, with an "and"."""
        return format_list(things, locale=self._language)

    def recognised(self, context: str, text: str) -> str:
        """The English text in this language: as a whole, or by the template that it was made of; else as it is."""
        for whole in (self.messages.pgettext(context, text), self.messages.gettext(text)):
            if whole != text:
                return whole
        for pattern in self._patterns[context]:
            if found := pattern.expression.fullmatch(text):
                values = {name: self._value(context, value) for name, value in found.groupdict().items()}
                return self.messages.pgettext(context, pattern.template).format(**values)
        return text

    def _value(self, context: str, text: str) -> str:
        if _NUMBER.fullmatch(text):
            return self.number(text)
        return self.recognised(context, text) if text.endswith(".") else self.messages.pgettext(context, text)


class _Pattern(NamedTuple):
    """What texts that were made of a template look like."""

    expression: re.Pattern[str]
    template: str


def _patterns(catalogue: Catalog, context: str) -> list[_Pattern]:
    """The patterns of a context's templates, those with the most text besides their fields first."""
    templates = [str(message.id) for message in catalogue if message.context == context and "{" in str(message.id)]
    templates.sort(key=lambda template: len(_FIELD.sub("", template)), reverse=True)
    found = []
    for template in templates:
        parts = [
            f"(?P<{part}>.+?)" if n % 2 else re.escape(part) for n, part in enumerate(_FIELD.split(template))
        ]  # fmt: skip
        found.append(_Pattern(re.compile("".join(parts), re.DOTALL), template))
    return found
