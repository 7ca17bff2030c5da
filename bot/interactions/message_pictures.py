"""The pictures of a message: attached, forwarded, in an embed or component, or a sticker."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import discord

from bot.cards.card import CONTENT_ALT, STYLE_ALT
from bot.discord_api.spoilers import bare_name, is_spoiler, is_spoiler_name
from bot.intake import PICTURE_TYPES
from bot.requests.attachment_download import may_fetch
from bot.requests.paint_request import AttachedPicture
from bot.text.translation import in_all_languages


def attached(attachment: discord.Attachment) -> AttachedPicture:
    """What Discord tells of an attachment."""
    return AttachedPicture(
        name=bare_name(_typed_name(attachment)),
        url=attachment.url,
        size=attachment.size,
        kind=attachment.content_type,
        spoiler=is_spoiler(attachment),
    )


def pictures_of(message: discord.Message) -> list[AttachedPicture]:
    """The pictures that a member sees in the message; unreadable kinds only where there is nothing else."""
    parts: tuple[discord.Message | discord.MessageSnapshot, ...] = (message, *message.message_snapshots)
    found = {picture.url: picture for part in parts for picture in _shown(part) if may_fetch(picture.url)}
    readable = [picture for picture in found.values() if picture.kind in (None, *PICTURE_TYPES)]
    return readable or list(found.values())


def _shown(part: discord.Message | discord.MessageSnapshot) -> Iterator[AttachedPicture]:
    for attachment in part.attachments:
        if _is_picture(attachment.content_type, attachment.width):
            yield attached(attachment)
    yield from _in_components(part.components, covered=False)
    for embed in part.embeds:
        for media in (embed.image, embed.thumbnail):
            if media.url and media.width:
                # A link in a covered sentence has a covered embed; which one it is, is not told.
                yield AttachedPicture(_file_name(media.url), media.url, spoiler="||" in part.content)
    for sticker in part.stickers:
        if sticker.format is not discord.StickerFormatType.lottie:  # a drawing in JSON
            yield AttachedPicture(sticker.name, sticker.url)


def _in_components(components: Iterable[Any], *, covered: bool) -> Iterator[AttachedPicture]:
    """What is in a covered container is covered."""
    for component in components:
        hidden = covered or getattr(component, "spoiler", False)
        match component:
            case discord.MediaGalleryComponent():
                for item in component.items:
                    yield from _media(item.media, item.description, covered=covered or item.spoiler)
            case discord.ThumbnailComponent():
                yield from _media(component.media, component.description, covered=hidden)
            case discord.FileComponent():
                yield from _media(component.media, component.name, covered=hidden)
        inside = [*getattr(component, "children", ()), getattr(component, "accessory", None)]
        yield from _in_components(filter(None, inside), covered=hidden)


def _media(media: discord.UnfurledMediaItem, called: str | None, *, covered: bool) -> Iterator[AttachedPicture]:
    if _is_picture(media.content_type, media.width):
        file = _file_name(media.url)
        name = bare_name(called or file)
        for before, after in _alt_texts():
            if name.startswith(before) and name.endswith(after):
                name = name[len(before) : len(name) - len(after)]
        spoiler = covered or media.flags.spoiler or is_spoiler_name(file)
        yield AttachedPicture(name, media.url, kind=media.content_type, spoiler=spoiler)


@functools.cache
def _alt_texts() -> list[tuple[str, str]]:
    """What stands around the names in the alt texts of a card's pictures, in all languages."""
    told = [text for alt in (CONTENT_ALT, STYLE_ALT) for text in in_all_languages(alt)]
    return [(before, after) for before, _, after in (text.partition("{name}") for text in told)]


def _is_picture(kind: str | None, width: int | None) -> bool:
    """Discord tells no kind for a name that it does not know; that it is a picture, its width tells."""
    return bool(width) if kind is None else kind.startswith("image/")


def _typed_name(attachment: discord.Attachment) -> str:
    """The file's name as its sender typed it: `filename` keeps Latin letters alone; the title has all, no ending."""
    ending = PurePosixPath(attachment.filename).suffix
    return attachment.title.removesuffix(ending) + ending if attachment.title else attachment.filename


def _file_name(url: str) -> str:
    return unquote(urlsplit(url).path).rpartition("/")[2]
