"""The few signs the page needs, drawn for it: strokes on a field of 24 by 24."""

from __future__ import annotations

from discord_server.page.markup import Html

_STROKES = {
    "hash": "M9.5 4 7.5 20M16.5 4l-2 16M4.5 9H20M4 15h15.5",
    "at": "M16 12a4 4 0 1 1-8 0 4 4 0 0 1 8 0zm0 0v1.5a2.5 2.5 0 0 0 5 0V12a9 9 0 1 0-3.6 7.2",
    "thread": "M4 4.5h16v11.5h-8.5L7 20v-4H4zM8 8.7h8M8 12h5",
    "file": "M6 3h8l4 4v14H6zM14 3v4h4",
    "picture": "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.5 9.2h.01",
    "eye": "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z"
    "M14.5 12a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0z",
    "outside": "M13 4h7v7M20 4l-9 9M9 6H5v13h13v-4",
    "down": "m6 9 6 6 6-6",
    "plus": "M12 6v12M6 12h12",
    "close": "m6 6 12 12M18 6 6 18",
    "smile": "M20.5 12a8.5 8.5 0 1 1-17 0 8.5 8.5 0 0 1 17 0zM8.5 14.5a4.5 4.5 0 0 0 7 0M9 9.6h.01M15 9.6h.01",
    "people": "M13 8.5a3.5 3.5 0 1 1-7 0 3.5 3.5 0 0 1 7 0zM3 20c0-3.6 2.9-6 6.5-6s6.5 2.4 6.5 6"
    "M15.5 5.2a3.5 3.5 0 0 1 0 6.6M18 14.6c2 .9 3 2.9 3 5.4",
    "search": "M16 10.5a5.5 5.5 0 1 1-11 0 5.5 5.5 0 0 1 11 0zM14.6 14.6 20 20",
    "check": "m6.5 12.5 3.7 3.7 7.3-8",
}  # fmt: skip


def icon(name: str) -> Html:
    """The sign as an inline drawing in the colour of the text around it."""
    return Html(
        f'<svg class="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" '
        f'stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="{_STROKES[name]}"/></svg>'
    )
