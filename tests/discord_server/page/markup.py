"""HTML that cannot be forgotten to be escaped: whatever is not `Html` already is text."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

_VOID = frozenset({"img", "meta"})


class Html(str):
    """Text that is HTML already; all other text is escaped on its way into the page."""

    __slots__ = ()


def join(parts: Iterable[str | None]) -> Html:
    """The parts behind each other; nothing stands for `None`."""
    return Html("".join(part if isinstance(part, Html) else escape(part) for part in parts if part))


def tag(name: str, *children: str | None, cls: str = "", **attributes: str | int | bool | None) -> Html:
    """One element. `None`, `False` and an empty class leave an attribute out, `True` leaves out its value."""
    given = {"class": cls or None, **attributes}
    written = "".join(
        f" {key.replace('_', '-')}" if value is True else f' {key.replace("_", "-")}="{escape(str(value))}"'
        for key, value in given.items()
        if value is not None and value is not False
    )
    return Html(f"<{name}{written}>" if name in _VOID else f"<{name}{written}>{join(children)}</{name}>")
