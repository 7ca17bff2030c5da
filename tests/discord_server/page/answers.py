"""What a message answers, in the line above it: another message, or a command."""

from __future__ import annotations

import re

from discord_server.page.components import texts
from discord_server.page.icons import icon
from discord_server.page.inline import inline
from discord_server.page.markup import Html, join, tag
from discord_server.page.people import avatar, named
from discord_server.page.view import Json, View

_REPLY, _CONTEXT_MENU_COMMAND = 19, 23
_LINE_MARKS = re.compile(r"^(?: *(?:#{1,3}|-#|>{1,3}|[-*]) +)+")


def asker(message: Json) -> str | None:
    """The id of the user whose command, click or form the message answers."""
    return _interaction(message)["user"]["id"] if _interaction(message) else None


def answered(message: Json, view: View) -> Html | None:
    """The line above a message that replies or answers a command; none above others."""
    if message.get("type") == _REPLY:
        return _line(*_replied_to(message.get("referenced_message"), view))
    command = _command(_interaction(message))
    if not command:
        return None
    slash = "" if message.get("type") == _CONTEXT_MENU_COMMAND else "/"
    return _line(*_who(command["user"], view), " used ", tag("span", f"{slash}{command['name']}", cls="command"))


def summary(message: Json, view: View) -> Html:
    """The message in one line."""
    text = message.get("content") or next(texts(message.get("components", ())), "")
    first = _LINE_MARKS.sub("", next(iter(text.strip().splitlines()), ""))
    return inline(first, view) if first else join([tag("em", "Click to see attachment"), " ", icon("picture")])


def _replied_to(message: Json | None, view: View) -> tuple[Html, ...]:
    if message is None:
        return (tag("em", "Original message was deleted"),)
    return *_who(message["author"], view), tag("span", summary(message, view), cls="summary")


def _who(user: Json, view: View) -> tuple[Html, Html]:
    return avatar(user, view), named(user)


def _line(*parts: str) -> Html:
    return tag("div", *parts, cls="answered")


def _interaction(message: Json) -> Json:
    # Discord still sends the name of a command only in `interaction`, the older of the two.
    return {**(message.get("interaction") or {}), **(message.get("interaction_metadata") or {})}


def _command(interaction: Json) -> Json:
    """The command itself, or nothing: what follows a click or a form is told by the message that it replies to."""
    return interaction if interaction.get("name") and interaction.get("type", 2) == 2 else {}
