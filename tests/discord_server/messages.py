"""Messages come, change and go here, whoever's they are; every rule is checked before anything changes."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass, field
from typing import Any

from discord_server.codes import MIB, AttachmentFlag, ChannelType, MessageFlag, MessageType
from discord_server.component_rules import media_of, texts_of, walk, without_nulls
from discord_server.entities import Attachment, Channel, Message
from discord_server.media import Upload, cleaned
from discord_server.mentions import mentioned
from discord_server.message_rules import (
    ATTACHMENT,
    check_allowed_mentions,
    check_content,
    check_embeds,
    check_files,
    check_references,
    check_v2,
)
from discord_server.refusals import FormErrors, Refusal, invalid
from discord_server.render import channel_json, thread_member_json
from discord_server.render_message import message_for_bot, message_json
from discord_server.world import World

Json = dict[str, Any]

NONCE_LIFE_S = 180
MOST_REQUEST_BYTES = 25 * MIB


@dataclass(frozen=True)
class Draft:
    """What a request wants a message to say."""

    body: Json
    uploads: list[Upload] = field(default_factory=list)


def check(world: World, draft: Draft, upload_limit: int, was: Message | None = None) -> None:
    """Raises what Discord would answer to a draft; `was` is the message that it edits."""
    body, kept = draft.body, [] if was is None else was.attachments
    whole = body if was is None else {"content": was.content, "embeds": was.embeds, "components": was.components} | body
    flags = body.get("flags") or 0
    was_v2 = was is not None and bool(was.flags & MessageFlag.COMPONENTS_V2)
    v2 = was_v2 or bool(flags & MessageFlag.COMPONENTS_V2)
    errors = FormErrors()
    if was_v2 and "flags" in body and not flags & MessageFlag.COMPONENTS_V2:
        errors.add(("flags",), "The IS_COMPONENTS_V2 flag cannot be removed.", "MESSAGE_FLAGS_CANNOT_REMOVE_V2")
    check_content(errors, body)
    check_embeds(errors, body.get("embeds"))
    check_v2(errors, whole, v2)
    check_allowed_mentions(errors, body.get("allowed_mentions"))
    check_files(errors, body, {upload.index for upload in draft.uploads}, {one.id for one in kept})
    errors.raise_if_any()
    names = {cleaned(upload.filename) for upload in draft.uploads} | {one.filename for one in _still(body, kept)}
    check_references(errors, whole, names)
    errors.raise_if_any()
    if not _says_something(whole, names):
        raise invalid(50006)
    _check_sizes(world, draft.uploads, upload_limit)


def _still(body: Json, kept: list[Attachment]) -> list[Attachment]:
    """Of a message's files those that stay: all, unless the body lists which."""
    if body.get("attachments") is None:
        return kept
    listed = {str(entry["id"]) for entry in body["attachments"]}
    return [one for one in kept if str(one.id) in listed]


def _says_something(whole: Json, files: set[str]) -> bool:
    return bool((whole.get("content") or "").strip() or whole.get("embeds") or whole.get("components") or files)


def _check_sizes(world: World, uploads: list[Upload], upload_limit: int) -> None:
    if any(len(upload.data) > upload_limit for upload in uploads):
        raise Refusal(40005)
    for upload in uploads:
        if not upload.data:
            world.note("violation", what=f"an empty file was uploaded: {upload.filename}")


def check_automod(world: World, channel: Channel, body: Json) -> None:
    """200000 when the guild has blocked a word of the text."""
    guild = world.guild_of(channel)
    text = text_of(body).lower()
    if guild is not None and any(word.lower() in text for word in guild.blocked_words):
        raise Refusal(200000)


def text_of(body: Json) -> str:
    """All that can address someone: the content and the text displays."""
    return "\n".join([body.get("content") or "", *texts_of(body.get("components") or [])])


