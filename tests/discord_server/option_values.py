"""A person's options held against a registered command, as Discord's client does before it sends anything."""

from __future__ import annotations

from typing import Any

from discord_server.command_rules import (
    ATTACHMENT,
    BOOLEAN,
    CHANNEL,
    INTEGER,
    MENTIONABLE,
    NUMBER,
    ROLE,
    STRING,
    SUBCOMMAND,
    SUBCOMMAND_GROUP,
    USER,
)
from discord_server.entities import Channel
from discord_server.file_types import require_file_type
from discord_server.impossible_action import Impossible
from discord_server.media import Upload
from discord_server.named_components import resolved_things
from discord_server.world import World

Json = dict[str, Any]

TAKEN = {USER: ("users",), ROLE: ("roles",), CHANNEL: ("channels",), MENTIONABLE: ("users", "roles")}


def descend(command: Json, path: list[str]) -> tuple[Json, list[Json]]:
    """The command or subcommand that a name like "job show" means, and the wrapping options above it."""
    here, wrapping = command, []
    for name in path:
        named = [one for one in here.get("options") or [] if one["name"] == name]
        if not named or named[0]["type"] not in (SUBCOMMAND, SUBCOMMAND_GROUP):
            raise Impossible(f"/{command['name']} has no subcommand {name!r}")
        here = named[0]
        wrapping.append({"type": here["type"], "name": name})
    return here, wrapping


def wrapped(wrapping: list[Json], options: list[Json]) -> list[Json]:
    for layer in reversed(wrapping):
        options = [{**layer, "options": options}]
    return options


class Filled:
    """The options of one use, as the interaction's `data` carries them."""

    def __init__(self, world: World, channel: Channel, uploads: list[Upload]) -> None:
        self._world, self._channel = world, channel
        self._uploads = {upload.index: upload for upload in uploads}
        self.resolved: dict[str, Json] = {}

    def fill(self, command: Json, given: Json, partial: bool = False) -> list[Json]:
        """`partial`: while the person still types, what is required may be missing."""
        known = {option["name"]: option for option in command.get("options") or []}
        for name in given.keys() - known.keys():
            raise Impossible(f"/{command['name']} has no option {name!r}; it has {sorted(known)}")
        for name, option in known.items():
            if option.get("required") and name not in given and not partial:
                raise Impossible(f"/{command['name']} needs the option {name!r}")
        return [
            {"name": name, "type": option["type"], "value": self._value(option, given[name])}
            for name, option in known.items()
            if name in given
        ]

    def _value(self, option: Json, value: Any) -> Any:
        kind = option["type"]
        if kind == ATTACHMENT:
            return self._attachment(option, value)
        if kind in TAKEN:
            return self._thing(option, value)
        value = _chosen(option, value)
        right = {STRING: str, INTEGER: int, BOOLEAN: bool, NUMBER: int | float}[kind]
        if not isinstance(value, right) or (isinstance(value, bool) and kind != BOOLEAN):
            raise Impossible(f"the option {option['name']!r} does not take {value!r}")
        _check_bounds(option, value)
        return value

    def _attachment(self, option: Json, value: Any) -> str:
        if not isinstance(value, dict) or value.get("file") not in self._uploads:
            raise Impossible(f"the option {option['name']!r} takes a file, not {value!r}")
        require_file_type(option, self._uploads[value["file"]].filename)
        kept = self._world.media.keep(self._uploads[value["file"]], self._channel.id, ephemeral=True)
        self.resolved.setdefault("attachments", {})[str(kept.id)] = self._world.media.described(kept)
        return str(kept.id)

    def _thing(self, option: Json, value: Any) -> str:
        """A user, role or channel by its id."""
        number = str(value)
        for kind, found in resolved_things(self._world, self._channel, [number]).items():
            if kind != "members" and kind not in TAKEN[option["type"]]:
                raise Impossible(f"the option {option['name']!r} takes {TAKEN[option['type']]}, not {kind}")
            self.resolved.setdefault(kind, {}).update(found)
        allowed = option.get("channel_types") or []
        if allowed and self._world.channels[int(number)].type not in allowed:
            raise Impossible(f"the option {option['name']!r} takes no channel of that type")
        return number


def _chosen(option: Json, value: Any) -> Any:
    """A choice by its name or by its value."""
    choices = option.get("choices") or []
    if not choices:
        return value
    for choice in choices:
        if value in (choice["value"], choice["name"]):
            return choice["value"]
    raise Impossible(f"{value!r} is no choice of {option['name']!r}: {[choice['name'] for choice in choices]}")


def _check_bounds(option: Json, value: Any) -> None:
    length = isinstance(value, str)
    low, high = option.get("min_length" if length else "min_value"), option.get("max_length" if length else "max_value")
    size = len(value) if length else value
    if (low is not None and size < low) or (high is not None and size > high):
        raise Impossible(f"the option {option['name']!r} takes {low} to {high}, not {value!r}")
    if length and len(value) > 6000:
        raise Impossible(f"the option {option['name']!r} is too long")
