"""The first response to an interaction: in three seconds, once, and of a type that fits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from discord_server.calls import Call, Reply, route
from discord_server.codes import MessageFlag, MessageType
from discord_server.command_rules import CHAT_INPUT, check_choice
from discord_server.component_rules import without_nulls
from discord_server.entities import Interaction, Message
from discord_server.interactions import (
    AUTOCOMPLETE,
    COMMAND,
    COMPONENT,
    MODAL_SUBMIT,
    metadata,
    must_be_ephemeral,
)
from discord_server.messages import Draft, check, check_automod, edit, new_message, post
from discord_server.modal_rules import check_modal
from discord_server.refusals import FormErrors, Refusal
from discord_server.render_message import message_json
from discord_server.world import World

Json = dict[str, Any]

MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE, CHOICES, MODAL = 4, 5, 6, 7, 8, 9
LEGAL = {
    COMMAND: {MESSAGE, DEFERRED, MODAL},
    COMPONENT: {MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE, MODAL},
    AUTOCOMPLETE: {CHOICES},
    MODAL_SUBMIT: {MESSAGE, DEFERRED},
}


@route("POST", "/interactions/{interaction_id}/{interaction_token}/callback")
def respond(call: Call) -> Reply:
    world = call.world
    interaction = world.interactions.get(call.id("interaction_id"))
    if interaction is None or interaction.token != call.params["interaction_token"] or interaction.void:
        raise Refusal(10062)
    if interaction.response_type is not None:
        raise Refusal(40060)
    if interaction.channel_id not in world.channels:
        raise Refusal(10003)
    kind = call.body.get("type")
    _require_legal(interaction, kind)
    message = RESPONDERS[kind](world, interaction, Draft(call.body.get("data") or {}, call.uploads))
    interaction.response_type = kind
    interaction.latency_s = asyncio.get_running_loop().time() - interaction.asked
    world.touch("interaction", interaction.id)
    if call.query.get("with_response", "").lower() not in ("1", "true"):
        return 204, None
    return 200, _callback_json(world, interaction, message)


def _require_legal(interaction: Interaction, kind: object) -> None:
    legal = LEGAL[interaction.type]
    if interaction.type == MODAL_SUBMIT and interaction.source_message_id is not None:
        legal = legal | {DEFERRED_UPDATE, UPDATE}
    if kind not in legal:
        errors = FormErrors()
        errors.add(("type",), f"Not for an interaction of type {interaction.type}: {kind}.", "BASE_TYPE_CHOICES")
        errors.raise_if_any()


def _callback_json(world: World, interaction: Interaction, message: Message | None) -> Json:
    described: Json = {"id": str(interaction.id), "type": interaction.type}
    if message is None:
        return {"interaction": described}
    described |= {
        "response_message_id": str(message.id),
        "response_message_loading": bool(message.flags & MessageFlag.LOADING),
        "response_message_ephemeral": message.viewer_id is not None,
    }
    if interaction.response_type not in (MESSAGE, UPDATE):
        return {"interaction": described}  # of a message that is still to come there is only the id
    resource = {"type": interaction.response_type, "message": message_json(world, message)}
    return {"interaction": described, "resource": resource}


def answer_with(world: World, interaction: Interaction, draft: Draft, loading: bool = False) -> Message:
    """A new message in answer to an interaction: the response itself, or a follow-up."""
    channel = world.channels[interaction.channel_id]
    message = new_message(world, channel, world.bot.id, _message_type(interaction))
    message.interaction_id, message.interaction = interaction.id, metadata(world, interaction)
    ephemeral = bool((draft.body.get("flags") or 0) & MessageFlag.EPHEMERAL)
    if ephemeral or must_be_ephemeral(world, interaction):
        message.viewer_id = interaction.user_id
        message.flags |= MessageFlag.EPHEMERAL
    if loading:
        message.flags |= MessageFlag.LOADING
    interaction.message_ids.append(message.id)
    return post(world, channel, message, draft)


def _message_type(interaction: Interaction) -> MessageType:
    if interaction.type != COMMAND:
        return MessageType.REPLY if interaction.source_message_id is not None else MessageType.DEFAULT
    slash = interaction.payload["data"]["type"] == CHAT_INPUT
    return MessageType.CHAT_INPUT_COMMAND if slash else MessageType.CONTEXT_MENU_COMMAND


def _message(world: World, interaction: Interaction, draft: Draft) -> Message:
    check(world, draft, interaction.upload_limit)
    check_automod(world, world.channels[interaction.channel_id], draft.body)
    return _original(interaction, answer_with(world, interaction, draft))


def _deferred(world: World, interaction: Interaction, draft: Draft) -> Message:
    """Only whether it will be ephemeral can be said now; all else comes with the edit."""
    errors = FormErrors()
    for key in draft.body.keys() - {"flags"}:
        errors.add(("data", key), "A deferred response takes no data but flags.", "INTERACTION_DEFERRED_DATA")
    if (draft.body.get("flags") or 0) & ~MessageFlag.EPHEMERAL:
        errors.add(("data", "flags"), "A deferred response takes the EPHEMERAL flag only.", "MESSAGE_FLAGS_INVALID")
    errors.raise_if_any()
    return _original(interaction, answer_with(world, interaction, draft, loading=True))


def _original(interaction: Interaction, message: Message) -> Message:
    interaction.original_id = message.id
    interaction.ephemeral = message.viewer_id is not None
    return message


def _deferred_update(world: World, interaction: Interaction, draft: Draft) -> None:
    interaction.original_id = interaction.source_message_id


def _update(world: World, interaction: Interaction, draft: Draft) -> Message:
    message = world.message(interaction.channel_id, interaction.source_message_id or 0)
    check(world, draft, interaction.upload_limit, message)
    check_automod(world, world.channels[interaction.channel_id], draft.body)
    return _original(interaction, edit(world, message, draft))


def _choices(world: World, interaction: Interaction, draft: Draft) -> None:
    errors = FormErrors()
    choices = draft.body.get("choices")
    errors.count(("data", "choices"), choices, 0, 25)
    focused = interaction.payload["data"]["options"]
    while not any(option.get("focused") for option in focused):
        focused = focused[0]["options"]
    kind = next(option["type"] for option in focused if option.get("focused"))
    for index, choice in enumerate(choices or []):
        check_choice(errors, ("data", "choices", index), choice, kind)
    errors.raise_if_any()
    interaction.choices = choices


def _modal(world: World, interaction: Interaction, draft: Draft) -> None:
    check_modal(draft.body)
    interaction.modal = without_nulls(draft.body)


RESPONDERS: dict[int, Callable[[World, Interaction, Draft], Message | None]] = {
    MESSAGE: _message,
    DEFERRED: _deferred,
    DEFERRED_UPDATE: _deferred_update,
    UPDATE: _update,
    CHOICES: _choices,
    MODAL: _modal,
}
