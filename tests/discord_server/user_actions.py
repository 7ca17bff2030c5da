"""What people do: commands, menus, buttons, selects, modals, words."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from discord_server.codes import SELECTS, MessageFlag, MessageType, Part, Permission
from discord_server.command_rules import CHAT_INPUT, MESSAGE_MENU, USER_MENU
from discord_server.entities import Interaction, Message, Sticker, User
from discord_server.filled_modal import filled_modal
from discord_server.impossible_action import Impossible
from discord_server.interactions import (
    AUTOCOMPLETE,
    COMMAND,
    COMPONENT,
    MODAL_SUBMIT,
    Seat,
    ask,
    context_of,
    owners_of,
)
from discord_server.media import Upload
from discord_server.messages import Draft, new_message, post
from discord_server.named_components import find_part, picked, resolved_things
from discord_server.option_values import Filled, descend, wrapped
from discord_server.permissions import effective_permissions, guild_permissions, permissions, sees, sees_message
from discord_server.render import member_json, user_json
from discord_server.render_message import message_json

Json = dict[str, Any]


def usable(seat: Seat, name: str, kind: int) -> tuple[Json, dict[str, str]]:
    """A command that the person finds in that channel, and by whose installation."""
    _require_sight(seat)
    commands, guild_id = seat.world.commands, seat.channel.guild_id
    offered = [*commands.get(guild_id or 0, []), *commands.get(0, [])]
    found = [one for one in offered if one["name"] == name and one["type"] == kind]
    if not found:
        raise Impossible(f"no command {name!r} is registered here; there are {sorted({c['name'] for c in offered})}")
    command, context = found[0], context_of(seat)
    if command["contexts"] is not None and context not in command["contexts"]:
        raise Impossible(f"{name!r} is not offered in the context {context}, only in {command['contexts']}")
    owners = owners_of(seat, command["integration_types"])
    if not owners:
        raise Impossible(f"{name!r} is not installed for {seat.user.name} here")
    _require_rights(seat, command)
    return command, owners


def _require_rights(seat: Seat, command: Json) -> None:
    guild, name = seat.world.guild_of(seat.channel), seat.user.name
    if guild is None:
        return
    if not permissions(seat.world, seat.channel, seat.user.id) & Permission.USE_APPLICATION_COMMANDS:
        raise Impossible(f"{name} may not use commands here")
    needed = command["default_member_permissions"]
    if needed is not None and int(needed) & ~guild_permissions(guild, seat.user.id):
        raise Impossible(f"{command['name']!r} is hidden from {name}: it needs the permissions {needed}")


def _require_sight(seat: Seat) -> None:
    if not sees(seat.world, seat.channel, seat.user.id):
        raise Impossible(f"{seat.user.name} does not see that channel")


def slash(seat: Seat, name: str, given: Json, uploads: list[Upload]) -> Interaction:
    root, *path = name.split()
    command, owners = usable(seat, root, CHAT_INPUT)
    _check_upload_sizes(seat, uploads)
    leaf, wrapping = descend(command, path)
    filled = Filled(seat.world, seat.channel, uploads)
    data = {**_command_data(command), "options": wrapped(wrapping, filled.fill(leaf, given))}
    if filled.resolved:
        data["resolved"] = filled.resolved
    return ask(seat, COMMAND, data, owners)


def _check_upload_sizes(seat: Seat, uploads: list[Upload]) -> None:
    guild = seat.world.guild_of(seat.channel)
    limit = max(seat.user.upload_limit, 0 if guild is None else guild.upload_limit)
    for upload in uploads:
        if len(upload.data) > limit:
            raise Impossible(f"{upload.filename} is larger than {limit} bytes: Discord's client does not upload it")


def _command_data(command: Json) -> Json:
    data = {"id": command["id"], "name": command["name"], "type": command["type"]}
    return data if "guild_id" not in command else {**data, "guild_id": command["guild_id"]}


def autocomplete(seat: Seat, name: str, option: str, typed: str, given: Json) -> Interaction:
    root, *path = name.split()
    command, owners = usable(seat, root, CHAT_INPUT)
    leaf, wrapping = descend(command, path)
    known = {one["name"]: one for one in leaf.get("options") or []}
    if not known.get(option, {}).get("autocomplete"):
        raise Impossible(f"the option {option!r} has no autocomplete")
    options = Filled(seat.world, seat.channel, []).fill(leaf, given, partial=True)
    options.append({"name": option, "type": known[option]["type"], "value": typed, "focused": True})
    data = {**_command_data(command), "options": wrapped(wrapping, options)}
    return ask(seat, AUTOCOMPLETE, data, owners)


def message_menu(seat: Seat, message: Message, name: str) -> Interaction:
    command, owners = usable(seat, name, MESSAGE_MENU)
    _require_message(seat, message)
    resolved = {"messages": {str(message.id): message_json(seat.world, message)}}
    data = {**_command_data(command), "target_id": str(message.id), "resolved": resolved}
    return ask(seat, COMMAND, data, owners)


def user_menu(seat: Seat, target: User, name: str) -> Interaction:
    command, owners = usable(seat, name, USER_MENU)
    resolved: Json = {"users": {str(target.id): user_json(target)}}
    guild = seat.world.guild_of(seat.channel)
    if guild is not None and target.id in guild.members:
        resolved["members"] = {str(target.id): member_json(seat.world, guild.members[target.id], 0)}
    data = {**_command_data(command), "target_id": str(target.id), "resolved": resolved}
    return ask(seat, COMMAND, data, owners)


def _require_message(seat: Seat, message: Message) -> None:
    if not sees_message(seat.world, message, seat.user):
        raise Impossible(f"{seat.user.name} does not see that message")


def press(seat: Seat, message: Message, what: str) -> Interaction:
    button = find_part(message.components, what, frozenset({Part.BUTTON}))
    data = {"custom_id": button["custom_id"], "component_type": int(Part.BUTTON), "id": button["id"]}
    return _used(seat, message, data)


def forge(seat: Seat, message: Message, custom_id: str) -> Interaction:
    """A press of a button that the message does not have, as a tampered client or a bot's older version would send."""
    return _used(seat, message, {"custom_id": custom_id, "component_type": int(Part.BUTTON), "id": 1})


