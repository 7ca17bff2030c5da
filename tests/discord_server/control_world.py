"""What a test sets up or changes, as verbs of the control API."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from discord_server.codes import ChannelType, StickerFormat, permission_bits
from discord_server.desk import Desk
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
}


def about(desk: Desk) -> Json:
    world = desk.world
    names = {"token": world.token, "application_id": str(world.application_id), "gateway_url": world.gateway_url}
    owner = next(one for one in world.users.values() if not one.bot)
    return {**names, "bot_id": str(world.bot.id), "owner_id": str(owner.id), "owner": owner.name}


def user(desk: Desk) -> Json:
    made = desk.world.add_user(desk.order["name"])
    _set_user(desk, made)
    return user_json(made)


def set_user(desk: Desk) -> None:
    _set_user(desk, desk.user())


def _set_user(desk: Desk, changed: User) -> None:
    for key in ("name", "locale", "dms_open", "installed", "upload_limit", "flags", "primary_guild"):
        if desk.order.get(key) is not None:
            setattr(changed, key, desk.order[key])


def guild(desk: Desk) -> Json:
    world, order = desk.world, desk.order
    owner = next(one for one in world.users.values() if not one.bot)
    made = world.add_guild(order["name"], owner)
    made.boost_tier, made.locale = order.get("boost", 0), order.get("locale", "en-US")
    if order.get("bot", True):
        _join(desk, made)
    return guild_json(world, made)


def _join(desk: Desk, joined: Guild) -> None:
    world = desk.world
    role = Role(world.clock.snowflake(), world.bot.name, permission_bits(desk.order.get("bot_permissions", 0)))
    role.bot_id = world.bot.id
    joined.roles[role.id] = role
    joined.members[world.bot.id] = Member(world.bot.id, world.clock.now(), [role.id])
    world.touch("guild", joined.id)
    world.emit("GUILD_CREATE", guild_create_json(world, joined), joined.id)


def invite(desk: Desk) -> None:
    _join(desk, desk.guild())


def kick(desk: Desk) -> None:
    """The bot leaves."""
    left = desk.guild()
    desk.world.emit("GUILD_DELETE", {"id": str(left.id)}, left.id)
    bot_roles = [role.id for role in left.roles.values() if role.bot_id is not None]
    for number in bot_roles:
        del left.roles[number]
    del left.members[desk.world.bot.id]
    desk.world.touch("guild", left.id)


def set_guild(desk: Desk) -> None:
    changed = desk.guild()
    if "boost" in desk.order:
        changed.boost_tier = desk.order["boost"]
    if "blocked_words" in desk.order:
        changed.blocked_words = desk.order["blocked_words"]
    desk.world.touch("guild", changed.id)
    desk.world.emit("GUILD_UPDATE", guild_json(desk.world, changed), changed.id)


def member(desk: Desk) -> None:
    """Makes a user a member, or gives a member other rights: by a role of their own."""
    world, where, who = desk.world, desk.guild(), desk.user()
    joined = where.members.setdefault(who.id, Member(who.id, world.clock.now()))
    bits = permission_bits(desk.order.get("permissions") or 0)
    if bits:
        role = Role(world.clock.snowflake(), who.name, bits)
        where.roles[role.id] = role
        joined.role_ids = [role.id]
        world.emit("GUILD_ROLE_CREATE", {"guild_id": str(where.id), "role": role_json(where, role)}, where.id)
    world.touch("guild", where.id)


def leave(desk: Desk) -> None:
    del desk.guild().members[desk.user().id]
    desk.world.touch("guild", desk.guild().id)


def role(desk: Desk) -> Json:
    """A new role, given to one member or to nobody."""
    where = desk.guild()
    made = Role(desk.world.clock.snowflake(), desk.order["name"], permission_bits(desk.order.get("permissions") or 0))
    made.mentionable = desk.order.get("mentionable", False)
    where.roles[made.id] = made
    if desk.order.get("of") is not None:
        where.members[desk.user("of").id].role_ids.append(made.id)
    desk.world.touch("guild", where.id)
    desk.world.emit("GUILD_ROLE_CREATE", {"guild_id": str(where.id), "role": role_json(where, made)}, where.id)
    return role_json(where, made)


def set_role(desk: Desk) -> None:
    """The rights of @everyone or of the bot's own role."""
    where = desk.guild()
    own = [role for role in where.roles.values() if role.bot_id is not None]
    changed = where.roles[where.id] if desk.order["role"] == "everyone" else own[0]
    changed.permissions = permission_bits(desk.order["permissions"])
    desk.world.touch("guild", where.id)
    desk.world.emit("GUILD_ROLE_UPDATE", {"guild_id": str(where.id), "role": role_json(where, changed)}, where.id)


