"""Attachments and what V2 components show of them: pictures in a mosaic, films, files in a box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from mimetypes import guess_type
from typing import Any
from urllib.parse import urlsplit

from discord_server.page.icons import icon
from discord_server.page.markup import Html, join, tag
from discord_server.page.view import Json, View

_SCHEME = "attachment://"
_SPOILER = 1 << 3


@dataclass(frozen=True)
class Media:
    """Something attached or linked: enough to show it."""

    url: str
    name: str
    kind: str
    width: int | None
    height: int | None
    size: int
    alt: str
    spoiler: bool


def attached(attachment: Json) -> Media:
    """An attachment of a message."""
    name = str(attachment["filename"])
    return Media(
        url=attachment["url"],
        name=name,
        kind=attachment.get("content_type") or guess_type(name, strict=False)[0] or "",
        width=attachment.get("width"),
        height=attachment.get("height"),
        size=attachment.get("size", 0),
        alt=attachment.get("description") or "",
        spoiler=name.startswith("SPOILER_") or bool(attachment.get("flags", 0) & _SPOILER),
    )


def linked(item: Json, message: Json, *, key: str = "media") -> Media:
    """What a component's media refers to, by address or as `attachment://name`.

    Raises `LookupError` where the message has no such attachment.
    """
    unfurled, attachments = item[key], message.get("attachments", ())
    own = next((a for a in attachments if names(unfurled["url"], a)), None)
    if own is None and unfurled["url"].startswith(_SCHEME):
        raise LookupError(f"The message {message['id']} has no attachment for {unfurled['url']}.")
    name = item.get("name") or urlsplit(unfurled["url"]).path.rsplit("/", 1)[-1]
    whole: dict[str, Any] = {"filename": name, "size": item.get("size", 0), **(own or unfurled)}
    if item.get("description"):
        whole["description"] = item["description"]
    media = attached(whole)
    return Media(**{**vars(media), "spoiler": media.spoiler or bool(item.get("spoiler"))})


def names(url: str, attachment: Json) -> bool:
    """Whether the address means this attachment."""
    return url in {attachment["url"], attachment.get("proxy_url"), _SCHEME + str(attachment["filename"])}


def attachments(found: Sequence[Media], view: View) -> Html:
    """The attachments under a message: first the pictures and films, then a box for each file."""
    seen = [media for media in found if is_visual(media)]
    boxes = [file_box(media) for media in found if not is_visual(media)]
    return join([mosaic(seen, view), *boxes])


def is_visual(media: Media) -> bool:
    """Whether the client shows it, rather than a box to download it from."""
    return media.kind.startswith(("image/", "video/"))


def mosaic(items: Sequence[Media], view: View) -> Html | None:
    """The pictures in the client's arrangement: one in its own shape, more as rows of two or three."""
    if not items:
        return None
    if len(items) == 1:
        return tag("div", _cell(items[0], view), cls="mosaic alone")
    first = 0 if len(items) in {3, 4} else len(items) % 3
    rows = [tag("div", *(_cell(media, view) for media in items[:first]), cls=f"line of-{first}")] if first else []
    shape = {3: "three", 4: "four"}.get(len(items), "of-3")
    if rest := items[first:]:
        rows.append(tag("div", *(_cell(media, view) for media in rest), cls=f"line {shape}"))
    return tag("div", *rows, cls="mosaic")


def _cell(media: Media, view: View) -> Html:
    source, width, height = view.source(media.url), media.width, media.height
    if media.kind.startswith("video/"):
        label = media.alt or media.name
        shown = tag(
            "video", src=source, controls=True, preload="metadata", aria_label=label, width=width, height=height
        )
    else:
        shown = tag("img", src=source, alt=media.alt, width=width, height=height)
    badge = tag("span", "ALT", cls="alt", title=media.alt) if media.alt and not media.spoiler else None
    cover = tag("span", "SPOILER", cls="cover") if media.spoiler else None
    return tag("div", shown, badge, cover, cls="cell hidden" if media.spoiler else "cell")


def file_box(media: Media) -> Html:
    """A file as a box with its name and size."""
    about = tag("div", tag("a", media.name, href=media.url), tag("small", _size(media.size)))
    return tag("div", icon("file"), about, cls="file")


def _size(size: int) -> str:
    for unit, factor in (("MB", 1 << 20), ("KB", 1 << 10)):
        if size >= factor:
            return f"{size / factor:.2f} {unit}"
    return f"{size} bytes"
