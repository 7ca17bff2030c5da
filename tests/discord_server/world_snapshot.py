"""The world as tests see it: everything, whoever it is meant for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from discord_server.render import channel_json, guild_json, user_json
from discord_server.render_message import message_json
from discord_server.world import World

Json = dict[str, Any]


def see(world: World, kind: str, number: int) -> Any:
    """One thing of the journal; nothing for what is gone."""
    if kind in world.notes:
        return world.notes[kind][number]
    return VIEWS[kind](world, number)


def _commands(world: World, number: int) -> list[Json]:
    return world.commands[number]


def _channel(world: World, number: int) -> Json | None:
    channel = world.channels.get(number)
    if channel is None or channel.thread is None:
        return None if channel is None else channel_json(world, channel)
    return {**channel_json(world, channel), "member_ids": [str(user) for user in channel.thread.member_ids]}


def _guild(world: World, number: int) -> Json:
    guild = world.guilds[number]
    return {**guild_json(world, guild), "with_bot": world.bot.id in guild.members}


def _user(world: World, number: int) -> Json:
    return user_json(world.users[number])


def _message(world: World, number: int) -> Json | None:
    for messages in world.messages.values():
        message = messages.get(number)
        if message is not None:
            viewer = None if message.viewer_id is None else str(message.viewer_id)
            return {"message": message_json(world, message), "viewer": viewer, "edits": len(message.history)}
    return None


def _interaction(world: World, number: int) -> Json:
    interaction = world.interactions[number]
    return {
        "id": str(interaction.id),
        "type": interaction.type,
        "user": str(interaction.user_id),
        "channel": str(interaction.channel_id),
        "name": interaction.payload["data"].get("name") or interaction.payload["data"].get("custom_id"),
        "response_type": interaction.response_type,
        "latency_s": interaction.latency_s,
        "ephemeral": interaction.ephemeral,
        "void": interaction.void,
        "original": None if interaction.original_id is None else str(interaction.original_id),
        "messages": [str(number) for number in interaction.message_ids],
        "modal": interaction.modal,
        "choices": interaction.choices,
    }


def _nothing(world: World, number: int) -> None:
    """Counts have their own place in each answer."""


VIEWS: dict[str, Callable[[World, int], Any]] = {
    "commands": _commands,
    "message": _message,
    "channel": _channel,
    "guild": _guild,
    "user": _user,
    "interaction": _interaction,
    "counts": _nothing,
}