def channel(desk: Desk) -> Json:
    world, where = desk.world, desk.guild()
    siblings = sum(one.guild_id == where.id and one.thread is None for one in world.channels.values())
    kind = KINDS[desk.order.get("kind", "text")]
    made = Channel(world.clock.snowflake(), kind, desk.order["name"], where.id, position=siblings)
    made.nsfw = desk.order.get("nsfw", False)
    world.add_channel(made)
    world.emit("CHANNEL_CREATE", channel_json(world, made), where.id)
    return channel_json(world, made)


def sticker(desk: Desk) -> Json:
    made = Sticker(
        desk.world.clock.snowflake(), desk.order["name"], StickerFormat[desk.order["format"]], desk.uploads[0].data
    )
    desk.world.stickers[made.id] = made
    return {"id": str(made.id)}


def group(desk: Desk) -> Json:
    """A private channel of people that the bot is not in; also two people's own DMs."""
    people = [int(number) for number in desk.order["people"]]
    kind = ChannelType.GROUP if desk.order["name"] else ChannelType.DM
    made = Channel(desk.world.clock.snowflake(), kind, desk.order["name"], recipient_ids=people)
    return channel_json(desk.world, desk.world.add_channel(made))


def dm(desk: Desk) -> Json:
    return channel_json(desk.world, desk.world.dm_with(desk.user()))


def overwrite(desk: Desk) -> None:
    """Allows and denies in one channel, for the bot unless it says "user" or "everyone"."""
    world, where = desk.world, desk.channel()
    whose = desk.order.get("for") or str(world.bot.id)
    number = where.guild_id if whose == "everyone" else int(whose)
    assert number is not None
    one = where.overwrites.setdefault(number, Overwrite(number, for_member=whose != "everyone"))
    allow, deny = permission_bits(desk.order.get("allow", 0)), permission_bits(desk.order.get("deny", 0))
    one.allow, one.deny = (one.allow | allow) & ~deny, (one.deny | deny) & ~allow
    world.touch("channel", where.id)
    world.emit("CHANNEL_UPDATE", channel_json(world, where), where.guild_id)


def begin_thread(desk: Desk) -> Json:
    """Somebody's thread, or post where the channel is a forum; private ones the bot is not a member of."""
    world, parent = desk.world, desk.channel()
    kind = {ChannelType.ANNOUNCEMENT: ChannelType.ANNOUNCEMENT_THREAD}.get(parent.type, ChannelType.PUBLIC_THREAD)
    if desk.order.get("private"):
        kind = ChannelType.PRIVATE_THREAD
    body = {"name": desk.order["name"]}
    made = open_thread(world, parent, kind, body, world.clock.snowflake(), owner=desk.user().id)
    return channel_json(world, made)


def thread(desk: Desk) -> None:
    """Archives, locks, renames: by somebody who may."""
    change_thread(desk.world, desk.channel(), desk.order["change"])


def remove_channel(desk: Desk) -> None:
    delete_channel(desk.world, desk.channel())


def remove_message(desk: Desk) -> None:
    delete(desk.world, desk.message())


def history(desk: Desk) -> list[Json]:
    """How a message looked before each of its edits."""
    return desk.message().history


def file(desk: Desk) -> Json:
    """The bytes of an attachment, whether its address still works or not."""
    found = desk.world.media.find(int(desk.order["attachment"]))
    if found is None:
        raise KeyError(desk.order["attachment"])
    return {"filename": found.filename, "data": base64.b64encode(found.data).decode()}


VERBS: tuple[Callable[[Desk], Any], ...] = (
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
