"""The texts that workers draw in pictures (plots, sheets, films), in the language of those who see them.

A worker knows English alone. Who asks for a painting gives the translations with its job, from English to that
language; what is not among them is drawn in English, as all is where a job has none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

TEXTS = (
    "{content} in the style of {styles}", "{names} and {last}", "{title}: the losses",
    "weighted loss", "total", "content", "style", "variation", "iteration", "iteration {iteration}", "loss {loss}",
    "◆ a tenth of its first, at iteration {iteration}",
    "▼ a breakout, × {factor} at {iteration}", "▼ {count} breakouts, the highest × {factor} at {iteration}",
    "the total, with as much room for each iteration",
    "Time against pixels", "seconds of painting", "pixels", "time", "one seed", "other seeds",
    "{recipe}, {iterations} iterations at {size} px", "weights {name}", "own {network} weights {digits}",
    "seed {seed}",
    "time grows with the pixels to the power of {exponent}",
    "mean difference of two paintings: same seed {same} levels, other seeds {others}",
)  # fmt: skip
"""All of them, with names for the values; besides those the titles and labels of studies are drawn."""
WEIGHTS_NOTES = (
    "Painted with random stand-in weights, as asked.", "Painted with our small starter network, as asked.",
    "Painted with weights from a file, taken for a network with torchvision's input (RGB, normalised).",
    "Painted with weights from a file, taken for a network with Caffe's input (BGR, 0 to 255).",
)  # fmt: skip
"""What a worker tells of its weights, and draws in a plot's corner."""
NUMBER = "1,234.5"
"""Translated, it shows the language's signs in numbers."""

_translations: ContextVar[Mapping[str, str]] = ContextVar("translations", default={})  # noqa: B039 - never changed


@contextmanager
def translated(translations: Mapping[str, str]) -> Iterator[None]:
    """Draw `texts` instead of the English ones within the block, and in the threads that it starts with asyncio."""
    before = _translations.set(translations)
    try:
        yield
    finally:
        _translations.reset(before)


def drawn(text: str, **values: str) -> str:
    """The text in the language of those who see it, with the values in it; in English where its translation fails."""
    translation = _translations.get().get(text, text)
    try:
        return translation.format(**values) if values else translation
    except (LookupError, ValueError):
        return text.format(**values)


def drawn_number(value: float, spec: str) -> str:
    """The number by one of Python's formats, with the signs of that language."""
    sample, written = _translations.get().get(NUMBER, NUMBER), format(value, spec)
    return written.translate({ord(","): sample[1], ord("."): sample[-2]}) if len(sample) == len(NUMBER) else written


def drawn_list(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return drawn("{names} and {last}", names=", ".join(names[:-1]), last=names[-1]) if len(names) > 1 else names[0]
