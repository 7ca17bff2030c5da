"""People, guilds, channels and threads as Discord writes them on the wire."""

from __future__ import annotations

from typing import Any

from discord_server.clock import iso
from discord_server.codes import ChannelType
from discord_server.entities import Channel, Guild, Member, Role, User
from discord_server.permissions import permissions
from discord_server.world import World

Json = dict[str, Any]


def user_json(user: User) -> Json:
    return {
        "id": str(user.id),
        "username": user.name.lower().replace(" ", "_"),
        "discriminator": "0",
        "global_name": user.name,
        "avatar": None,
        "bot": user.bot,
        "public_flags": 0,
        "flags": user.flags,
        "primary_guild": user.primary_guild,
    }


def member_json(world: World, member: Member, bits: int | None = None) -> Json:
    """`bits`: an interaction says what the member may do in its channel."""
    described: Json = {
        "user": user_json(world.users[member.user_id]),
        "nick": None,
        "avatar": None,
        "banner": None,
        "roles": [str(role) for role in member.role_ids],
        "joined_at": iso(member.joined_at),
        "premium_since": None,
        "deaf": False,
        "mute": False,
        "pending": False,
        "flags": 0,
        "communication_disabled_until": None if member.timed_out_until is None else iso(member.timed_out_until),
    }
    return described if bits is None else {**described, "permissions": str(bits)}


def role_json(guild: Guild, role: Role) -> Json:
    described: Json = {
        "id": str(role.id),
        "name": role.name,
        "permissions": str(role.permissions),
        "position": list(guild.roles).index(role.id),
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "managed": role.bot_id is not None,
        "mentionable": role.mentionable,
        "icon": None,
        "unicode_emoji": None,
        "flags": 0,
    }
    return described if role.bot_id is None else {**described, "tags": {"bot_id": str(role.bot_id)}}


def channel_json(world: World, channel: Channel) -> Json:
    described: Json = {"id": str(channel.id), "type": int(channel.type), "flags": 0}
    described["last_message_id"] = None if channel.last_message_id is None else str(channel.last_message_id)
    if channel.type.is_private:
        others = [world.users[user] for user in channel.recipient_ids if user != world.bot.id]
        described["recipients"] = [user_json(user) for user in others]
        if channel.type == ChannelType.GROUP:
            described |= {"name": channel.name, "icon": None, "owner_id": str(channel.recipient_ids[0])}
        return described
    described |= {"guild_id": str(channel.guild_id), "name": channel.name, "rate_limit_per_user": 0}
    described["parent_id"] = None if channel.parent_id is None else str(channel.parent_id)
    if channel.thread is not None:
        return described | _thread_json(world, channel)
    described |= {"position": channel.position, "nsfw": channel.nsfw, "topic": None}
    described["permission_overwrites"] = [
        {"id": str(one.id), "type": int(one.for_member), "allow": str(one.allow), "deny": str(one.deny)}
        for one in channel.overwrites.values()
    ]
    if channel.type in (ChannelType.VOICE, ChannelType.STAGE):
        described |= {"bitrate": 64000, "user_limit": 0, "rtc_region": None}
    if channel.type == ChannelType.FORUM:
        described |= {"available_tags": [], "default_reaction_emoji": None, "default_sort_order": None}
    return described


def _thread_json(world: World, channel: Channel) -> Json:
    state = channel.thread
    assert state is not None
    described: Json = {
        "owner_id": str(state.owner_id),
        "message_count": len(world.messages[channel.id]),
        "total_message_sent": state.sent,
        "member_count": len(state.member_ids),
        "thread_metadata": {
            "archived": state.archived,
            "locked": state.locked,
            "auto_archive_duration": state.auto_archive_minutes,
            "archive_timestamp": iso(state.archived_at),
            "create_timestamp": iso(state.created_at),
        },
    }
    if channel.type == ChannelType.PRIVATE_THREAD:
        described["thread_metadata"]["invitable"] = state.invitable
    if world.bot.id in state.member_ids:
        described["member"] = thread_member_json(channel, world.bot.id)
    return described


def thread_member_json(channel: Channel, user_id: int) -> Json:
    assert channel.thread is not None
    joined = iso(channel.thread.created_at)
    return {"id": str(channel.id), "user_id": str(user_id), "join_timestamp": joined, "flags": 1}


def guild_json(world: World, guild: Guild) -> Json:
    """As `GET /guilds/{id}` and GUILD_UPDATE have it."""
    return {
        "id": str(guild.id),
        "name": guild.name,
        "owner_id": str(guild.owner_id),
        "icon": None,
        "features": [],
        "premium_tier": guild.boost_tier,
        "premium_subscription_count": (0, 2, 7, 14)[guild.boost_tier],
        "preferred_locale": guild.locale,
        "roles": [role_json(guild, role) for role in guild.roles.values()],
        "emojis": [],
        "stickers": [],
        "verification_level": 0,
        "default_message_notifications": 1,
        "explicit_content_filter": 0,
        "mfa_level": 0,
        "nsfw_level": 0,
        "afk_timeout": 300,
        "afk_channel_id": None,
        "system_channel_id": None,
        "system_channel_flags": 0,
        **dict.fromkeys(UNUSED),
        "region": "deprecated",
        "widget_enabled": False,
        "max_members": 500_000,
        "max_video_channel_users": 25,
        "max_stage_video_channel_users": 50,
        "premium_progress_bar_enabled": False,
        "nsfw": False,
    }


UNUSED = (
    *("description", "home_header", "splash", "discovery_splash", "banner", "application_id"),
    *("widget_channel_id", "max_presences", "vanity_url_code", "rules_channel_id", "safety_alerts_channel_id"),
    *("public_updates_channel_id", "incidents_data"),
)
"""Of a guild, and empty here."""


def guild_create_json(world: World, guild: Guild) -> Json:
    """What GUILD_CREATE adds: channels, the active threads that the bot sees, and the bot's own membership."""
    channels = [channel for channel in world.channels.values() if channel.guild_id == guild.id]
    seen = [channel for channel in channels if channel.thread and permissions(world, channel, world.bot.id)]
    return {
        **guild_json(world, guild),
        "joined_at": iso(guild.members[world.bot.id].joined_at),
        "large": False,
        "unavailable": False,
        "member_count": len(guild.members),
        "members": [member_json(world, guild.members[world.bot.id])],
        "channels": [channel_json(world, channel) for channel in channels if channel.thread is None],
        "threads": [channel_json(world, one) for one in seen if one.thread and not one.thread.archived],
        "voice_states": [],
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }
