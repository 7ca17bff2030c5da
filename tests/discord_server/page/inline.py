"""Discord's markdown within a line: emphasis, code, links, mentions, timestamps, spoilers, emoji."""

from __future__ import annotations

import re
from collections.abc import Callable

from discord_server.page.clock import stamp
from discord_server.page.markup import Html, join, tag
from discord_server.page.view import View

_EMPHASIS = {
    "em": re.compile(
        r"\*(?=\S)((?:\*\*|\\.|\s+(?:\\.|[^\s*\\]|\*\*)|[^\s*\\])+?)\*(?!\*)|\b_((?:__|\\.|[^\\_])+?)_\b", re.S
    ),
    "strong": re.compile(r"\*\*((?:\\.|[^\\])+?)\*\*(?!\*)", re.S),
    "u": re.compile(r"__((?:\\.|[^\\])+?)__(?!_)", re.S),
}
_DEEPEST = 12  # a message of nothing but asterisks would nest beyond what Python can
_CODE = re.compile(r"(`+)(.*?[^`])\1(?!`)", re.S)
_EMOJI = re.compile(
    "(?:[\u231a\u231b\u23e9-\u23f3\u25fd\u25fe\u2614\u2615\u2648-\u2653\u267f\u2693\u26a1\u26aa\u26ab\u26bd\u26be"
    "\u26c4\u26c5\u26ce\u26d4\u26ea\u26f2-\u26f5\u26fa\u26fd\u2705\u270a\u270b\u2728\u274c\u274e\u2753-\u2755\u2757"
    "\u2795-\u2797\u27b0\u27bf\u2b1b\u2b1c\u2b50\u2b55\U0001f000-\U0001faff]|[\u00a9-\u3299](?=\ufe0f))"
    "[\ufe0f\u20e3\u200d\U0001f000-\U0001faff]*"
)


def inline(text: str, view: View) -> Html:
    """The text with its marks turned into elements. Marks that mean nothing, and all HTML, stay as they are."""
    if view.nested > _DEEPEST:
        return join([text])
    parts: list[str] = []
    position = plain = 0
    while position < len(text):
        found = _element(text, position, view)
        if found is None:
            position += 1
            continue
        parts += [text[plain:position], found[0]]
        position = plain = found[1]
    return join([*parts, text[plain:]])


def emoji(text: str) -> Html:
    """One emoji as the client draws it: larger than the letters around it."""
    return tag("span", text, cls="emoji")


def _element(text: str, position: int, view: View) -> tuple[Html, int] | None:
    """The element that starts at the position, and where it ends."""
    for pattern, build in _RULES:
        if match := pattern.match(text, position):
            built = build(match, view)
            if built is not None:
                return built, match.end()
    matches = {name: match for name, pattern in _EMPHASIS.items() if (match := pattern.match(text, position))}
    if not matches:
        return None
    # As in the client: of **bold** and *italic* marks on one spot the longer wins, so that ***both*** nests.
    name = max(matches, key=lambda name: matches[name].end())
    return tag(name, inline(next(filter(None, matches[name].groups())), view.inside())), matches[name].end()


def _escaped(match: re.Match[str], view: View) -> Html:
    return join([match[1]])


def _code(match: re.Match[str], view: View) -> Html:
    return tag("code", match[2].strip() or match[2])


def _link(match: re.Match[str], view: View) -> Html:
    return tag("a", match[1], href=match[1])


def _masked(match: re.Match[str], view: View) -> Html | None:
    # A link that dresses up as another address stays text, so that nobody is sent where they did not mean to go.
    return None if "://" in match[1] else tag("a", inline(match[1], view.inside()), href=match[2])


def _user(match: re.Match[str], view: View) -> Html:
    return tag("span", f"@{view.name_of(match[1])}", cls="mention")


def _channel(match: re.Match[str], view: View) -> Html:
    return tag("span", f"#{view.channels.get(match[1], 'unknown')}", cls="mention")


def _role(match: re.Match[str], view: View) -> Html:
    return tag("span", "@unknown-role", cls="mention")


def _named(match: re.Match[str], view: View) -> Html:
    return tag("span", match[1], cls="mention")


def _custom_emoji(match: re.Match[str], view: View) -> Html | None:
    source = view.cdn(f"emojis/{match[2]}.webp")
    return tag("img", src=source, alt=f":{match[1]}:", cls="emoji") if source else join([f":{match[1]}:"])


def _moment(match: re.Match[str], view: View) -> Html | None:
    try:
        return tag("span", stamp(int(match[1]), match[2] or "f", view.now), cls="moment")
    except (OverflowError, OSError, ValueError):
        return None


def _struck(match: re.Match[str], view: View) -> Html:
    return tag("s", inline(match[1], view.inside()))


def _spoiler(match: re.Match[str], view: View) -> Html:
    return tag("span", tag("span", inline(match[1], view.inside())), cls="spoiler", tabindex=0)


def _emoji(match: re.Match[str], view: View) -> Html:
    return emoji(match[0])


_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], View], Html | None]], ...] = (
    (re.compile(r"\\([^0-9A-Za-z\s])"), _escaped),
    (_CODE, _code),
    (re.compile(r"<(https?://[^\s>]+)>"), _link),
    (re.compile(r"\[((?:\\.|[^\[\]\\])+)\]\(<?(https?://[^\s<>)]+)>?(?: +\"[^\"]*\")?\)"), _masked),
    (re.compile(r"(https?://[^\s<]+[^<.,:;\"')\]\s])"), _link),
    (re.compile(r"<@!?(\d+)>"), _user),
    (re.compile(r"<@&(\d+)>"), _role),
    (re.compile(r"<#(\d+)>"), _channel),
    (re.compile(r"<(/[^:<>]{1,100}):\d+>"), _named),
    (re.compile(r"<a?:(\w+):(\d+)>"), _custom_emoji),
    (re.compile(r"<t:(-?\d{1,13})(?::([tTdDfFR]))?>"), _moment),
    (re.compile(r"~~(.+?)~~", re.S), _struck),
    (re.compile(r"\|\|(.+?)\|\|", re.S), _spoiler),
    (_EMOJI, _emoji),
)
