"""What Discord demands of a message as a whole: text, embeds, flags, files, mentions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from discord_server.codes import MessageFlag
from discord_server.component_rules import check_components, media_of, walk
from discord_server.refusals import FormErrors, Path

Json = dict[str, Any]

MOST_FILES = 10
ATTACHMENT = "attachment://"
SETTABLE = (
    MessageFlag.SUPPRESS_EMBEDS | MessageFlag.SUPPRESS_NOTIFICATIONS | MessageFlag.COMPONENTS_V2 | MessageFlag.EPHEMERAL
)


def check_content(errors: FormErrors, body: Json) -> None:
    errors.too_long(("content",), body.get("content"), 2000)
    errors.too_long(("nonce",), body.get("nonce"), 25)
    flags = body.get("flags") or 0
    if not isinstance(flags, int) or flags & ~int(SETTABLE):
        errors.add(("flags",), "These flags cannot be set.", "MESSAGE_FLAGS_INVALID")


def check_v2(errors: FormErrors, whole: Json, v2: bool) -> None:
    """`whole` is the message as it would be."""
    if v2:
        for field in ("content", "embeds", "sticker_ids", "poll"):
            if whole.get(field):
                text = "The 'content' or 'embeds' field cannot be used when using MessageFlags.IS_COMPONENTS_V2"
                errors.add((field,), text, "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2")
    if whole.get("components"):
        check_components(errors, whole["components"], v2)


EMBED_TEXTS: tuple[tuple[Path, int], ...] = (
    (("title",), 256),
    (("description",), 4096),
    (("footer", "text"), 2048),
    (("author", "name"), 256),
)


def check_embeds(errors: FormErrors, embeds: object) -> None:
    if embeds is None:
        return
    errors.count(("embeds",), embeds, 0, 10)
    total = 0
    for index, embed in enumerate(embeds if isinstance(embeds, list) else []):
        for where, most in EMBED_TEXTS:
            text = _dig(embed, where)
            errors.too_long(("embeds", index, *where), text, most)
            total += len(text)
        fields = embed.get("fields") or []
        errors.count(("embeds", index, "fields"), fields, 0, 25)
        for number, field in enumerate(fields):
            here: Path = ("embeds", index, "fields", number)
            errors.length((*here, "name"), field.get("name"), 1, 256)
            errors.length((*here, "value"), field.get("value"), 1, 1024)
            total += len(str(field.get("name"))) + len(str(field.get("value")))
    if total > 6000:
        errors.add(("embeds",), "Embed size exceeds maximum size of 6000", "MAX_EMBED_SIZE_EXCEEDED")


def _dig(tree: Json, path: Path) -> str:
    found: Any = tree
    for step in path:
        found = (found or {}).get(step)
    return found if isinstance(found, str) else ""


def check_files(errors: FormErrors, body: Json, uploaded: set[int], kept: set[int]) -> None:
    """The `attachments` of a body: each entry is an upload of this request or a file the message has."""
    entries = body.get("attachments") or []
    listed = {str(entry.get("id", "")) for entry in entries}
    staying = kept if body.get("attachments") is None else {one for one in kept if str(one) in listed}
    if len(uploaded) + len(staying) > MOST_FILES or len(entries) > MOST_FILES:
        errors.count(("attachments",), [None] * 11, 0, MOST_FILES)
    for index, entry in enumerate(entries):
        here: Path = ("attachments", index)
        errors.too_long((*here, "description"), entry.get("description"), 1024)
        number = str(entry.get("id", ""))
        if not number.isdigit() or int(number) not in uploaded | kept:
            errors.add((*here, "id"), f"Attachment data {number!r} not found", "ATTACHMENT_NOT_FOUND")


def references(whole: Json) -> Iterator[tuple[Path, str]]:
    """The addresses of all media that a message shows, in components and in embeds."""
    for path, component in walk(whole.get("components") or []):
        for place, media in media_of(component, path):
            yield (*place, "url"), str(media.get("url", ""))
    for index, embed in enumerate(whole.get("embeds") or []):
        for slot in ("image", "thumbnail"):
            if embed.get(slot):
                yield ("embeds", index, slot, "url"), str(embed[slot].get("url", ""))


def check_references(errors: FormErrors, whole: Json, names: set[str]) -> None:
    """Each `attachment://name` must lead to a file."""
    for path, url in references(whole):
        if url.startswith(ATTACHMENT):
            if url.removeprefix(ATTACHMENT) not in names:
                errors.add(path, "The referenced attachment was not found", "UNKNOWN_ATTACHMENT_REFERENCE")
        elif not url.startswith(("http://", "https://")):
            errors.add(path, "Not a well formed URL.", "URL_TYPE_INVALID_URL")


def check_allowed_mentions(errors: FormErrors, allowed: object) -> None:
    if not isinstance(allowed, dict):
        return
    parse = allowed.get("parse") or []
    for index, kind in enumerate(parse):
        if kind not in ("users", "roles", "everyone"):
            errors.add(("allowed_mentions", "parse", index), "Value is not a valid choice.", "BASE_TYPE_CHOICES")
    for kind in ("users", "roles"):
        listed = allowed.get(kind)
        errors.count(("allowed_mentions", kind), listed or [], 0, 100)
        if listed and kind in parse:
            text = f"parse:[{kind!r}] and {kind}: [ids...] are mutually exclusive."
            errors.add(("allowed_mentions",), text, "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE")
