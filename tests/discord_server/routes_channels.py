"""Channels and threads, by the bot's token."""

from __future__ import annotations

from typing import Any

from discord_server.calls import Call, Reply, route
from discord_server.clock import born
from discord_server.codes import ChannelType, MessageType, Permission
from discord_server.entities import Channel, ThreadState
from discord_server.messages import Draft, check, check_automod, join_thread, new_message, post
from discord_server.permissions import bot_channel, permissions, require, sees
from discord_server.refusals import FormErrors, Refusal
from discord_server.render import channel_json
from discord_server.render_message import message_for_bot
from discord_server.routes_messages import require_history
from discord_server.world import World

Json = dict[str, Any]

CHANNEL = "/channels/{channel_id}"
ARCHIVE_MINUTES = (60, 1440, 4320, 10080)
THREADED = (ChannelType.TEXT, ChannelType.ANNOUNCEMENT)


@route("GET", CHANNEL)
def get(call: Call) -> Reply:
    return 200, channel_json(call.world, bot_channel(call.world, call.id("channel_id")))


@route("POST", CHANNEL + "/typing")
def typing(call: Call) -> Reply:
    bot_channel(call.world, call.id("channel_id"))
    return 204, None


@route("POST", CHANNEL + "/messages/{message_id}/threads")
def from_message(call: Call) -> Reply:
    world = call.world
    channel = bot_channel(world, call.id("channel_id"))
    if channel.type not in THREADED:
        raise Refusal(50024)
    require(world, channel, Permission.CREATE_PUBLIC_THREADS)
    require_history(world, channel)
    message = world.message(channel.id, call.id("message_id"))
    if message.viewer_id is not None:
        raise Refusal(10008)
    if message.has_thread:
        raise Refusal(160004)
    check_thread(call.body)
    kind = ChannelType.ANNOUNCEMENT_THREAD if channel.type == ChannelType.ANNOUNCEMENT else ChannelType.PUBLIC_THREAD
    message.has_thread = True
    thread = open_thread(world, channel, kind, call.body, message.id)
    assert thread.thread is not None
    thread.thread.starter = (world.clock.snowflake(), channel.id)
    world.touch("message", message.id)
    return 201, channel_json(world, thread)


def check_thread(body: Json) -> None:
    errors = FormErrors()
    errors.length(("name",), body.get("name"), 1, 100)
    minutes = body.get("auto_archive_duration")
    if minutes is not None and minutes not in ARCHIVE_MINUTES:
        errors.add(("auto_archive_duration",), f"Value must be one of {ARCHIVE_MINUTES}.", "BASE_TYPE_CHOICES")
    errors.raise_if_any()


def open_thread(
    world: World, parent: Channel, kind: ChannelType, body: Json, number: int, *, owner: int | None = None
) -> Channel:
    """A thread of the bot's, or of another `owner`, known to the gateway."""
    now, owner = world.clock.now(), owner or world.bot.id
    state = ThreadState(owner, now, now, body.get("auto_archive_duration") or 4320)
    state.member_ids.append(owner)
    state.invitable = body.get("invitable", True)
    thread = Channel(number, kind, body["name"], parent.guild_id, parent.id, thread=state)
    world.add_channel(thread)
    if sees(world, thread, world.bot.id):
        world.emit("THREAD_CREATE", {**channel_json(world, thread), "newly_created": True}, thread.guild_id)
    return thread


@route("POST", CHANNEL + "/threads")
def without_message(call: Call) -> Reply:
    world = call.world
    channel = bot_channel(world, call.id("channel_id"))
    check_thread(call.body)
    if channel.type == ChannelType.FORUM:
        return _forum_post(call, channel)
    if channel.type not in THREADED:
        raise Refusal(50024)
    kind = ChannelType(call.body.get("type", ChannelType.PRIVATE_THREAD))
    private = kind == ChannelType.PRIVATE_THREAD
    require(world, channel, Permission.CREATE_PRIVATE_THREADS if private else Permission.CREATE_PUBLIC_THREADS)
    thread = open_thread(world, channel, kind, call.body, world.clock.snowflake())
    if not private:
        said = new_message(world, channel, world.bot.id, MessageType.THREAD_CREATED)
        post(world, channel, said, Draft({"content": thread.name, "allowed_mentions": {}}))
    return 201, channel_json(world, thread)


def _forum_post(call: Call, forum: Channel) -> Reply:
    """A forum's thread comes with its first message, whose id it bears."""
    world = call.world
    draft = Draft(call.body.get("message") or {}, call.uploads)
    require(world, forum, Permission.SEND_MESSAGES | (Permission.ATTACH_FILES if draft.uploads else Permission(0)))
    check(world, draft, world.upload_limit(forum))
    check_automod(world, forum, draft.body)
    thread = open_thread(world, forum, ChannelType.PUBLIC_THREAD, call.body, world.clock.snowflake())
    first = new_message(world, thread, world.bot.id)
    first.id = thread.id
    post(world, thread, first, draft)
    return 201, {**channel_json(world, thread), "message": message_for_bot(world, first)}


