"""What a painting is called, and what its pictures show."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from bot.text.formatting import joined
from bot.text.sanitise import plain
from bot.text.translation import N_, _, listed, pgettext

ENDINGS = frozenset({"png", "jpg", "jpeg", "jfif", "webp", "gif", "bmp", "tif", "tiff", "avif", "heic", "heif", "hif"})
"""The endings, without their point and in small letters, of the names of files that are such pictures."""
A_SPOILER = N_("a spoiler")
"""What a picture is called whose sender covers it: its own name may give away what it shows."""

_ENDING = re.compile(rf"\.({'|'.join(sorted(ENDINGS))})$", re.IGNORECASE)
_HASH = re.compile(r"[0-9a-f-]{16,}", re.IGNORECASE)
_OURS = re.compile(r"impasto-[0-9a-z]+-\S+", re.IGNORECASE)
"""What the bot calls its files."""
_MACHINE_WORD = re.compile(
    "am|at|capture|clipboard|copy|download|dsc|dscf|dscn|edited|fb|file|gopr|images?|img|jpe?g|mp|mvimg|of|original|"
    "pasted|photo|pic|picture|pm|png|pxl|received|scan|screen|screenshot|shot|signal|snapchat|telegram|unknown|"
    "unnamed|untitled|vid|wa|whatsapp|[a-z]"
)


def title(content_name: str, style_names: Sequence[str], fallback: str = "") -> str:
    """What a painting is called, in at most 100 characters: `harbour × strokes`.

    Names of files that a camera or a program chose are left out; `fallback` stands where nothing else is left.
    """
    content, styles = _name(content_name), joined(dict.fromkeys(map(_name, style_names)))
    if content and styles:
        return f"{plain(content, 48)} × {plain(styles, 48)}"
    styled = _("in the style of {styles}", styles=styles) if styles else ""
    return plain(content or styled or fallback or pgettext("title", "painting"), 100)


def alt_text(iteration: int, of: int, content_name: str, style_names: Sequence[str]) -> str:
    """What a picture shows, for those who cannot see it, in at most 1,024 characters."""
    content = _name(content_name) or _("a picture")
    styles = listed(list(dict.fromkeys(_name(name) or _("another picture") for name in style_names)))
    told = _(
        "Iteration {iteration:,} of {of:,}: {content} painted in the style of {styles}",
        iteration=iteration, of=of, content=content, styles=styles,
    )  # fmt: skip
    return plain(told, 1024)


def picture_name(name: str) -> str:
    """A picture's name as it is shown."""
    return _(A_SPOILER) if name == A_SPOILER else name


def _name(file: str) -> str:
    """What a person called the picture; empty where a camera or a program did."""
    if file == A_SPOILER:
        return _(A_SPOILER)
    stem = plain(_ENDING.sub("", file).replace("_", " "))
    words = re.findall(r"[^\W\d]+", stem.casefold())
    if any(unicodedata.category(letter) == "So" for letter in stem):  # an emoji, which no camera chooses
        return stem
    made = all(map(_MACHINE_WORD.fullmatch, words)) or _HASH.fullmatch(stem) or _OURS.fullmatch(stem)
    return "" if made else stem
