"""The buttons and selects of a message as a person names them."""

from __future__ import annotations

from typing import Any

from discord_server.component_rules import walk
from discord_server.entities import Channel
from discord_server.impossible_action import Impossible
from discord_server.render import channel_json, member_json, role_json, user_json
from discord_server.world import World

Json = dict[str, Any]


def find_part(components: list[Json], what: str | None, kinds: frozenset[int]) -> Json:
    """A button or select by custom_id, label, placeholder or emoji; without a name, the only one there is."""
    there = [one for _, one in walk(components) if one["type"] in kinds and one.get("custom_id")]
    named = [one for one in there if what is None or what in _names(one)]
    if len(named) != 1:
        raise Impossible(f"that message has {len(named)} of {what!r}; it has {[sorted(_names(one)) for one in there]}")
    if named[0].get("disabled"):
        raise Impossible(f"{what!r} is disabled")
    return named[0]


def _names(one: Json) -> set[str]:
    names = {one.get("custom_id"), one.get("label"), one.get("placeholder"), (one.get("emoji") or {}).get("name")}
    return {name for name in names if name}


def picked(select: Json, values: list[str]) -> list[str]:
    """The values of options that are named by value or by label."""
    by_name = {name: one["value"] for one in select["options"] for name in (one["label"], one["value"])}
    unknown = [value for value in values if value not in by_name]
    if unknown:
        raise Impossible(f"there are no options {unknown}; there are {sorted(by_name)}")
    least, most = select.get("min_values", 1), select.get("max_values", 1)
    if not least <= len(values) <= most:
        raise Impossible(f"{least} to {most} options can be chosen, not {len(values)}")
    return [by_name[value] for value in values]


def resolved_things(world: World, channel: Channel, ids: list[str]) -> Json:
    """An interaction's `resolved` for users, roles and channels by id."""
    guild = world.guild_of(channel)
    resolved: dict[str, Json] = {}
    for number in ids:
        key = int(number)
        if key in world.users:
            resolved.setdefault("users", {})[number] = user_json(world.users[key])
            if guild is not None and key in guild.members:
                resolved.setdefault("members", {})[number] = member_json(world, guild.members[key], 0)
        elif guild is not None and key in guild.roles:
            resolved.setdefault("roles", {})[number] = role_json(guild, guild.roles[key])
        elif key in world.channels:
            resolved.setdefault("channels", {})[number] = {
                **channel_json(world, world.channels[key]),
                "permissions": "0",
            }
        else:
            raise Impossible(f"there is no user, role or channel {number}")
    return resolved
