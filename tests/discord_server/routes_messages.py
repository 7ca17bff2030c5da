"""The messages of a channel, by the bot's token."""

from __future__ import annotations

from typing import Any

from discord_server.calls import Call, Reply, route
from discord_server.clock import born
from discord_server.codes import ChannelType, MessageFlag, MessageType, Permission
from discord_server.entities import Channel, Message
from discord_server.messages import check, check_automod, delete, edit, find_nonce, new_message, post
from discord_server.permissions import bot_channel, permissions, require
from discord_server.rate_limits import OLD_EDITS
from discord_server.refusals import FormErrors, Refusal
from discord_server.render_message import message_for_bot
from discord_server.world import World

Json = dict[str, Any]

MESSAGES = "/channels/{channel_id}/messages"
MESSAGE = MESSAGES + "/{message_id}"
OLD_S = 3600


@route("POST", MESSAGES)
def send(call: Call) -> Reply:
    world, draft = call.world, call.draft()
    channel = bot_channel(world, call.id("channel_id"))
    require_sending(world, channel, draft.body, bool(draft.uploads))
    if (draft.body.get("flags") or 0) & MessageFlag.EPHEMERAL:
        errors = FormErrors()
        errors.add(("flags",), "Only an interaction's response can be ephemeral.", "MESSAGE_FLAGS_INVALID")
        errors.raise_if_any()
    check(world, draft, world.upload_limit(channel))
    check_automod(world, channel, draft.body)
    again = find_nonce(world, channel, world.bot.id, draft.body)
    if again is not None:
        return 200, message_for_bot(world, again)
    message = new_message(world, channel, world.bot.id)
    _reply_to(world, channel, message, draft.body.get("message_reference"))
    post(world, channel, message, draft)
    return 200, message_for_bot(world, message)


def require_sending(world: World, channel: Channel, body: Json, with_files: bool) -> None:
    """What the bot needs to say something there: the channel's kind, its state, the bot's rights."""
    if channel.type == ChannelType.FORUM:
        raise Refusal(50008)
    if channel.type == ChannelType.DM:
        _require_open_dm(world, channel)
        return
    needed = Permission.SEND_MESSAGES_IN_THREADS if channel.thread else Permission.SEND_MESSAGES
    if with_files:
        needed |= Permission.ATTACH_FILES
    if body.get("embeds"):
        needed |= Permission.EMBED_LINKS
    require(world, channel, needed)
    state = channel.thread
    if state and state.locked and not permissions(world, channel, world.bot.id) & Permission.MANAGE_THREADS:
        raise Refusal(50083 if state.archived else 160005)


def _require_open_dm(world: World, channel: Channel) -> None:
    """A user must have left their DMs open, and share a guild with the bot or have it installed."""
    other = next(world.users[one] for one in channel.recipient_ids if one != world.bot.id)
    if not other.dms_open or not (other.installed or world.shares_guild(other)):
        raise Refusal(50007)


def _reply_to(world: World, channel: Channel, message: Message, reference: Json | None) -> None:
    if reference is None:
        return
    target = int(reference["message_id"])
    if target in world.messages[channel.id]:
        require(world, channel, Permission.READ_MESSAGE_HISTORY)
        message.reply_to, message.type = target, MessageType.REPLY
    elif reference.get("fail_if_not_exists", True):
        errors = FormErrors()
        errors.add(("message_reference",), "Unknown message", "REPLIES_UNKNOWN_MESSAGE")
        errors.raise_if_any()


def _find(call: Call) -> tuple[Channel, Message]:
    """A message that the bot's token can reach: it exists and is not ephemeral."""
    channel = bot_channel(call.world, call.id("channel_id"))
    message = call.world.message(channel.id, call.id("message_id"))
    if message.viewer_id is not None:
        raise Refusal(10008)
    return channel, message


@route("PATCH", MESSAGE)
def change(call: Call) -> Reply:
    world, draft = call.world, call.draft()
    channel, message = _find(call)
    if message.author_id != world.bot.id:
        raise Refusal(50005)
    if channel.thread and channel.thread.archived:
        raise Refusal(50083)
    if draft.uploads:
        require(world, channel, Permission.ATTACH_FILES)
    if world.clock.age(message.id) > OLD_S:
        _take_old_edit(world, channel)
    check(world, draft, world.upload_limit(channel), message)
    check_automod(world, channel, draft.body)
    return 200, message_for_bot(world, edit(world, message, draft))


