"""What a test sets up or changes, as verbs of the control API."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from discord_server.codes import ChannelType, StickerFormat, permission_bits
from discord_server.control_call import ControlCall
from discord_server.entities import Channel, Guild, Member, Overwrite, Role, Sticker, User
from discord_server.messages import delete
from discord_server.render import channel_json, guild_create_json, guild_json, role_json, user_json
from discord_server.routes_channels import change_thread, delete_channel, open_thread

Json = dict[str, Any]

KINDS = {
    "text": ChannelType.TEXT,
    "voice": ChannelType.VOICE,
    "announcement": ChannelType.ANNOUNCEMENT,
    "forum": ChannelType.FORUM,
    "stage": ChannelType.STAGE,
}


def about(call: ControlCall) -> Json:
    world = call.world
    names = {"token": world.token, "application_id": str(world.application_id), "gateway_url": world.gateway_url}
    owner = next(one for one in world.users.values() if not one.bot)
    return {**names, "bot_id": str(world.bot.id), "owner_id": str(owner.id), "owner": owner.name}


def user(call: ControlCall) -> Json:
    made = call.world.add_user(call.order["name"])
    _set_user(call, made)
    return user_json(made)


def set_user(call: ControlCall) -> None:
    _set_user(call, call.user())


def _set_user(call: ControlCall, changed: User) -> None:
    for key in ("name", "locale", "dms_open", "installed", "upload_limit", "flags", "primary_guild"):
        if call.order.get(key) is not None:
            setattr(changed, key, call.order[key])


def guild(call: ControlCall) -> Json:
    world, order = call.world, call.order
    owner = next(one for one in world.users.values() if not one.bot)
    made = world.add_guild(order["name"], owner)
    made.boost_tier, made.locale = order.get("boost", 0), order.get("locale", "en-US")
    if order.get("bot", True):
        _join(call, made)
    return guild_json(world, made)


def _join(call: ControlCall, joined: Guild) -> None:
    world = call.world
    role = Role(world.clock.snowflake(), world.bot.name, permission_bits(call.order.get("bot_permissions", 0)))
    role.bot_id = world.bot.id
    joined.roles[role.id] = role
    joined.members[world.bot.id] = Member(world.bot.id, world.clock.now(), [role.id])
    world.touch("guild", joined.id)
    told = guild_create_json(world, joined)
    del told["unavailable"]  # by which a client tells a guild that it joins from one that an outage has given back
    world.emit("GUILD_CREATE", told, joined.id)


def invite(call: ControlCall) -> None:
    _join(call, call.guild())


def kick(call: ControlCall) -> None:
    """The bot leaves."""
    left = call.guild()
    call.world.emit("GUILD_DELETE", {"id": str(left.id)}, left.id)
    bot_roles = [role.id for role in left.roles.values() if role.bot_id is not None]
    for number in bot_roles:
        del left.roles[number]
    del left.members[call.world.bot.id]
    call.world.touch("guild", left.id)


def set_guild(call: ControlCall) -> None:
    changed = call.guild()
    if "boost" in call.order:
        changed.boost_tier = call.order["boost"]
    if "blocked_words" in call.order:
        changed.blocked_words = call.order["blocked_words"]
    call.world.touch("guild", changed.id)
    call.world.emit("GUILD_UPDATE", guild_json(call.world, changed), changed.id)


def member(call: ControlCall) -> None:
    """Makes a user a member, or gives a member other rights: by a role of their own."""
    world, where, who = call.world, call.guild(), call.user()
    joined = where.members.setdefault(who.id, Member(who.id, world.clock.now()))
    bits = permission_bits(call.order.get("permissions") or 0)
    if bits:
        role = Role(world.clock.snowflake(), who.name, bits)
        where.roles[role.id] = role
        joined.role_ids = [role.id]
        world.emit("GUILD_ROLE_CREATE", {"guild_id": str(where.id), "role": role_json(where, role)}, where.id)
    world.touch("guild", where.id)


def leave(call: ControlCall) -> None:
    del call.guild().members[call.user().id]
    call.world.touch("guild", call.guild().id)


def time_out(call: ControlCall) -> None:
    """So many seconds in which a member may look and read, and no more."""
    call.guild().members[call.user().id].timed_out_until = call.world.clock.now() + call.order["seconds"]
    call.world.touch("guild", call.guild().id)


def role(call: ControlCall) -> Json:
    """A new role, given to one member or to nobody."""
    where = call.guild()
    made = Role(call.world.clock.snowflake(), call.order["name"], permission_bits(call.order.get("permissions") or 0))
    made.mentionable = call.order.get("mentionable", False)
    where.roles[made.id] = made
    if call.order.get("of") is not None:
        where.members[call.user("of").id].role_ids.append(made.id)
    call.world.touch("guild", where.id)
    call.world.emit("GUILD_ROLE_CREATE", {"guild_id": str(where.id), "role": role_json(where, made)}, where.id)
    return role_json(where, made)


def set_role(call: ControlCall) -> None:
    """The rights of @everyone or of the bot's own role."""
    where = call.guild()
    own = [role for role in where.roles.values() if role.bot_id is not None]
    changed = where.roles[where.id] if call.order["role"] == "everyone" else own[0]
    changed.permissions = permission_bits(call.order["permissions"])
    call.world.touch("guild", where.id)
    call.world.emit("GUILD_ROLE_UPDATE", {"guild_id": str(where.id), "role": role_json(where, changed)}, where.id)