def find_nonce(world: World, channel: Channel, author_id: int, body: Json) -> Message | None:
    """The message that an enforced nonce already made."""
    if not body.get("enforce_nonce") or body.get("nonce") is None:
        return None
    for message in world.messages[channel.id].values():
        same = message.nonce == str(body["nonce"]) and message.author_id == author_id
        if same and world.clock.age(message.id) <= NONCE_LIFE_S:
            return message
    return None


def post(world: World, channel: Channel, message: Message, draft: Draft) -> Message:
    """Puts a checked draft into a new message, and the message into its channel."""
    body = draft.body
    _note_unguarded(world, message, body)
    message.content = body.get("content") or ""
    message.flags |= body.get("flags") or 0
    message.embeds = copy.deepcopy(body.get("embeds") or [])
    message.components = _with_ids(body.get("components") or [])
    message.nonce = None if body.get("nonce") is None else str(body["nonce"])
    message.attachments = _take(world, message, draft, [])
    replied = world.messages[channel.id].get(message.reply_to or 0)
    author = None if replied is None else replied.author_id
    message.mentions = mentioned(world, message, text_of(body), body, author)
    world.messages[channel.id][message.id] = message
    if message.viewer_id is None:
        channel.last_message_id = message.id
        _wake_thread(world, channel)
        for user in (message.author_id, *message.mentions["users"]):
            join_thread(world, channel, user)
    world.touch("message", message.id)
    _tell(world, "MESSAGE_CREATE", message)
    _note_pings(world, message)
    return message


def _tell(world: World, event: str, message: Message) -> None:
    """The gateway, of what is not ephemeral."""
    channel = world.channels[message.channel_id]
    place = {} if channel.guild_id is None else {"guild_id": str(channel.guild_id)}
    if message.viewer_id is None:
        world.emit(event, {**message_for_bot(world, message), **place}, channel.guild_id)


def join_thread(world: World, thread: Channel, user_id: int) -> None:
    """Whoever writes in a thread, is mentioned in it or added to it becomes a member."""
    state = thread.thread
    if state is None or user_id in state.member_ids:
        return
    state.member_ids.append(user_id)
    added: Json = {"id": str(thread.id), "guild_id": str(thread.guild_id), "removed_member_ids": []}
    added |= {"member_count": len(state.member_ids), "added_members": [thread_member_json(thread, user_id)]}
    world.emit("THREAD_MEMBERS_UPDATE", added, thread.guild_id)
    world.touch("channel", thread.id)


def _wake_thread(world: World, channel: Channel) -> None:
    state = channel.thread
    if state is None:
        return
    state.sent += 1
    if state.archived:
        state.archived, state.archived_at = False, world.clock.now()
        world.emit("THREAD_UPDATE", channel_json(world, channel), channel.guild_id)
    world.touch("channel", channel.id)


def edit(world: World, message: Message, draft: Draft) -> Message:
    """Applies a checked draft; a field that is not in the body stays as it is."""
    body, loading = draft.body, bool(message.flags & MessageFlag.LOADING)
    message.history.append(message_json(world, message))
    _note_unguarded(world, message, body)
    flags = (body.get("flags") or 0) & ~MessageFlag.EPHEMERAL
    message.flags = (message.flags | flags) & ~MessageFlag.LOADING
    if "content" in body:
        message.content = body["content"] or ""
    if "embeds" in body:
        message.embeds = copy.deepcopy(body["embeds"] or [])
    if "components" in body:
        message.components = _with_ids(body["components"] or [])
    message.attachments = _take(world, message, draft, message.attachments)
    whole = {"content": message.content, "components": message.components}
    message.mentions = mentioned(world, message, text_of(whole), body)
    message.edited_at = None if loading else world.clock.now()
    world.touch("message", message.id)
    _tell(world, "MESSAGE_UPDATE", message)
    if loading:
        _note_pings(world, message)
    return message


def delete(world: World, message: Message) -> None:
    del world.messages[message.channel_id][message.id]
    world.touch("message", message.id)
    _tell(world, "MESSAGE_DELETE", message)


