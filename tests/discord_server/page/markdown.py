"""Discord's markdown line by line: headings, subtext, quotes, lists, blocks of code, and the lines between them."""

from __future__ import annotations

import re
from collections.abc import Callable

from discord_server.page.inline import inline
from discord_server.page.markup import Html, join, tag
from discord_server.page.view import View

_FENCE = re.compile(r"```(?:([a-z0-9_+\-.#]+)\n)?\n*([^\n].*?)\n*```\n?", re.S | re.I)
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
    # The client knows no quote within a quote.
    for pattern, build in _LINES if view.nested else (*_QUOTES, *_LINES):
        if match := pattern.match(text, position):
            return build(match, view), match.end()
    items = []
    while match := _ITEM.match(text, position):
        items.append(match)
        position = match.end()
    return (_list(items, view), position) if items else None


def _quoted_rest(match: re.Match[str], view: View) -> Html:
    return tag("blockquote", tag("div", markdown(match[1], view.inside())))


def _quoted(match: re.Match[str], view: View) -> Html:
    text = _BESIDE_A_QUOTE.sub("", match[0]).removesuffix("\n")
    return tag("blockquote", tag("div", markdown(text, view.inside())))


def _heading(match: re.Match[str], view: View) -> Html:
    return tag(f"h{len(match[1])}", inline(match[2], view))


def _subtext(match: re.Match[str], view: View) -> Html:
    return tag("small", inline(match[1], view))


def _list(items: list[re.Match[str]], view: View) -> Html:
    """Lists, a new one where the kind of mark changes; items deeper than the first are lists within their item."""
    lists: list[Html] = []
    while items:
        name, entries = _kind(items[0]), []
        while items and _kind(items[0]) == name:
            deeper = 1
            while deeper < len(items) and len(items[deeper][1]) > len(items[0][1]):
                deeper += 1
            number = items[0][2].rstrip(".") if name == "ol" else None
            entries.append(tag("li", inline(items[0][3], view), _list(items[1:deeper], view), value=number))
            items = items[deeper:]
        lists.append(tag(name, *entries))
    return join(lists)


def _kind(item: re.Match[str]) -> str:
    return "ol" if item[2].endswith(".") else "ul"


_Builder = Callable[[re.Match[str], View], Html]
_QUOTES: tuple[tuple[re.Pattern[str], _Builder], ...] = (
    (re.compile(r" *>>> (.*)", re.S), _quoted_rest),
    (re.compile(r"(?: *> [^\n]*(?:\n|$))+"), _quoted),
)
_LINES: tuple[tuple[re.Pattern[str], _Builder], ...] = (
    (re.compile(r" *(#{1,3}) +([^\n]+?) *(?:\n|$)"), _heading),
    (re.compile(r" *-# +([^\n]+?) *(?:\n|$)"), _subtext),
)
