"""Legacy embeds: a card with a coloured edge."""

from __future__ import annotations

from discord_server.page.clock import at, beside_name
from discord_server.page.inline import inline
from discord_server.page.markdown import markdown
from discord_server.page.markup import Html, join, tag
from discord_server.page.media import linked, names
from discord_server.page.view import Json, View

_PICTURES = ("image", "thumbnail")


def embeds(message: Json, view: View) -> Html:
    """All embeds of the message."""
    return join(_embed(embed, message, view) for embed in message.get("embeds", ()))


def shown_in_embeds(attachment: Json, message: Json) -> bool:
    """Whether an embed shows the attachment, which then has no place of its own under the message."""
    pictures = [embed[key]["url"] for embed in message.get("embeds", ()) for key in _PICTURES if embed.get(key)]
    return any(names(url, attachment) for url in pictures)


def _embed(embed: Json, message: Json, view: View) -> Html:
    title, author = embed.get("title"), embed.get("author")
    heading = inline(title, view) if title else None
    heading = tag("a", heading, href=embed["url"]) if embed.get("url") else heading
    text = (
        tag("div", _small_picture(author, view), author["name"], cls="author") if author else None,
        tag("div", heading, cls="title") if title else None,
        tag("div", markdown(embed["description"], view), cls="markdown") if embed.get("description") else None,
        _fields(embed, view),
        _picture(embed, "image", message, view),
        _footer(embed, view),
    )
    colour = f"--accent: #{embed['color']:06x}" if embed.get("color") is not None else None
    return tag("div", tag("div", *text), _picture(embed, "thumbnail", message, view), cls="embed", style=colour)


def _fields(embed: Json, view: View) -> Html | None:
    fields = [
        tag(
            "div",
            tag("b", inline(field["name"], view)),
            tag("div", markdown(field["value"], view), cls="markdown"),
            cls="inline" if field.get("inline") else "",
        )
        for field in embed.get("fields", ())
    ]
    return tag("div", *fields, cls="fields") if fields else None


def _picture(embed: Json, key: str, message: Json, view: View) -> Html | None:
    if not embed.get(key):
        return None
    media = linked({"media": embed[key]}, message)
    return tag("img", src=view.source(media.url), alt=media.alt, cls=key, width=media.width, height=media.height)


def _footer(embed: Json, view: View) -> Html | None:
    footer, timestamp = embed.get("footer"), embed.get("timestamp")
    words = [footer["text"]] if footer else []
    words += [beside_name(at(timestamp, view.now), view.now)] if timestamp else []
    picture = _small_picture(footer, view) if footer else None
    return tag("div", picture, " • ".join(words), cls="footer") if words else None


def _small_picture(owner: Json, view: View) -> Html | None:
    return tag("img", src=view.source(owner["icon_url"]), alt="") if owner.get("icon_url") else None