def _with_ids(components: list[Json]) -> list[Json]:
    """Discord numbers the components that carry no id, and writes what a select begins with as ids are written."""
    numbered: list[Json] = without_nulls(components)
    taken = {component.get("id") for _, component in walk(numbered)}
    following = 1
    for _, component in walk(numbered):
        while following in taken:
            following += 1
        if not component.get("id"):
            component["id"] = following
            taken.add(following)
        for chosen in component.get("default_values") or []:
            chosen["id"] = str(chosen["id"])
    return numbered


def _take(world: World, message: Message, draft: Draft, had: list[Attachment]) -> list[Attachment]:
    """The files a message has after a draft: those it keeps, then the uploads."""
    entries = {str(entry["id"]): entry for entry in draft.body.get("attachments") or []}
    listed = draft.body.get("attachments") is not None
    kept = _still(draft.body, had)
    shown = _own_references(world, message)
    new = []
    for upload in draft.uploads:
        attachment = world.media.keep(upload, message.channel_id)
        entry = entries.get(str(upload.index), {})
        attachment.description, attachment.title = entry.get("description"), entry.get("title") or attachment.title
        attachment.flags |= AttachmentFlag.IS_SPOILER if entry.get("is_spoiler") else 0
        new.append(attachment)
    if not message.flags & MessageFlag.COMPONENTS_V2:
        return kept + new
    for one in [*new, *(kept if listed else [])]:
        if one.filename not in shown:
            world.note("violation", what=f"no component shows the attachment {one.filename}", message=str(message.id))
    return [one for one in kept + new if one.filename in shown]


def _own_references(world: World, message: Message) -> set[str]:
    """Names of the files that are shown. An address of one's own file counts like its `attachment://` name."""
    names = set()
    for media in _media(message):
        own = re.match(re.escape(world.media.base_url) + r"/attachments/\d+/(\d+)/", media.get("url", ""))
        file = world.media.find(int(own[1])) if own else None
        if file is not None and file in message.attachments:
            media["url"] = ATTACHMENT + file.filename
        names.add(media.get("url", "").removeprefix(ATTACHMENT))
    return names


def _media(message: Message) -> list[Json]:
    found: list[Json] = []
    for path, component in walk(message.components):
        found.extend(media for _, media in media_of(component, path))
    return found


def _note_unguarded(world: World, message: Message, body: Json) -> None:
    """The bot's words without `allowed_mentions`: Discord's default then lets all of them ping."""
    says = text_of(body) or body.get("embeds")
    if says and message.author_id == world.bot.id and body.get("allowed_mentions") is None:
        world.note("unguarded", message=str(message.id))


def _note_pings(world: World, message: Message) -> None:
    """Ephemeral and silent messages notify nobody, and nobody is notified of what they wrote themselves."""
    silent = message.flags & MessageFlag.SUPPRESS_NOTIFICATIONS or message.viewer_id is not None
    channel = world.channels[message.channel_id]
    if channel.type == ChannelType.DM and not silent and message.author_id == world.bot.id:
        [user] = [one for one in channel.recipient_ids if one != world.bot.id]
        world.note("ring", message=str(message.id), channel=str(channel.id), user=str(user))
    users = [user for user in message.mentions.get("users", []) if user != message.author_id]
    found = {**message.mentions, "users": users}
    if not silent and any(found.values()):
        world.note("ping", message=str(message.id), channel=str(message.channel_id), **_as_strings(found))


def _as_strings(mentions: Json) -> Json:
    strings = {kind: [str(one) for one in mentions[kind]] for kind in ("users", "roles")}
    return {**strings, "everyone": mentions["everyone"]}


def new_message(world: World, channel: Channel, author_id: int, kind: MessageType = MessageType.DEFAULT) -> Message:
    return Message(world.clock.snowflake(), channel.id, author_id, kind)
