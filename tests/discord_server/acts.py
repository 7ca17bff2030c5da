"""What people do: commands, menus, buttons, selects, modals, words."""

from __future__ import annotations

from typing import Any

from discord_server.codes import SELECTS, MessageFlag, MessageType, Part, Permission
from discord_server.command_rules import CHAT_INPUT, MESSAGE_MENU, USER_MENU
from discord_server.component_rules import walk
from discord_server.entities import Channel, Interaction, Message, User
from discord_server.filled_modal import filled_modal
from discord_server.impossible import Impossible
from discord_server.interactions import AUTOCOMPLETE, COMMAND, COMPONENT, MODAL_SUBMIT, ask, context_of, owners_of
from discord_server.media import Upload
from discord_server.messages import Draft, new_message, post
from discord_server.option_values import Filled, descend, wrapped
from discord_server.permissions import guild_permissions, permissions, sees, sees_message
from discord_server.render import member_json, message_json, user_json
from discord_server.world import World

Json = dict[str, Any]


def usable(world: World, user: User, channel: Channel, name: str, kind: int) -> tuple[Json, dict[str, str]]:
    """A command that the person finds in that channel, and by whose installation."""
    _require_sight(world, user, channel)
    scopes = [0] if channel.guild_id is None else [channel.guild_id, 0]
    named = [one for scope in scopes for one in world.commands.get(scope, []) if one["name"] == name]
    found = [one for one in named if one["type"] == kind]
    if not found:
        registered = sorted(one["name"] for scope in scopes for one in world.commands.get(scope, []))
        raise Impossible(f"no command {name!r} is registered here; there are {registered}")
    command = found[0]
    context = context_of(world, channel)
    if command["contexts"] is not None and context not in command["contexts"]:
        raise Impossible(f"{name!r} is not offered in the context {context}, only in {command['contexts']}")
    owners = owners_of(world, user, channel, command["integration_types"])
    if not owners:
        raise Impossible(f"{name!r} is not installed for {user.name} here")
    _require_rights(world, user, channel, command)
    return command, owners


def _require_rights(world: World, user: User, channel: Channel, command: Json) -> None:
    guild = world.guild_of(channel)
    if guild is None:
        return
    if not permissions(world, channel, user.id) & Permission.USE_APPLICATION_COMMANDS:
        raise Impossible(f"{user.name} may not use commands here")
    needed = command["default_member_permissions"]
    if needed is not None and int(needed) & ~guild_permissions(guild, user.id):
        raise Impossible(f"{command['name']!r} is hidden from {user.name}: it needs the permissions {needed}")


def _require_sight(world: World, user: User, channel: Channel) -> None:
    if not sees(world, channel, user.id):
        raise Impossible(f"{user.name} does not see that channel")


def slash(world: World, user: User, channel: Channel, name: str, given: Json, uploads: list[Upload]) -> Interaction:
    root, *path = name.split()
    command, owners = usable(world, user, channel, root, CHAT_INPUT)
    _check_upload_sizes(world, user, channel, uploads)
    leaf, wrapping = descend(command, path)
    filled = Filled(world, channel, uploads)
    options = wrapped(wrapping, filled.fill(leaf, given))
    data = {**_command_data(command), "options": options}
    if filled.resolved:
        data["resolved"] = filled.resolved
    return ask(world, user, channel, COMMAND, data, owners)


def _check_upload_sizes(world: World, user: User, channel: Channel, uploads: list[Upload]) -> None:
    guild = world.guild_of(channel)
    limit = max(user.upload_limit, 0 if guild is None else guild.upload_limit)
    for upload in uploads:
        if len(upload.data) > limit:
            raise Impossible(f"{upload.filename} is larger than {limit} bytes: Discord's client does not upload it")


def _command_data(command: Json) -> Json:
    data = {"id": command["id"], "name": command["name"], "type": command["type"]}
    return data if "guild_id" not in command else {**data, "guild_id": command["guild_id"]}


def autocomplete(
    world: World, user: User, channel: Channel, name: str, option: str, typed: str, given: Json
) -> Interaction:
    root, *path = name.split()
    command, owners = usable(world, user, channel, root, CHAT_INPUT)
    leaf, wrapping = descend(command, path)
    known = {one["name"]: one for one in leaf.get("options") or []}
    if not known.get(option, {}).get("autocomplete"):
        raise Impossible(f"the option {option!r} has no autocomplete")
    options = Filled(world, channel, []).fill(leaf, given, partial=True)
    options.append({"name": option, "type": known[option]["type"], "value": typed, "focused": True})
    data = {**_command_data(command), "options": wrapped(wrapping, options)}
    return ask(world, user, channel, AUTOCOMPLETE, data, owners)


