"""Interactions as they are born: what the bot is told, and the three seconds it has."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from typing import Any

from discord_server.codes import ChannelType, Permission
from discord_server.entities import Channel, Interaction, Message, User
from discord_server.permissions import application_permissions, permissions
from discord_server.render import channel_json, guild_json, member_json, user_json
from discord_server.render_message import message_json
from discord_server.world import World

Json = dict[str, Any]

COMMAND, COMPONENT, AUTOCOMPLETE, MODAL_SUBMIT = 2, 3, 4, 5
RESPONSE_S = 3.0
TOKEN_LIFE_S = 15 * 60
IN_GUILD, IN_BOT_DM, IN_PRIVATE = 0, 1, 2


@dataclass(frozen=True)
class Seat:
    """A person in a channel, from where they act."""

    world: World
    user: User
    channel: Channel


def context_of(seat: Seat) -> int:
    if seat.channel.guild_id is not None:
        return IN_GUILD
    own = seat.channel.type == ChannelType.DM and seat.world.bot.id in seat.channel.recipient_ids
    return IN_BOT_DM if own else IN_PRIVATE


def owners_of(seat: Seat, installs: list[int]) -> dict[str, str]:
    """`authorizing_integration_owners`: by which of the command's `integration_types` the user has it here."""
    owners = {}
    guild = seat.world.guild_of(seat.channel)
    if 0 in installs and guild is not None and seat.world.bot.id in guild.members:
        owners["0"] = str(guild.id)
    if 0 in installs and context_of(seat) == IN_BOT_DM:
        owners["0"] = "0"
    if 1 in installs and seat.user.installed:
        owners["1"] = str(seat.user.id)
    return owners


def ask(
    seat: Seat,
    kind: int,
    data: Json,
    owners: dict[str, str],
    *,
    message: Message | None = None,
    opener: Interaction | None = None,
) -> Interaction:
    """A new interaction, told to all sessions of the gateway. `opener` is the one that showed the modal."""
    world, user, channel = seat.world, seat.user, seat.channel
    guild = world.guild_of(channel)
    limit = max(user.upload_limit, 0 if guild is None else guild.upload_limit)
    payload: Json = {
        "id": str(world.clock.snowflake()),
        "application_id": str(world.application_id),
        "type": kind,
        "token": secrets.token_urlsafe(48),
        "version": 1,
        "data": data,
        "channel_id": str(channel.id),
        "channel": _channel(seat),
        "context": context_of(seat),
        "authorizing_integration_owners": owners,
        "app_permissions": str(application_permissions(world, channel)),
        "attachment_size_limit": limit,
        "entitlements": [],
        "entitlement_sku_ids": [],
        "locale": user.locale,
        **_asker(seat),
    }
    if message is not None:
        payload["message"] = message_json(world, message)
    interaction = Interaction(
        id=int(payload["id"]),
        token=payload["token"],
        payload=payload,
        user_id=user.id,
        channel_id=channel.id,
        guild_id=channel.guild_id,
        asked=asyncio.get_running_loop().time(),
        source_message_id=None if message is None else message.id,
        source_interaction_id=None if opener is None else opener.id,
        upload_limit=limit,
    )
    world.interactions[interaction.id] = interaction
    world.touch("interaction", interaction.id)
    asyncio.get_running_loop().call_later(RESPONSE_S, _expire, world, interaction)
    installed_here = guild is not None and world.bot.id in guild.members
    world.emit("INTERACTION_CREATE", payload, channel.guild_id if installed_here else None)
    return interaction


def _expire(world: World, interaction: Interaction) -> None:
    if interaction.response_type is None:
        interaction.void = True
        world.touch("interaction", interaction.id)


def _channel(seat: Seat) -> Json:
    """With the user's rights; of a DM Discord does not say who else is in it."""
    world, channel = seat.world, seat.channel
    described = channel_json(world, channel) | {"permissions": str(permissions(world, channel, seat.user.id))}
    if channel.type == ChannelType.DM:
        described.pop("recipients")
    return described


def _asker(seat: Seat) -> Json:
    world, user, channel = seat.world, seat.user, seat.channel
    guild = world.guild_of(channel)
    if guild is None:
        return {"user": user_json(user)}
    return {
        "member": member_json(world, guild.members[user.id], permissions(world, channel, user.id)),
        "guild_id": str(guild.id),
        "guild": {"id": str(guild.id), "locale": guild.locale, "features": guild_json(world, guild)["features"]},
        "guild_locale": guild.locale,
    }


def metadata(world: World, interaction: Interaction) -> Json:
    """What a message says of the interaction that made it: `interaction_metadata`, and `interaction` for a command."""
    described: Json = {
        "id": str(interaction.id),
        "type": interaction.type,
        "user": user_json(world.users[interaction.user_id]),
        "authorizing_integration_owners": interaction.payload["authorizing_integration_owners"],
    }
    data = interaction.payload["data"]
    if interaction.type == COMMAND and "target_id" in data:
        described["target_message_id" if data["type"] == 3 else "target_user_id"] = data["target_id"]
    if interaction.type == COMPONENT:
        described["interacted_message_id"] = str(interaction.source_message_id)
    opener = world.interactions.get(interaction.source_interaction_id or 0)
    if opener is not None:
        described["triggering_interaction_metadata"] = metadata(world, opener)["interaction_metadata"]
    if interaction.type != COMMAND:
        return {"interaction_metadata": described}
    legacy = {key: described[key] for key in ("id", "type", "user")} | {"name": data["name"]}
    return {"interaction_metadata": described, "interaction": legacy}


def must_be_ephemeral(world: World, interaction: Interaction) -> bool:
    """A user's own installation is seen by nobody else where the guild does not let external apps speak."""
    if not interaction.user_installed_only or interaction.guild_id is None:
        return False
    channel = world.channels[interaction.channel_id]
    return not permissions(world, channel, interaction.user_id) & Permission.USE_EXTERNAL_APPS
