"""Whom a text addresses, and who of them gets a notification."""

from __future__ import annotations

import re
from typing import Any

from discord_server.codes import Permission
from discord_server.entities import Message
from discord_server.permissions import effective_permissions
from discord_server.world import World

Json = dict[str, Any]


def mentioned(world: World, message: Message, text: str, body: Json, replied: int | None = None) -> Json:
    """Users and roles by id, and whether everyone: what `allowed_mentions` lets through.

    Without `allowed_mentions` all that the text holds counts, which is Discord's default. `replied` is the author of
    the message that is replied to.
    """
    allowed = body.get("allowed_mentions")
    allowed = {"parse": ["users", "roles", "everyone"]} if allowed is None else allowed
    channel = world.channels[message.channel_id]
    guild = world.guild_of(channel)
    all_roles = bool(effective_permissions(world, channel, message.author_id) & Permission.MENTION_EVERYONE)
    users = _ids(r"<@!?(\d+)>", text, allowed, "users") & world.users.keys()
    known_roles = {} if guild is None else guild.roles
    roles = _ids(r"<@&(\d+)>", text, allowed, "roles") & known_roles.keys()
    if replied is not None and allowed.get("replied_user", body.get("allowed_mentions") is None):
        users |= {replied}
    shouted = re.search(r"@(everyone|here)\b", text) is not None and "everyone" in (allowed.get("parse") or [])
    return {
        "users": sorted(users),
        "roles": sorted(role for role in roles if all_roles or known_roles[role].mentionable),
        "everyone": shouted and guild is not None and all_roles,
    }


def _ids(pattern: str, text: str, allowed: Json, kind: str) -> set[int]:
    found = {int(number) for number in re.findall(pattern, text)}
    if kind in (allowed.get("parse") or []):
        return found
    return found & {int(number) for number in allowed.get(kind) or []}