def message_menu(world: World, user: User, channel: Channel, message: Message, name: str) -> Interaction:
    command, owners = usable(world, user, channel, name, MESSAGE_MENU)
    _require_message(world, user, message)
    resolved = {"messages": {str(message.id): message_json(world, message)}}
    data = {**_command_data(command), "target_id": str(message.id), "resolved": resolved}
    return ask(world, user, channel, COMMAND, data, owners)


def user_menu(world: World, user: User, channel: Channel, target: User, name: str) -> Interaction:
    command, owners = usable(world, user, channel, name, USER_MENU)
    resolved: Json = {"users": {str(target.id): user_json(target)}}
    guild = world.guild_of(channel)
    if guild is not None and target.id in guild.members:
        resolved["members"] = {str(target.id): member_json(world, guild.members[target.id], 0)}
    data = {**_command_data(command), "target_id": str(target.id), "resolved": resolved}
    return ask(world, user, channel, COMMAND, data, owners)


def _require_message(world: World, user: User, message: Message) -> None:
    if not sees_message(world, message, user):
        raise Impossible(f"{user.name} does not see that message")


def component(world: World, message: Message, what: str, kinds: frozenset[int]) -> Json:
    """A button or select of a message by custom_id, label, placeholder or emoji."""
    usable_ones = [one for _, one in walk(message.components) if one["type"] in kinds and one.get("custom_id")]
    named = [one for one in usable_ones if what in _names(one)]
    if not named:
        raise Impossible(f"that message has no {what!r}; it has {[sorted(_names(one)) for one in usable_ones]}")
    if len(named) > 1:
        raise Impossible(f"that message has {len(named)} of {what!r}: use a custom_id")
    if named[0].get("disabled"):
        raise Impossible(f"{what!r} is disabled")
    return named[0]


def _names(one: Json) -> set[str]:
    names = {one.get("custom_id"), one.get("label"), one.get("placeholder"), (one.get("emoji") or {}).get("name")}
    return {name for name in names if name}


def press(world: World, user: User, message: Message, what: str) -> Interaction:
    button = component(world, message, what, frozenset({Part.BUTTON}))
    return _used(world, user, message, {"custom_id": button["custom_id"], "component_type": 2, "id": button["id"]})


def choose(world: World, user: User, message: Message, what: str | None, values: list[str]) -> Interaction:
    """Values, or labels, of a select. Without a name, of the only one there is."""
    selects = [one for _, one in walk(message.components) if one["type"] in SELECTS]
    if what is None and len(selects) != 1:
        raise Impossible(f"that message has {len(selects)} selects")
    select = selects[0] if what is None else component(world, message, what, SELECTS)
    chosen = picked(select, values) if select["type"] == Part.STRING_SELECT else [str(value) for value in values]
    data = {"custom_id": select["custom_id"], "component_type": select["type"], "id": select["id"], "values": chosen}
    return _used(world, user, message, {**data, "resolved": {}})


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


def _used(world: World, user: User, message: Message, data: Json) -> Interaction:
    _require_message(world, user, message)
    if message.author_id != world.bot.id or message.flags & MessageFlag.LOADING:
        raise Impossible("only the bot's own components can be used")
    channel = world.channels[message.channel_id]
    maker = world.interactions.get(message.interaction_id or 0)
    owners = None if maker is None else maker.payload["authorizing_integration_owners"]
    return ask(world, user, channel, COMPONENT, data, owners or owners_of(world, user, channel, [0, 1]), message)


def submit(world: World, user: User, opener: Interaction, values: Json, uploads: list[Upload]) -> Interaction:
    """Fills in the modal that an interaction was answered with, and sends it."""
    if opener.modal is None or opener.user_id != user.id:
        raise Impossible(f"{user.name} has no such modal open")
    channel = world.channels[opener.channel_id]
    _check_upload_sizes(world, user, channel, uploads)
    components, resolved = filled_modal(world, channel, opener.modal, values, uploads)
    data = {"custom_id": opener.modal["custom_id"], "components": components, "resolved": resolved}
    source = world.messages[channel.id].get(opener.source_message_id or 0)
    owners = opener.payload["authorizing_integration_owners"]
    return ask(world, user, channel, MODAL_SUBMIT, data, owners, source, opener)


def say(
    world: World, user: User, channel: Channel, text: str, uploads: list[Upload], reply_to: int | None = None
) -> Message:
    """A person's own message."""
    _require_sight(world, user, channel)
    needed = Permission.SEND_MESSAGES_IN_THREADS if channel.thread else Permission.SEND_MESSAGES
    if not permissions(world, channel, user.id) & needed:
        raise Impossible(f"{user.name} may not write there")
    message = new_message(world, channel, user.id)
    if reply_to is not None:
        message.reply_to, message.type = reply_to, MessageType.REPLY
    return post(world, channel, message, Draft({"content": text}, uploads))
