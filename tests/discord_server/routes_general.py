"""Who the bot is, where the gateway is, guilds, members and direct messages."""

from __future__ import annotations

from typing import Any

from discord_server.calls import Call, Reply, route
from discord_server.refusals import Refusal
from discord_server.render import channel_json, guild_json, member_json, role_json, user_json
from discord_server.world import World

Json = dict[str, Any]

IDENTIFIES_PER_DAY = 1000


@route("GET", "/users/@me")
def me(call: Call) -> Reply:
    private = {"mfa_enabled": True, "locale": "en-US", "verified": True, "email": None, "banner": None}
    return 200, {**user_json(call.world.bot), **private, "accent_color": None}


@route("GET", "/users/{user_id}")
def user(call: Call) -> Reply:
    if call.id("user_id") not in call.world.users:
        raise Refusal(10013)
    return 200, user_json(call.world.users[call.id("user_id")])


@route("GET", "/applications/@me")
def application(call: Call) -> Reply:
    return 200, _application_json(call.world)


@route("GET", "/oauth2/applications/@me")
def oauth_application(call: Call) -> Reply:
    return 200, _application_json(call.world)


def _application_json(world: World) -> Json:
    owner = next(user for user in world.users.values() if not user.bot)
    installs = sum(user.installed for user in world.users.values())
    return {
        "id": str(world.application_id),
        "name": world.bot.name,
        "icon": None,
        "description": "",
        "summary": "",
        "type": None,
        "bot_public": True,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "flags": 0,
        "flags_new": "0",
        "owner": user_json(owner),
        "team": None,
        "interactions_endpoint_url": None,
        "role_connections_verification_url": None,
        "redirect_uris": [],
        "approximate_guild_count": len(world.bot_guilds()),
        "approximate_user_install_count": installs,
        "approximate_user_authorization_count": installs,
        "explicit_content_filter": 0,
        "eligible_oauth2_scopes": [],
        "integration_types_config": {"0": {}, "1": {}},
    }


@route("GET", "/gateway")
def gateway(call: Call) -> Reply:
    return 200, {"url": call.world.gateway_url}


@route("GET", "/gateway/bot")
def bot_gateway(call: Call) -> Reply:
    left = IDENTIFIES_PER_DAY - call.world.counts.identifies
    limit = {"total": IDENTIFIES_PER_DAY, "remaining": left, "reset_after": 86_400_000, "max_concurrency": 1}
    return 200, {"url": call.world.gateway_url, "shards": 1, "session_start_limit": limit}


@route("POST", "/users/@me/channels")
def open_dm(call: Call) -> Reply:
    number = str((call.body or {}).get("recipient_id", ""))
    if not number.isdigit() or int(number) not in call.world.users:
        raise Refusal(10013)
    return 200, channel_json(call.world, call.world.dm_with(call.world.users[int(number)]))


@route("GET", "/guilds/{guild_id}")
def guild(call: Call) -> Reply:
    guild_id = _bot_guild(call)
    found = call.world.guilds[guild_id]
    return 200, {**guild_json(call.world, found), "approximate_member_count": len(found.members)}


@route("GET", "/guilds/{guild_id}/channels")
def guild_channels(call: Call) -> Reply:
    guild_id = _bot_guild(call)
    channels = [channel for channel in call.world.channels.values() if channel.guild_id == guild_id]
    return 200, [channel_json(call.world, channel) for channel in channels if channel.thread is None]


@route("GET", "/guilds/{guild_id}/roles")
def guild_roles(call: Call) -> Reply:
    found = call.world.guilds[_bot_guild(call)]
    return 200, [role_json(found, role) for role in found.roles.values()]


@route("GET", "/guilds/{guild_id}/threads/active")
def active_threads(call: Call) -> Reply:
    threads = [one for one in call.world.threads_of(_bot_guild(call)) if one.thread and not one.thread.archived]
    return 200, {"threads": [channel_json(call.world, one) for one in threads], "members": [], "has_more": False}


@route("GET", "/guilds/{guild_id}/members/@me")
def own_member(call: Call) -> Reply:
    return _member(call, call.world.bot.id)


@route("GET", "/guilds/{guild_id}/members/{user_id}")
def member(call: Call) -> Reply:
    return _member(call, call.id("user_id"))


def _member(call: Call, user_id: int) -> Reply:
    members = call.world.guilds[_bot_guild(call)].members
    if user_id not in members:
        raise Refusal(10007)
    return 200, member_json(call.world, members[user_id])


def _bot_guild(call: Call) -> int:
    guild_id = call.id("guild_id")
    if guild_id not in call.world.guilds:
        raise Refusal(10004)
    if call.world.bot.id not in call.world.guilds[guild_id].members:
        raise Refusal(50001)
    return guild_id