def choose(seat: Seat, message: Message, what: str | None, values: list[str]) -> Interaction:
    """Values, or labels, of a select. Without a name, of the only one there is."""
    select = find_part(message.components, what, SELECTS)
    data = {"custom_id": select["custom_id"], "component_type": select["type"], "id": select["id"]}
    if select["type"] == Part.STRING_SELECT:
        return _used(seat, message, {**data, "values": picked(select, values)})
    allowed = select.get("channel_types") or []
    if allowed and any(seat.world.channels[int(one)].type not in allowed for one in values):
        raise Impossible(f"the select {select.get('placeholder')!r} offers no channel of that type")
    resolved = resolved_things(seat.world, seat.channel, values)
    return _used(seat, message, {**data, "values": values, "resolved": resolved})


def _used(seat: Seat, message: Message, data: Json) -> Interaction:
    _require_message(seat, message)
    if message.author_id != seat.world.bot.id or message.flags & MessageFlag.LOADING:
        raise Impossible("only the bot's own components can be used")
    maker = seat.world.interactions.get(message.interaction_id or 0)
    owners = owners_of(seat, [0, 1]) if maker is None else maker.payload["authorizing_integration_owners"]
    return ask(seat, COMPONENT, data, owners, message=message)


def submit(seat: Seat, opener: Interaction, values: Json, uploads: list[Upload]) -> Interaction:
    """Fills in the modal that an interaction was answered with, and sends it."""
    if opener.modal is None or opener.user_id != seat.user.id:
        raise Impossible(f"{seat.user.name} has no such modal open")
    _check_upload_sizes(seat, uploads)
    components, resolved = filled_modal(seat, opener.modal, values, uploads)
    data = {"custom_id": opener.modal["custom_id"], "components": components, "resolved": resolved}
    source = seat.world.messages[seat.channel.id].get(opener.source_message_id or 0)
    owners = opener.payload["authorizing_integration_owners"]
    return ask(seat, MODAL_SUBMIT, data, owners, message=source, opener=opener)


def say(
    seat: Seat, text: str, uploads: list[Upload], reply_to: int | None = None, stickers: Sequence[Sticker] = ()
) -> Message:
    """A person's own message."""
    world, channel = seat.world, seat.channel
    _require_sight(seat)
    _require_writing(seat, bool(uploads))
    message = new_message(world, channel, seat.user.id)
    message.stickers = list(stickers)
    if reply_to is not None:
        message.reply_to, message.type = reply_to, MessageType.REPLY
    return post(world, channel, message, Draft({"content": text}, uploads))


def _require_writing(seat: Seat, files: bool) -> None:
    needed = Permission.SEND_MESSAGES_IN_THREADS if seat.channel.thread else Permission.SEND_MESSAGES
    needed |= Permission.ATTACH_FILES if files else Permission(0)
    if not seat.channel.type.is_private and needed & ~effective_permissions(seat.world, seat.channel, seat.user.id):
        raise Impossible(f"{seat.user.name} may not write{' or attach files' * files} there")


def forward(seat: Seat, message: Message) -> Message:
    """A person's forward of a message to where they sit. One of a forward is of what that has forwarded."""
    _require_sight(seat)
    _require_message(seat, message)
    _require_writing(seat, files=False)
    forwarding = new_message(seat.world, seat.channel, seat.user.id)
    forwarding.snapshot = copy.deepcopy(message.snapshot or message)
    forwarding.flags |= MessageFlag.HAS_SNAPSHOT
    return post(seat.world, seat.channel, forwarding, Draft({}))
