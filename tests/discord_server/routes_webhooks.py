"""What an interaction's token opens for fifteen minutes: its response, and follow-ups."""

from __future__ import annotations

from typing import Any

from discord_server.calls import Call, Reply, route
from discord_server.codes import MessageFlag
from discord_server.entities import Interaction, Message
from discord_server.interactions import TOKEN_LIFE_S
from discord_server.messages import Draft, check, check_automod, delete, edit
from discord_server.refusals import Refusal
from discord_server.render_message import message_json
from discord_server.routes_interactions import answer_with
from discord_server.world import World

Json = dict[str, Any]

WEBHOOK = "/webhooks/{webhook_id}/{webhook_token}"
ORIGINAL = WEBHOOK + "/messages/@original"
MESSAGE = WEBHOOK + "/messages/{message_id}"
MOST_FOLLOWUPS_OF_A_USER_INSTALL = 5


def _interaction(call: Call) -> Interaction:
    """10015 for a token that is none or has not been answered yet, 50027 for one that is too old."""
    token = call.params["webhook_token"]
    found = [one for one in call.world.interactions.values() if one.token == token]
    if not found or call.id("webhook_id") != call.world.application_id or found[0].response_type is None:
        raise Refusal(10015)
    if call.world.clock.age(found[0].id) > TOKEN_LIFE_S:
        raise Refusal(50027)
    if found[0].channel_id not in call.world.channels:
        raise Refusal(10003)
    return found[0]


@route("POST", WEBHOOK)
def follow_up(call: Call) -> Reply:
    world, interaction, draft = call.world, _interaction(call), call.draft()
    if interaction.user_installed_only and interaction.followups >= MOST_FOLLOWUPS_OF_A_USER_INSTALL:
        raise Refusal(40094)
    original = world.messages[interaction.channel_id].get(interaction.original_id or 0)
    if original is not None and original.flags & MessageFlag.LOADING:
        # The first follow-up to a deferred response takes its place, and its ephemerality.
        message = _edited(world, interaction, original, draft)
    else:
        check(world, draft, interaction.upload_limit)
        check_automod(world, world.channels[interaction.channel_id], draft.body)
        message = answer_with(world, interaction, draft)
    interaction.followups += 1
    world.touch("interaction", interaction.id)
    return 200, message_json(world, message)


def _edited(world: World, interaction: Interaction, message: Message, draft: Draft) -> Message:
    channel = world.channels[message.channel_id]
    if channel.thread and channel.thread.archived:
        raise Refusal(50083)
    check(world, draft, interaction.upload_limit, message)
    check_automod(world, channel, draft.body)
    return edit(world, message, draft)


def _original(call: Call) -> tuple[Interaction, Message]:
    interaction = _interaction(call)
    return interaction, call.world.message(interaction.channel_id, interaction.original_id or 0)


def _made(call: Call) -> tuple[Interaction, Message]:
    """A message that the interaction made: its token reaches no other."""
    interaction, number = _interaction(call), call.id("message_id")
    if number not in {*interaction.message_ids, interaction.original_id}:
        raise Refusal(10008)
    return interaction, call.world.message(interaction.channel_id, number)


@route("GET", ORIGINAL)
def get_original(call: Call) -> Reply:
    return 200, message_json(call.world, _original(call)[1])


@route("PATCH", ORIGINAL)
def edit_original(call: Call) -> Reply:
    return 200, message_json(call.world, _edited(call.world, *_original(call), call.draft()))


@route("DELETE", ORIGINAL)
def delete_original(call: Call) -> Reply:
    delete(call.world, _original(call)[1])
    return 204, None


@route("GET", MESSAGE)
def get_made(call: Call) -> Reply:
    return 200, message_json(call.world, _made(call)[1])


@route("PATCH", MESSAGE)
def edit_made(call: Call) -> Reply:
    return 200, message_json(call.world, _edited(call.world, *_made(call), call.draft()))


@route("DELETE", MESSAGE)
def delete_made(call: Call) -> Reply:
    delete(call.world, _made(call)[1])
    return 204, None
