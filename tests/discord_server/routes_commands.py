"""The application's commands: registered as a whole, and read back."""

from __future__ import annotations

from typing import Any

from discord_server.calls import Call, Reply, route
from discord_server.command_rules import CHAT_INPUT, check_commands
from discord_server.component_rules import without_nulls
from discord_server.refusals import Refusal
from discord_server.world import World

Json = dict[str, Any]

GLOBAL = 0
MOST_CREATES_PER_DAY = 200


@route("PUT", "/applications/{application_id}/commands")
def put_global(call: Call) -> Reply:
    return 200, _overwrite(call, GLOBAL)


@route("GET", "/applications/{application_id}/commands")
def get_global(call: Call) -> Reply:
    _own(call)
    return 200, call.world.commands.get(GLOBAL, [])


@route("PUT", "/applications/{application_id}/guilds/{guild_id}/commands")
def put_guild(call: Call) -> Reply:
    return 200, _overwrite(call, _guild(call))


@route("GET", "/applications/{application_id}/guilds/{guild_id}/commands")
def get_guild(call: Call) -> Reply:
    _own(call)
    return 200, call.world.commands.get(_guild(call), [])


def _guild(call: Call) -> int:
    guild_id = call.id("guild_id")
    if guild_id not in call.world.guilds or call.world.bot.id not in call.world.guilds[guild_id].members:
        raise Refusal(50001)
    return guild_id


def _own(call: Call) -> None:
    if call.id("application_id") != call.world.application_id:
        raise Refusal(10002)


def _overwrite(call: Call, scope: int) -> list[Json]:
    _own(call)
    check_commands(call.body)
    world = call.world
    had = {(command["type"], command["name"]): command for command in world.commands.get(scope, [])}
    commands = [_registered(world, command, had, scope) for command in call.body]
    created = sum((command["type"], command["name"]) not in had for command in commands)
    if world.counts.commands_created + created > MOST_CREATES_PER_DAY:
        raise Refusal(30034)
    world.counts.commands_created += created
    world.counts.command_syncs += 1
    world.commands[scope] = commands
    world.touch("commands", scope)
    return commands


def _registered(world: World, command: Json, had: dict[tuple[int, str], Json], scope: int) -> Json:
    kind = command.get("type", CHAT_INPUT)
    before = had.get((kind, command["name"]))
    defaults: Json = {
        "description": "",
        "options": [],
        "nsfw": False,
        "integration_types": [0],
        "contexts": None,
        "name_localizations": None,
        "description_localizations": None,
    }
    rights = command.get("default_member_permissions")
    registered = {
        **defaults,
        **without_nulls(command),
        "id": str(world.clock.snowflake()) if before is None else before["id"],
        "application_id": str(world.application_id),
        "type": kind,
        "default_member_permissions": None if rights is None else str(rights),
        "version": str(world.clock.snowflake()),
    }
    return registered if scope == GLOBAL else {**registered, "guild_id": str(scope)}
