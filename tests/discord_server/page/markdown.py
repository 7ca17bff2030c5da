"""Discord's markdown line by line: headings, subtext, quotes, lists, blocks of code, and the lines between them."""

from __future__ import annotations

import re

from .inline import inline
from .markup import Html, join, tag
from .view import View

_FENCE = re.compile(r"```(?:([a-z0-9_+\-.#]+)\n)?\n*([^\n].*?)\n*```\n?", re.S | re.I)
_QUOTED_REST = re.compile(r" *>>> (.*)", re.S)
_QUOTED = re.compile(r"(?: *> [^\n]*(?:\n|$))+")
_HEADING = re.compile(r" *(#{1,3}) +([^\n]+?) *(?:\n|$)")
_SUBTEXT = re.compile(r" *-# +([^\n]+?) *(?:\n|$)")
_ITEM = re.compile(r"( *)([-*]|\d{1,9}\.) +([^\n]+)(?:\n|$)")
_BESIDE_A_QUOTE = re.compile(r"^ *> ", re.M)


def markdown(text: str, view: View) -> Html:
    """The text of a message or a TextDisplay as HTML."""
    parts: list[str] = []
    position = start = 0
    while position < len(text):
        found = _block(text, position, view)
        if found is not None:
            parts += [inline(text[start:position], view), found[0]]
            position = start = found[1]
            continue
        line_end = text.find("\n", position) + 1 or len(text)
        fence = _FENCE.search(text, position)
        position = fence.start() if fence and position < fence.start() < line_end else line_end
    return join([*parts, inline(text[start:], view)])


def _block(text: str, position: int, view: View) -> tuple[Html, int] | None:
    """The block that starts at the position, and where it ends."""
    if match := _FENCE.match(text, position):
        return tag("pre", tag("code", match[2])), match.end()
    if position and text[position - 1] != "\n":
        return None
    if match := _QUOTED_REST.match(text, position):
        return _quote(match[1], view), match.end()
    if match := _QUOTED.match(text, position):
        return _quote(_BESIDE_A_QUOTE.sub("", match[0]).removesuffix("\n"), view), match.end()
    if match := _HEADING.match(text, position):
        return tag(f"h{len(match[1])}", inline(match[2], view)), match.end()
    if match := _SUBTEXT.match(text, position):
        return tag("small", inline(match[1], view)), match.end()
    items = []
    while match := _ITEM.match(text, position):
        items.append(match)
        position = match.end()
    return (_list(items, view), position) if items else None


def _quote(text: str, view: View) -> Html:
    return tag("blockquote", tag("div", markdown(text, view)))


def _list(items: list[re.Match[str]], view: View) -> Html:
    """Items that are indented deeper than the first are a list of their own within the item above them."""
    name = "ol" if items[0][2].endswith(".") else "ul"
    entries: list[Html] = []
    while items:
        deeper = 1
        while deeper < len(items) and len(items[deeper][1]) > len(items[0][1]):
            deeper += 1
        inner = _list(items[1:deeper], view) if deeper > 1 else None
        number = items[0][2].rstrip(".") if name == "ol" else None
        entries.append(tag("li", inline(items[0][3], view), inner, value=number))
        items = items[deeper:]
    return tag(name, *entries)
