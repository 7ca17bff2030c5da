"""The whole page: the channel, and beside it the thread that is open."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from importlib.resources import files
from typing import Any, Literal

from discord_server.page.clock import at, day
from discord_server.page.icons import icon
from discord_server.page.markdown import markdown
from discord_server.page.markup import Html, join, tag
from discord_server.page.messages import THREAD_STARTER, is_visible, joins, render_message
from discord_server.page.people import avatar, named
from discord_server.page.threads import Threads, thread_of
from discord_server.page.view import Json, View, display_name

_SHEETS = ("page", "message", "markdown", "components")
_DIRECT, _GROUP, _THREADS = 1, 3, {10, 11, 12}


def render_channel(
    channel: dict[str, Any],
    messages: list[dict[str, Any]],
    *,
    users: dict[str, dict[str, Any]],
    threads: dict[str, list[dict[str, Any]]] | None = None,
    viewer: str | None = None,
    theme: Literal["dark", "light"] = "dark",
    now: datetime,
    embed: Callable[[str], bytes] | None = None,
) -> str:
    """The channel as a page of its own, as the user with the id `viewer` sees it at `now`, in the zone of `now`.

    All objects are those of Discord's REST API, in any order. `threads` holds the messages of threads by the
    thread's id; the first of them is open at the right. `embed` gives the bytes behind an address, and the page
    then holds every picture itself. It is asked for avatars and custom emoji too, and may answer those with a
    `LookupError`; then, and without `embed`, they are initials and names. Pictures are shown from their addresses
    where there is no `embed`.

    Raises `ValueError` for a component that no message can have, or a `now` without a time zone, and
    `LookupError` for an `attachment://` that the message does not have.
    """
    if now.tzinfo is None:
        raise ValueError("The page needs to know the viewer's time zone: give now one.")
    opened = threads or {}
    every = [*messages, *(message for thread in opened.values() for message in thread)]
    names = {thread["id"]: str(thread["name"]) for message in every if (thread := thread_of(message))}
    names |= {channel["id"]: _name(channel)}
    view = View({**_met(every), **users}, names, viewer, now, embed)
    panes = [_pane(channel, _stream(messages, view, opened), view)]
    if opened:
        panes.append(_thread_pane(next(iter(opened)), messages, opened, view))
    style = "".join(files(__package__).joinpath(f"css/{sheet}.css").read_text("utf-8") for sheet in _SHEETS)
    head = tag("head", tag("meta", charset="utf-8"), tag("title", _name(channel)), tag("style", Html(style)))
    body = tag("body", *panes, cls="two" if opened else "")
    return f"<!doctype html>\n{tag('html', head, body, lang='en', data_theme=theme)}\n"


def _met(messages: Sequence[Json]) -> dict[str, Json]:
    """The users that the messages themselves tell of."""
    people = [person for message in messages for person in (message["author"], *message.get("mentions", ()))]
    people += [asked["user"] for message in messages if (asked := message.get("interaction_metadata"))]
    return {person["id"]: person for person in people}


def _name(channel: Json) -> str:
    people = ", ".join(display_name(user) for user in channel.get("recipients", ()))
    return str(channel.get("name") or people)


def _stream(messages: Sequence[Json], view: View, threads: Threads) -> Html:
    """The messages from the oldest to the newest, with a line wherever a day begins."""
    seen = sorted((m for m in messages if is_visible(m, view.viewer)), key=lambda message: int(message["id"]))
    return join(_entries(seen, view, threads))


def _entries(messages: Sequence[Json], view: View, threads: Threads) -> Iterator[Html]:
    before: Json | None = None
    for message in messages:
        date = at(message["timestamp"], view.now).date()
        new_day = before is None or at(before["timestamp"], view.now).date() != date
        if new_day and message.get("type") != THREAD_STARTER:
            yield tag("div", tag("span", day(at(message["timestamp"], view.now))), cls="day")
        grouped = before is not None and not new_day and joins(message, before, view)
        yield render_message(message, view, threads, grouped=grouped)
        before = message


def _pane(channel: Json, stream: Html, view: View) -> Html:
    sign = {_DIRECT: "at", _GROUP: "people"}.get(channel.get("type", 0), "hash")
    sign = "thread" if channel.get("type") in _THREADS else sign
    topic = tag("span", markdown(channel["topic"], view), cls="topic") if channel.get("topic") else None
    tools = tag("span", *(icon(name) for name in ("thread", "people", "search")), cls="tools")
    target = f"@{_name(channel)}" if sign == "at" else f"#{_name(channel)}" if sign == "hash" else _name(channel)
    return _column("main", (icon(sign), tag("h1", _name(channel)), topic, tools), stream, target)


def _thread_pane(thread: str, messages: Sequence[Json], threads: Threads, view: View) -> Html:
    """The open thread, which begins with its name, its author, and the message that it hangs on."""
    name = view.channels.get(thread, "Thread")
    parent = next((m for m in messages if (found := thread_of(m)) and found["id"] == thread), None)
    owner = view.users.get((parent or {}).get("thread", {}).get("owner_id"), (parent or {}).get("author"))
    started = tag("p", "Started by ", avatar(owner, view), named(owner)) if owner else None
    opening = tag("div", tag("span", icon("thread"), cls="disc"), tag("h2", name), started, cls="opening")
    stream = join([opening, _stream(threads[thread], view, {})])
    tools = tag("span", icon("close"), cls="tools")
    return _column("aside", (icon("thread"), tag("h1", name), tools), stream, name)


def _column(name: str, header: Sequence[Html | None], stream: Html, target: str) -> Html:
    box = tag("div", icon("plus"), tag("span", f"Message {target}"), icon("smile"), cls="composer")
    scroller = tag("div", tag("div", stream, cls="stream"), cls="scroller")
    return tag(name, tag("header", *header), scroller, box)
