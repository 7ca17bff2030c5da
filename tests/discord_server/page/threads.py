"""A thread as its channel shows it: under the message it hangs on, or as a line that somebody started it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from discord_server.page.answers import summary
from discord_server.page.clock import at, beside_name, relative
from discord_server.page.icons import icon
from discord_server.page.markup import Html, join, tag
from discord_server.page.people import avatar, named
from discord_server.page.view import Json, View, display_name

THREAD_CREATED = 18

Threads = Mapping[str, Sequence[Json]]
"""The messages of threads, by the thread's id."""


def thread_of(message: Json) -> Json | None:
    """The thread that hangs on the message, as far as the message itself tells of it."""
    if message.get("type") == THREAD_CREATED:
        return {"id": message["message_reference"]["channel_id"], "name": message["content"]}
    thread: Json | None = message.get("thread")
    return thread


def thread_preview(thread: Json, threads: Threads, view: View) -> Html:
    """The thread's name, how much is in it, and who was the last to write there."""
    known = threads.get(thread["id"], ())
    count = thread.get("message_count", len(known))
    counted = tag("span", f"{count} {'Message' if count == 1 else 'Messages'}", cls="count") if count else None
    heading = tag("div", tag("b", thread["name"]), counted, tag("span", "See Thread ›", cls="see"))
    last = _last(known, view) if known else None if count else join(["There are no recent messages in this thread."])
    return tag("div", heading, tag("div", last, cls="last") if last else None, cls="thread-preview")


def thread_created(message: Json, threads: Threads, view: View) -> Html:
    """The line that tells of a thread without a message of its own to hang on."""
    name = display_name(message["author"])
    told = (
        tag("b", name), " started a thread: ", tag("b", message["content"]), ". See all ", tag("a", "threads"), ". ",
        tag("time", beside_name(at(message["timestamp"], view.now), view.now)),
    )  # fmt: skip
    thread = thread_of(message)
    preview = thread_preview(thread, threads, view) if thread else None
    return join([icon("thread"), tag("div", *told, cls="told"), preview])


def _last(messages: Sequence[Json], view: View) -> Html:
    last = max(messages, key=lambda message: int(message["id"]))
    ago = relative(at(last["timestamp"], view.now), view.now)
    return join([avatar(last["author"], view), named(last["author"]), tag("span", summary(last, view), cls="summary"),
                 tag("time", ago)])  # fmt: skip
