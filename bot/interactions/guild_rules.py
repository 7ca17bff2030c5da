"""Whether a server's moderators, and the bot's owner, let a member paint where they ask for it."""

from __future__ import annotations

import discord

from bot.errors import UserError
from bot.guild_settings import GuildSettings, Rules
from bot.requests.destination import Destination
from bot.text.translation import _, listed

_SHOWN = 5
"""Channels and roles that are named."""


async def check_allowed(
    guilds: GuildSettings, interaction: discord.Interaction, destination: Destination | None = None
) -> Rules:
    """The rules that hold, by whatever way it is asked for. Raises `UserError` where they say no.

    Those of the server where it is asked for, and of the one where it is to be shown, which may be another.
    """
    if await guilds.is_blocked(interaction.user.id):
        raise UserError(_("Who runs me does not let you paint: ask them."))
    rules = await guilds.rules(interaction.guild_id)
    _check_here(interaction, rules)
    if destination is None:
        return rules
    if destination.guild != interaction.guild_id:
        rules = await guilds.rules(destination.guild)
        _check_member(interaction.user.id, destination.roles, rules)
    _check_channel(destination.channel, destination.parent, rules)
    return rules


def _check_here(interaction: discord.Interaction, rules: Rules) -> None:
    roles = frozenset(role.id for role in getattr(interaction.user, "roles", ()))
    _check_member(interaction.user.id, roles, rules)
    if interaction.channel is not None:
        _check_channel(interaction.channel.id, getattr(interaction.channel, "parent_id", None), rules)


def _check_member(member: int, roles: frozenset[int], rules: Rules) -> None:
    choices = rules.choices
    if rules.allowance.blocked:
        raise UserError(_("Who runs me has blocked me in this server: ask for the painting in another one."))
    if member in choices.blocked:
        raise UserError(_("This server's moderators do not let you paint here: ask them, or paint in another server."))
    if choices.roles and not roles & set(choices.roles):
        names = listed([f"<@&{role}>" for role in choices.roles[:_SHOWN]])
        raise UserError(_("Only members with {roles} may paint here: ask a moderator for it.", roles=names))


def _check_channel(place: int, parent: int | None, rules: Rules) -> None:
    """What holds for a channel holds for its threads."""
    allowed = rules.choices.channels
    if allowed and not {place, parent} & set(allowed):
        names = listed([f"<#{channel}>" for channel in allowed[:_SHOWN]])
        raise UserError(_("In this server I paint only in {channels}: ask there.", channels=names))