def channel(call: ControlCall) -> Json:
    world, where = call.world, call.guild()
    siblings = sum(one.guild_id == where.id and one.thread is None for one in world.channels.values())
    kind = KINDS[call.order.get("kind", "text")]
    made = Channel(world.clock.snowflake(), kind, call.order["name"], where.id, position=siblings)
    made.nsfw = call.order.get("nsfw", False)
    world.add_channel(made)
    world.emit("CHANNEL_CREATE", channel_json(world, made), where.id)
    return channel_json(world, made)


def sticker(call: ControlCall) -> Json:
    made = Sticker(
        call.world.clock.snowflake(),
        call.order["name"],
        StickerFormat[call.order["format"]],
        call.uploads[0].data,
    )
    call.world.stickers[made.id] = made
    return {"id": str(made.id)}


def group(call: ControlCall) -> Json:
    """A private channel of people that the bot is not in; also two people's own DMs."""
    people = [int(number) for number in call.order["people"]]
    kind = ChannelType.GROUP if call.order["name"] else ChannelType.DM
    made = Channel(call.world.clock.snowflake(), kind, call.order["name"], recipient_ids=people)
    return channel_json(call.world, call.world.add_channel(made))


def dm(call: ControlCall) -> Json:
    return channel_json(call.world, call.world.dm_with(call.user()))


def overwrite(call: ControlCall) -> None:
    """Allows and denies in one channel, for the bot unless it says "user" or "everyone"."""
    world, where = call.world, call.channel()
    whose = call.order.get("for") or str(world.bot.id)
    number = where.guild_id if whose == "everyone" else int(whose)
    assert number is not None
    one = where.overwrites.setdefault(number, Overwrite(number, for_member=whose != "everyone"))
    allow, deny = permission_bits(call.order.get("allow", 0)), permission_bits(call.order.get("deny", 0))
    one.allow, one.deny = (one.allow | allow) & ~deny, (one.deny | deny) & ~allow
    world.touch("channel", where.id)
    world.emit("CHANNEL_UPDATE", channel_json(world, where), where.guild_id)


def begin_thread(call: ControlCall) -> Json:
    """Somebody's thread, or post where the channel is a forum; private ones the bot is not a member of."""
    world, parent = call.world, call.channel()
    kind = {ChannelType.ANNOUNCEMENT: ChannelType.ANNOUNCEMENT_THREAD}.get(parent.type, ChannelType.PUBLIC_THREAD)
    if call.order.get("private"):
        kind = ChannelType.PRIVATE_THREAD
    body = {"name": call.order["name"]}
    made = open_thread(world, parent, kind, body, world.clock.snowflake(), owner=call.user().id)
    return channel_json(world, made)


def thread(call: ControlCall) -> None:
    """Archives, locks, renames: by somebody who may."""
    change_thread(call.world, call.channel(), call.order["change"])


def remove_channel(call: ControlCall) -> None:
    delete_channel(call.world, call.channel())


def remove_message(call: ControlCall) -> None:
    delete(call.world, call.message())


def history(call: ControlCall) -> list[Json]:
    """How a message looked before each of its edits."""
    return call.message().history


def file(call: ControlCall) -> Json:
    """The bytes of an attachment, whether its address still works or not."""
    found = call.world.media.find(int(call.order["attachment"]))
    if found is None:
        raise KeyError(call.order["attachment"])
    return {"filename": found.filename, "data": base64.b64encode(found.data).decode()}


VERBS: tuple[Callable[[ControlCall], Any], ...] = (
    *(
        about,
        user,
        set_user,
        guild,
        invite,
        kick,
        set_guild,
        member,
        leave,
        time_out,
        role,
        set_role,
        channel,
        sticker,
        group,
        dm,
    ),
    *(overwrite, begin_thread, thread, remove_channel, remove_message, history, file),
)
CHANGES = {verb.__name__: verb for verb in VERBS}
