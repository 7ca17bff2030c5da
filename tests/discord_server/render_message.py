"""Messages as Discord writes them on the wire."""

from __future__ import annotations

import copy
import hashlib
from typing import Any

from discord_server.clock import born, iso
from discord_server.codes import SELECTS, MessageFlag, Part
from discord_server.component_rules import media_of, walk
from discord_server.entities import Attachment, Message
from discord_server.message_rules import ATTACHMENT, references
from discord_server.render import channel_json, user_json
from discord_server.world import World

Json = dict[str, Any]

FORWARD = 1
"""The type of a `message_reference`."""


def message_json(world: World, message: Message) -> Json:
    """The whole of a message. Files that a component or an embed shows are not among `attachments`: Discord's way."""
    described: Json = {
        **_content_json(world, message),
        "id": str(message.id),
        "channel_id": str(message.channel_id),
        "author": user_json(world.users[message.author_id]),
        "tts": False,
        "pinned": False,
        "mention_everyone": bool(message.mentions.get("everyone")),
    }
    if message.nonce is not None:
        described["nonce"] = message.nonce
    if message.interaction is not None:
        described |= {**message.interaction, "webhook_id": str(world.application_id)}
    if message.author_id == world.bot.id:
        described["application_id"] = str(world.application_id)
    if message.reply_to is not None:
        described |= _reply_json(world, message)
    if message.snapshot is not None:
        described |= _forward_json(world, message.snapshot)
    if message.has_thread and message.id in world.channels:
        described["thread"] = channel_json(world, world.channels[message.id])
    return described


def _content_json(world: World, message: Message) -> Json:
    """What a message says, and all that a forward keeps of it."""
    shown = {url.removeprefix(ATTACHMENT) for _, url in references(_parts(message)) if url.startswith(ATTACHMENT)}
    described: Json = {
        "type": int(message.type),
        "content": message.content,
        "timestamp": iso(born(message.id)),
        "edited_timestamp": None if message.edited_at is None else iso(message.edited_at),
        "flags": message.flags | (MessageFlag.HAS_THREAD if message.has_thread else 0),
        "mentions": [user_json(world.users[user]) for user in message.mentions.get("users", [])],
        "mention_roles": [str(role) for role in message.mentions.get("roles", [])],
        "attachments": [world.media.described(one) for one in message.attachments if one.filename not in shown],
        "embeds": _embeds_json(world, message),
        "components": _components_json(world, message),
    }
    if message.stickers:
        described["sticker_items"] = [
            {"id": str(one.id), "name": one.name, "format_type": int(one.format)} for one in message.stickers
        ]
    return described


def _forward_json(world: World, original: Message) -> Json:
    """The forwarding message itself is empty."""
    channel = world.channels.get(original.channel_id)
    place = {} if channel is None or channel.guild_id is None else {"guild_id": str(channel.guild_id)}
    reference = {"type": FORWARD, "channel_id": str(original.channel_id), "message_id": str(original.id), **place}
    return {"message_reference": reference, "message_snapshots": [{"message": _content_json(world, original)}]}


def _parts(message: Message) -> Json:
    return {"components": message.components, "embeds": message.embeds}


def _reply_json(world: World, message: Message) -> Json:
    reference: Json = {"type": 0, "channel_id": str(message.channel_id), "message_id": str(message.reply_to)}
    target = world.messages[message.channel_id].get(message.reply_to or 0)
    return {
        "message_reference": reference,
        "referenced_message": None if target is None else message_json(world, target),
    }


def _named(message: Message, url: str) -> Attachment | None:
    """The newest file of that name."""
    for attachment in reversed(message.attachments):
        if url == ATTACHMENT + attachment.filename:
            return attachment
    return None


def _embeds_json(world: World, message: Message) -> list[Json]:
    embeds = copy.deepcopy(message.embeds)
    for embed in embeds:
        embed.setdefault("type", "rich")
        for slot in ("image", "thumbnail"):
            attachment = _named(message, (embed.get(slot) or {}).get("url", ""))
            if attachment is not None:
                embed[slot] = world.media.unfurled(attachment)
    return embeds


DEFAULTS: dict[int, Json] = {
    **{select: {"min_values": 1, "max_values": 1} for select in SELECTS},
    Part.THUMBNAIL: {"description": None, "spoiler": False},
    Part.FILE: {"spoiler": False},
    Part.SEPARATOR: {"spacing": 1, "divider": True},
    Part.CONTAINER: {"accent_color": None, "spoiler": False},
}
"""What Discord says of a component that its sender left unsaid."""


def _components_json(world: World, message: Message) -> list[Json]:
    components = copy.deepcopy(message.components)
    for path, component in walk(components):
        component.update(DEFAULTS.get(component["type"], {}) | component)
        for item in component["items"] if component["type"] == Part.GALLERY else []:
            item.update({"description": None, "spoiler": False} | item)
        for _, media in media_of(component, path):
            attachment = _named(message, str(media.get("url", "")))
            media.update(_elsewhere(media["url"]) if attachment is None else world.media.unfurled(attachment))
            if component["type"] == Part.FILE and attachment is not None:
                component.update(name=attachment.filename, size=attachment.size)
    return components


def _elsewhere(url: str) -> Json:
    """A picture of somebody else's host, as Discord's proxy has it."""
    number = int(hashlib.sha256(url.encode()).hexdigest()[:15], 16)
    return {"id": str(number), "proxy_url": url, "width": None, "height": None, "content_type": None}


def message_for_bot(world: World, message: Message) -> Json:
    """Without the MESSAGE_CONTENT intent, what others wrote in a guild comes empty unless it mentions the bot."""
    described = message_json(world, message)
    own = message.author_id == world.bot.id or world.bot.id in message.mentions.get("users", [])
    if own or world.channels[message.channel_id].guild_id is None or world.may_read_content:
        return described
    hidden: Json = {"content": "", "embeds": [], "attachments": [], "components": []}
    if "message_snapshots" in described:
        [snapshot] = described["message_snapshots"]
        described["message_snapshots"] = [{"message": snapshot["message"] | hidden}]
    return described | hidden