def _take_old_edit(world: World, channel: Channel) -> None:
    taken = world.limits.take(OLD_EDITS, str(channel.id))
    if not taken.allowed:
        refusal = Refusal(30046)
        refusal.retry_after = taken.reset_after
        raise refusal


@route("DELETE", MESSAGE)
def remove(call: Call) -> Reply:
    channel, message = _find(call)
    if message.author_id != call.world.bot.id:
        require(call.world, channel, Permission.MANAGE_MESSAGES)
    if channel.thread and channel.thread.archived:
        raise Refusal(50083)
    delete(call.world, message)
    return 204, None


@route("GET", MESSAGE)
def one(call: Call) -> Reply:
    starter = _starter(call.world, bot_channel(call.world, call.id("channel_id")))
    if starter is not None and starter["id"] == call.params["message_id"]:
        return 200, starter
    channel, message = _find(call)
    require_history(call.world, channel)
    return 200, message_for_bot(call.world, message)


def _starter(world: World, channel: Channel) -> Json | None:
    """The first message of a thread that was made from a message: it says nothing and points to that one."""
    if channel.thread is None or channel.thread.starter is None:
        return None
    number, parent = channel.thread.starter
    pointed = Message(number, channel.id, channel.thread.owner_id, MessageType.THREAD_STARTER)
    origin = world.messages.get(parent, {}).get(channel.id)
    reference = {"type": 0, "channel_id": str(parent), "message_id": str(channel.id), "guild_id": str(channel.guild_id)}
    referenced = None if origin is None else message_for_bot(world, origin)
    return {**message_for_bot(world, pointed), "message_reference": reference, "referenced_message": referenced}


def require_history(world: World, channel: Channel) -> None:
    if not channel.type.is_private:
        require(world, channel, Permission.READ_MESSAGE_HISTORY)


@route("GET", MESSAGES)
def history(call: Call) -> Reply:
    """Newest first. Without the right to read the history Discord answers with an empty list."""
    world = call.world
    channel = bot_channel(world, call.id("channel_id"))
    limit = int(call.query.get("limit", "50"))
    if not 1 <= limit <= 100:
        errors = FormErrors()
        errors.add(("limit",), "int value should be between 1 and 100.", "NUMBER_TYPE_RANGE")
        errors.raise_if_any()
    if not channel.type.is_private and not permissions(world, channel, world.bot.id) & Permission.READ_MESSAGE_HISTORY:
        return 200, []
    there = {one.id: one for one in world.messages[channel.id].values() if one.viewer_id is None}
    starter = _starter(world, channel)
    first = {} if starter is None else {int(starter["id"]): starter}
    page = _page(sorted([*there, *first]), call.query, limit)
    return 200, [first.get(number) or message_for_bot(world, there[number]) for number in page]


def _page(ids: list[int], query: Any, limit: int) -> list[int]:
    """`ids` grow; the page shrinks."""
    if "before" in query:
        return [number for number in ids if number < int(query["before"])][-limit:][::-1]
    if "after" in query:
        return [number for number in ids if number > int(query["after"])][:limit][::-1]
    if "around" in query:
        middle = int(query["around"])
        older = [number for number in ids if number <= middle][-(limit // 2 + 1) :]
        newer = [number for number in ids if number > middle][: limit - len(older)]
        return (older + newer)[::-1]
    return ids[-limit:][::-1]


@route("POST", "/channels/{channel_id}/messages/bulk-delete")
def bulk_delete(call: Call) -> Reply:
    world = call.world
    channel = bot_channel(world, call.id("channel_id"))
    require(world, channel, Permission.MANAGE_MESSAGES)
    for number in call.body["messages"]:
        if world.clock.now() - born(int(number)) > 14 * 86_400:
            raise Refusal(50034, message="A message provided was too old to bulk delete")
        if int(number) in world.messages[channel.id]:
            delete(world, world.messages[channel.id][int(number)])
    return 204, None
