"""One message: who says it and when, what it answers, its text, pictures and components, and its thread."""

from __future__ import annotations

from discord_server.page.answers import answered, asker
from discord_server.page.clock import at, beside_name, hour
from discord_server.page.components import components
from discord_server.page.embeds import embeds, shown_in_embeds
from discord_server.page.icons import icon
from discord_server.page.markdown import markdown
from discord_server.page.markup import Html, join, tag
from discord_server.page.media import attached, attachments
from discord_server.page.people import avatar, named
from discord_server.page.threads import THREAD_CREATED, Threads, thread_created, thread_of, thread_preview
from discord_server.page.view import Json, View, display_name

THREAD_STARTER = 21
_EPHEMERAL, _LOADING, _COMPONENTS_V2 = 1 << 6, 1 << 7, 1 << 15


def is_visible(message: Json, viewer: str | None) -> bool:
    """Whether the viewer gets to see the message: an ephemeral one is seen by nobody but who asked for it."""
    return not message.get("flags", 0) & _EPHEMERAL or (viewer is not None and viewer == asker(message))


def joins(message: Json, before: Json, view: View) -> bool:
    """Whether the message goes under the one before it without showing the author again."""
    gap = at(message["timestamp"], view.now) - at(before["timestamp"], view.now)
    return (
        message["author"]["id"] == before["author"]["id"]
        and gap.total_seconds() < 7 * 60
        and {message.get("type", 0), before.get("type", 0)}.isdisjoint({THREAD_CREATED, THREAD_STARTER})
        and answered(message, view) is None
        and thread_of(before) is None
        and not (message.get("flags", 0) ^ before.get("flags", 0)) & _EPHEMERAL
    )


def render_message(message: Json, view: View, threads: Threads, *, grouped: bool) -> Html:
    """The message; a `grouped` one leaves out who speaks, for it stands under another message of theirs."""
    if message.get("type") == THREAD_CREATED:
        return tag("article", thread_created(message, threads, view), cls="message system", id=_anchor(message))
    if message.get("type") == THREAD_STARTER:
        message = message.get("referenced_message") or {**message, "content": "*Original message was deleted*"}
    thread, flags = thread_of(message), message.get("flags", 0)
    kinds = {
        "grouped": grouped,
        "ephemeral": flags & _EPHEMERAL,
        "mentioned": _mentions(message, view.viewer),
        "threaded": thread,
    }
    return tag(
        "article",
        tag("time", hour(at(message["timestamp"], view.now)), cls="beside") if grouped else _head(message, view),
        _thinking(message) if flags & _LOADING else _body(message, view),
        thread_preview(thread, threads, view) if thread else None,
        _only_you() if flags & _EPHEMERAL else None,
        cls=" ".join(["message", *(kind for kind, applies in kinds.items() if applies)]),
        id=_anchor(message),
    )


def _anchor(message: Json) -> str:
    return f"message-{message['id']}"


def _mentions(message: Json, viewer: str | None) -> bool:
    everyone = bool(message.get("mention_everyone"))
    return viewer is not None and (everyone or any(user["id"] == viewer for user in message.get("mentions", ())))


def _head(message: Json, view: View) -> Html:
    time = tag("time", beside_name(at(message["timestamp"], view.now), view.now))
    author = message["author"]
    return join([answered(message, view), avatar(author, view), tag("header", named(author), time)])


def _body(message: Json, view: View) -> Html:
    edited = tag("small", " (edited)", cls="edited") if message.get("edited_timestamp") else None
    if message.get("flags", 0) & _COMPONENTS_V2:
        return tag("div", components(message, view), edited, cls="body v2")
    content = message.get("content")
    loose = [attached(a) for a in message.get("attachments", ()) if not shown_in_embeds(a, message)]
    return tag(
        "div",
        tag("div", markdown(content or "", view), edited, cls="markdown") if content or edited else None,
        attachments(loose, view),
        embeds(message, view),
        components(message, view),
        cls="body",
    )


def _thinking(message: Json) -> Html:
    dots = tag("span", *(tag("i") for _ in range(3)), cls="dots")
    return tag("div", dots, f"{display_name(message['author'])} is thinking…", cls="thinking")


def _only_you() -> Html:
    return tag("div", icon("eye"), "Only you can see this • ", tag("a", "Dismiss message"), cls="only-you")
