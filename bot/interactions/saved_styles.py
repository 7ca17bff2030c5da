"""Whose saved styles a member finds where they are, who may delete one, and names as they are typed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import discord
from discord import app_commands
from redis.exceptions import RedisError

from bot.discord_api.limits import LONGEST_CHOICE, MOST_CHOICES
from bot.interactions.permissions import age_restricted, present
from bot.requests.style_names import as_saved
from bot.text.sanitise import plain
from engine.contract.saved_styles import SavedStyle, SavedStyles
from engine.contract.store import StoreError

NO_SERVER = 0
"""Where nobody can save anything: the styles that every server begins with are there, in direct messages too."""
_PATIENCE = 2.0  # s; of the three that Discord waits


def server_of(interaction: discord.Interaction) -> int:
    """The id of the server whose saved styles are offered there, or `NO_SERVER`."""
    return interaction.guild_id if interaction.guild_id and present(interaction) else NO_SERVER


async def styles_here(styles: SavedStyles, interaction: discord.Interaction) -> list[SavedStyle]:
    """The saved styles that may be shown in this channel, by name."""
    restricted = age_restricted(interaction.channel)
    return [style for style in await styles.all(server_of(interaction)) if restricted or not style.age_restricted]


def may_delete(interaction: discord.Interaction, style: SavedStyle) -> bool:
    """Whether the member may delete the style: who saved it may, and moderators."""
    granted = interaction.permissions
    return style.owner == str(interaction.user.id) or granted.manage_messages or granted.manage_guild


async def style_choices(
    styles: SavedStyles,
    interaction: discord.Interaction,
    typed: str,
    offered: Callable[[SavedStyle], bool] = lambda _: True,
) -> list[app_commands.Choice[str]]:
    """Names that hold what was typed; none while Redis or the store does not answer."""
    found: list[SavedStyle] = []
    with suppress(TimeoutError, RedisError, StoreError):
        async with asyncio.timeout(_PATIENCE):
            found = await styles_here(styles, interaction)
    part = as_saved(typed).casefold()
    names = [style.name for style in found if part in style.name.casefold() and offered(style)]
    return [app_commands.Choice(name=plain(name, LONGEST_CHOICE), value=name) for name in names[:MOST_CHOICES]]
