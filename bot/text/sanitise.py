"""What members wrote, made harmless where Discord shows it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.text.translation import _

# Discord looks for mentions, links and invites in the raw text, where no escape would stop it: what they are made of
# becomes a double that means nothing. The others are letters that show nothing.
_BLANKS = dict.fromkeys("\u115f\u1160\u2800\u3164\uffa0", " ")
_DOUBLES = str.maketrans({"@": "＠", "<": "‹", ">": "›", "/": "∕", **_BLANKS})
_MARKDOWN = re.compile(r"[\\*_~`|\[\]():]")
_LINE_START = re.compile(r"^(\d+(?=[.])|(?=[-#]))")  # of a list, a heading, small print


def safe(text: str, most: int = 80) -> str:
    """A member's words where Discord reads markdown: one line of at most `most` characters that does nothing.

    No mention, link or emoji code lives in it, no control or direction character; it is never empty.
    """
    escaped = _LINE_START.sub(r"\1\\", _MARKDOWN.sub(r"\\\g<0>", _tame(text) or _("picture")))
    return _shortened(re.findall(r"\\.|.", escaped), most)


def plain(text: str, most: int = 80) -> str:
    """The text made harmless where markdown is not read: in names of threads, in alt text, and in choices."""
    return _shortened(_tame(text) or _("picture"), most)


def is_blank(text: str) -> bool:
    """Whether nothing of the text would be seen."""
    return not _tame(text)


def _tame(text: str) -> str:
    """One line in which nothing lives but markdown."""
    shown = "".join(letter if letter.isprintable() else " " if letter.isspace() else "" for letter in text)
    return " ".join(shown.translate(_DOUBLES).split())


def _shortened(letters: Sequence[str], most: int) -> str:
    """The letters, none of them cut in two, in at most `most` characters."""
    if sum(map(len, letters)) <= most:
        return "".join(letters)
    kept, length = [], 1
    for letter in letters:
        length += len(letter)
        if length > most:
            break
        kept.append(letter)
    return "".join(kept).rstrip() + "…"
