"""Who may do what where: roles, overwrites, threads, and the bot's own rights."""

from __future__ import annotations

from discord_server.codes import EVERYONE, PRIVATE_CHANNEL, ChannelType, Permission
from discord_server.entities import Channel, Guild, Message, Overwrite, User
from discord_server.refusals import Refusal
from discord_server.world import World

ALL = (1 << 53) - 1
SEND_IN_THREADS = Permission.SEND_MESSAGES_IN_THREADS
WITH_SENDING = Permission.ATTACH_FILES | Permission.EMBED_LINKS | Permission.MENTION_EVERYONE


def guild_permissions(guild: Guild, user_id: int) -> int:
    """From roles alone."""
    if user_id == guild.owner_id:
        return ALL
    bits = guild.roles[guild.id].permissions
    for role_id in guild.members[user_id].role_ids:
        bits |= guild.roles[role_id].permissions
    return ALL if bits & Permission.ADMINISTRATOR else bits


def permissions(world: World, channel: Channel, user_id: int) -> int:
    """In a channel, overwrites applied: @everyone's, then all roles' together, then the member's own."""
    guild = world.guild_of(channel)
    if guild is None:
        return int(PRIVATE_CHANNEL | EVERYONE) if user_id in channel.recipient_ids else 0
    if user_id not in guild.members:
        return 0
    bits = guild_permissions(guild, user_id)
    if bits == ALL:
        return ALL
    place = world.channels[channel.parent_id] if channel.thread and channel.parent_id else channel
    for layer in _layers(place, guild, user_id):
        for overwrite in layer:
            bits &= ~overwrite.deny
        for overwrite in layer:
            bits |= overwrite.allow
    if (guild.members[user_id].timed_out_until or 0) > world.clock.now():
        bits &= Permission.VIEW_CHANNEL | Permission.READ_MESSAGE_HISTORY
    return bits if bits & Permission.VIEW_CHANNEL else 0


def effective_permissions(world: World, channel: Channel, user_id: int) -> int:
    """What of them counts when something is done: who may not write there may not attach, embed or mention everyone.

    The bits that Discord sends, in an interaction for one, do not say so.
    """
    bits = permissions(world, channel, user_id)
    if channel.type.is_private or bits & (SEND_IN_THREADS if channel.thread else Permission.SEND_MESSAGES):
        return bits
    return bits & ~int(WITH_SENDING)


def _layers(place: Channel, guild: Guild, user_id: int) -> list[list[Overwrite]]:
    everyone = [place.overwrites[guild.id]] if guild.id in place.overwrites else []
    roles = [place.overwrites[role] for role in guild.members[user_id].role_ids if role in place.overwrites]
    own = [place.overwrites[user_id]] if user_id in place.overwrites else []
    return [everyone, roles, own]


def application_permissions(world: World, channel: Channel) -> int:
    """An interaction's `app_permissions`."""
    guild = world.guild_of(channel)
    if guild is None:
        extra = Permission.USE_EXTERNAL_EMOJIS if world.bot.id in channel.recipient_ids else Permission(0)
        return int(PRIVATE_CHANNEL | extra)
    if world.bot.id in guild.members:
        return permissions(world, channel, world.bot.id)
    return int(PRIVATE_CHANNEL | Permission.USE_EXTERNAL_EMOJIS)


def sees(world: World, channel: Channel, user_id: int) -> bool:
    """Whether the channel is there for the user. A private thread needs membership or MANAGE_THREADS."""
    bits = permissions(world, channel, user_id)
    if channel.type == ChannelType.PRIVATE_THREAD and channel.thread:
        return user_id in channel.thread.member_ids or bool(bits & Permission.MANAGE_THREADS)
    return bool(bits & Permission.VIEW_CHANNEL)


def sees_message(world: World, message: Message, user: User) -> bool:
    if message.viewer_id is not None:
        return message.viewer_id == user.id
    return sees(world, world.channels[message.channel_id], user.id)


def bot_channel(world: World, channel_id: int) -> Channel:
    """A channel that the bot can see; else 10003 or 50001."""
    channel = world.channel(channel_id)
    if not sees(world, channel, world.bot.id):
        raise Refusal(50001)
    return channel


def require(world: World, channel: Channel, needed: Permission) -> None:
    """50013 unless the bot has all of `needed` there."""
    if needed & ~effective_permissions(world, channel, world.bot.id):
        raise Refusal(50013)
