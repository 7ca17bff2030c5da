"""What a painting is called, and what its pictures show."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.text.formatting import listed
from bot.text.sanitise import plain

_KINDS = re.compile(r"\.(png|jpe?g|jfif|webp|gif|bmp|tiff?|avif|hei[cf])$", re.IGNORECASE)
_HASH = re.compile(r"[0-9a-f-]{16,}", re.IGNORECASE)
_MACHINE_WORD = re.compile(
    "am|at|capture|clipboard|copy|download|dsc|dscf|dscn|edited|fb|file|gopr|images?|img|jpe?g|mp|mvimg|of|original|"
    "pasted|photo|pic|picture|pm|png|pxl|received|scan|screen|screenshot|shot|signal|snapchat|telegram|unknown|"
    "unnamed|untitled|vid|wa|whatsapp|[a-z]"
)


def title(content_name: str, style_names: Sequence[str], fallback: str = "painting") -> str:
    """What a painting is called, in at most 100 characters: `harbour × strokes`.

    Names of files that a camera or a program chose are left out; `fallback` stands where nothing else is left.
    """
    content, styles = _name(content_name), ", ".join(dict.fromkeys(filter(None, map(_name, style_names))))
    if content and styles:
        return f"{plain(content, 48)} × {plain(styles, 48)}"
    return plain(content or (f"in the style of {styles}" if styles else fallback), 100)


def alt_text(iteration: int, of: int, content_name: str, style_names: Sequence[str]) -> str:
    """What a picture shows, for those who cannot see it, in at most 1,024 characters."""
    content = _name(content_name) or "a picture"
    styles = listed(list(dict.fromkeys(_name(name) or "another picture" for name in style_names)))
    return plain(f"Iteration {iteration:,} of {of:,}: {content} painted in the style of {styles}", 1024)


def _name(file: str) -> str:
    """What a person called the picture; empty where a camera or a program did."""
    stem = plain(_KINDS.sub("", file).replace("_", " "))
    words = re.findall(r"[^\W\d]+", stem.casefold())
    return "" if all(map(_MACHINE_WORD.fullmatch, words)) or _HASH.fullmatch(stem) else stem
