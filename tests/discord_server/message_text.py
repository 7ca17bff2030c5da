"""What a message, as Discord's API has it, shows to its reader."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

from discord_server.codes import SELECTS, AttachmentFlag, MessageFlag, Part
from discord_server.component_rules import media_of, walk

Json = dict[str, Any]


def text_of(message: Json) -> str:
    """Content, embeds' texts and text displays, one per line."""
    lines = [message["content"]]
    for embed in message["embeds"]:
        lines += [embed.get("title", ""), embed.get("description", "")]
        lines += [f"{field['name']}: {field['value']}" for field in embed.get("fields", [])]
    lines += [part["content"] for _, part in walk(message["components"]) if part["type"] == Part.TEXT]
    return "\n".join(line for line in lines if line)


def buttons_of(message: Json) -> list[Json]:
    return [part for _, part in walk(message["components"]) if part["type"] == Part.BUTTON]


def selects_of(message: Json) -> list[Json]:
    return [part for _, part in walk(message["components"]) if part["type"] in SELECTS]


def files_of(message: Json) -> dict[str, Json]:
    """By file name, however shown: `url`, `description` (the alt text) where there is one, `spoiler`."""
    found = {one["filename"]: {**one, "spoiler": _is_covered(one)} for one in message["attachments"]}
    for media, item in _shown(message):
        name = unquote(urlsplit(media["url"]).path.rpartition("/")[2])
        covered = {"description": item.get("description"), "spoiler": bool(item.get("spoiler"))}
        found[name] = {**media, "filename": name, **covered}
    return found


def _is_covered(attachment: Json) -> bool:
    flagged = attachment.get("flags", 0) & AttachmentFlag.IS_SPOILER
    return bool(flagged) or attachment["filename"].startswith("SPOILER_")


def _shown(message: Json) -> Iterator[tuple[Json, Json]]:
    """Media, and the component or gallery item that shows it."""
    for path, part in walk(message["components"]):
        items = part["items"] if part["type"] == Part.GALLERY else [part]
        for (_, media), item in zip(media_of(part, path), items, strict=False):
            yield media, item
    for embed in message["embeds"]:
        for slot in ("image", "thumbnail"):
            if slot in embed:
                yield embed[slot], {}


def is_thinking(message: Json) -> bool:
    """A deferred response that nothing has come of yet."""
    return bool(message["flags"] & MessageFlag.LOADING)


def is_ephemeral(message: Json) -> bool:
    return bool(message["flags"] & MessageFlag.EPHEMERAL)