@route("PATCH", CHANNEL)
def change(call: Call) -> Reply:
    world = call.world
    channel = bot_channel(world, call.id("channel_id"))
    if channel.thread is None:
        require(world, channel, Permission.MANAGE_CHANNELS)
        channel.name = call.body.get("name", channel.name)
        world.touch("channel", channel.id)
        world.emit("CHANNEL_UPDATE", channel_json(world, channel), channel.guild_id)
        return 200, channel_json(world, channel)
    check_thread({"name": channel.name, **call.body})
    _require_thread_change(world, channel, channel.thread, call.body)
    change_thread(world, channel, call.body)
    return 200, channel_json(world, channel)


def _require_thread_change(world: World, channel: Channel, state: ThreadState, body: Json) -> None:
    """Its owner may rename and archive it, and whoever may write there wake it.

    To lock, or to touch a locked one, takes MANAGE_THREADS.
    """
    manages = bool(permissions(world, channel, world.bot.id) & Permission.MANAGE_THREADS)
    if state.archived and body.get("archived", True):
        raise Refusal(50083)
    if manages:
        return
    if body == {"archived": False} and not state.locked:
        require(world, channel, Permission.SEND_MESSAGES_IN_THREADS)
        return
    if state.locked or "locked" in body or state.owner_id != world.bot.id:
        raise Refusal(50013)


def change_thread(world: World, thread: Channel, body: Json) -> None:
    """Whoever does it: name, archived, locked, auto_archive_duration, invitable."""
    state = thread.thread
    assert state is not None
    thread.name = body.get("name", thread.name)
    if body.get("archived", state.archived) != state.archived:
        state.archived, state.archived_at = body["archived"], world.clock.now()
    state.locked = body.get("locked", state.locked)
    state.auto_archive_minutes = body.get("auto_archive_duration", state.auto_archive_minutes)
    state.invitable = body.get("invitable", state.invitable)
    world.touch("channel", thread.id)
    world.emit("THREAD_UPDATE", channel_json(world, thread), thread.guild_id)


def archive_idle_threads(world: World) -> None:
    """Those that nobody has written in for as long as their `auto_archive_duration`."""
    for thread in [one for one in world.channels.values() if one.thread and not one.thread.archived]:
        assert thread.thread is not None
        active = max(thread.thread.archived_at, born(thread.last_message_id or thread.id))
        if world.clock.now() - active >= thread.thread.auto_archive_minutes * 60:
            change_thread(world, thread, {"archived": True})


@route("DELETE", CHANNEL)
def remove(call: Call) -> Reply:
    world = call.world
    channel = bot_channel(world, call.id("channel_id"))
    if channel.type.is_private:
        return 200, channel_json(world, channel)
    require(world, channel, Permission.MANAGE_THREADS if channel.thread else Permission.MANAGE_CHANNELS)
    described = channel_json(world, channel)
    delete_channel(world, channel)
    return 200, described


def delete_channel(world: World, channel: Channel) -> None:
    """With its threads and all messages, whoever does it."""
    for thread in [one for one in world.channels.values() if one.thread and one.parent_id == channel.id]:
        delete_channel(world, thread)
    starter = world.messages.get(channel.parent_id or 0, {}).get(channel.id)
    if starter is not None:
        starter.has_thread = False
        world.touch("message", starter.id)
    event = "THREAD_DELETE" if channel.thread else "CHANNEL_DELETE"
    described = channel_json(world, channel)
    for message in world.messages.pop(channel.id).values():
        world.touch("message", message.id)
    del world.channels[channel.id]
    world.touch("channel", channel.id)
    world.emit(event, described, channel.guild_id)


@route("PUT", CHANNEL + "/thread-members/@me")
def join(call: Call) -> Reply:
    thread = _thread(call)
    if thread.thread and thread.thread.archived:
        raise Refusal(50083)
    join_thread(call.world, thread, call.world.bot.id)
    return 204, None


@route("PUT", CHANNEL + "/thread-members/{user_id}")
def add_member(call: Call) -> Reply:
    thread = _thread(call)
    if thread.thread and thread.thread.archived:
        raise Refusal(50083)
    require(call.world, thread, Permission.SEND_MESSAGES_IN_THREADS)
    guild = call.world.guild_of(thread)
    if guild is None or call.id("user_id") not in guild.members:
        raise Refusal(10007)
    join_thread(call.world, thread, call.id("user_id"))
    return 204, None


@route("DELETE", CHANNEL + "/thread-members/@me")
def leave(call: Call) -> Reply:
    thread = _thread(call)
    if thread.thread and call.world.bot.id in thread.thread.member_ids:
        thread.thread.member_ids.remove(call.world.bot.id)
        call.world.touch("channel", thread.id)
    return 204, None


def _thread(call: Call) -> Channel:
    channel = bot_channel(call.world, call.id("channel_id"))
    if channel.thread is None:
        raise Refusal(50024)
    return channel


@route("GET", CHANNEL + "/threads/archived/public")
def archived(call: Call) -> Reply:
    parent = bot_channel(call.world, call.id("channel_id"))
    require_history(call.world, parent)
    threads = [one for one in call.world.channels.values() if one.thread and one.parent_id == parent.id]
    found = [one for one in threads if one.thread and one.thread.archived and one.type != ChannelType.PRIVATE_THREAD]
    return 200, {"threads": [channel_json(call.world, one) for one in found], "members": [], "has_more": False}
