"""`/impasto settings` for a server's moderators, and `/impasto servers` for who runs the bot."""

from __future__ import annotations

from collections import Counter
from typing import Any

import discord
from discord import app_commands

from bot.client import Interaction
from bot.errors import UserError
from bot.interactions.permissions import present
from bot.interactions.replies import patience, reply_private
from bot.interactions.settings_panel import SettingsPanel
from bot.text.formatting import count, joined
from bot.text.sanitise import safe
from bot.text.translation import _

_MOST = 1850  # characters; of Discord's 2,000

impasto: app_commands.Group = app_commands.Group(
    name="impasto",
    description="Who may paint here, and how much",
    default_permissions=discord.Permissions(manage_guild=True),
    allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
    allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=False),
)


@impasto.command()
async def settings(interaction: Interaction) -> None:
    """Where I paint in this server, for whom, how much and how."""
    services, guild = interaction.client.services, interaction.guild_id
    if guild is None or not present(interaction):
        raise UserError(_("Settings are a server's: ask for them in a server that I am in."))
    async with patience(interaction):
        rules = await services.backend.guilds.rules(guild)
    panel = SettingsPanel(services.backend, services.deduplication, guild, rules)
    await interaction.response.send_message(view=panel, ephemeral=True, allowed_mentions=discord.AllowedMentions.none())


@impasto.command()
@app_commands.describe(
    server="A server's id; without it, all are listed",
    block="Whether nobody may paint there",
    paintings="How many may be under way there at a time; 0 for as many as in others",
)
async def servers(
    interaction: Interaction,
    server: str | None = None,
    block: bool | None = None,
    paintings: app_commands.Range[int, 0, 100_000] | None = None,
) -> None:
    """For who runs me: the servers that I am in, and what they may."""
    _require_owner(interaction)
    services = interaction.client.services
    async with services.deferred.acknowledged(interaction):
        if server is None:
            text = await _all(interaction)
        else:
            changed: dict[str, Any] = {} if block is None else {"blocked": block}
            if paintings is not None:
                changed["guild_jobs"] = paintings or None
            text = await _one(interaction, server, changed)
        await reply_private(interaction, text, allowed_mentions=discord.AllowedMentions.none())


def _require_owner(interaction: Interaction) -> None:
    """The application's owner, or a member of the team that owns it. Raises `UserError`."""
    application = interaction.client.application
    owners = set()
    if application is not None:
        owners = {member.id for member in application.team.members} if application.team else {application.owner.id}
    if interaction.user.id not in owners:
        raise UserError(_("Only who runs me may use this: moderators have `/impasto settings`."))


async def _all(interaction: Interaction) -> str:
    backend = interaction.client.services.backend
    under_way = Counter(standing.job.guild for standing in await backend.jobs.standing())
    guilds = sorted(interaction.client.guilds, key=lambda guild: (-under_way[str(guild.id)], guild.name))
    text = count(len(guilds), "server") + "."
    for number, guild in enumerate(guilds):
        paintings = _("{paintings} under way", paintings=count(under_way[str(guild.id)], "painting"))
        line = f"\n- {await _line(interaction, guild.id)}, {paintings}"
        if len(text) + len(line) > _MOST:
            return text + "\n" + _("And {n:,} more.", n=len(guilds) - number)
        text += line
    return text


async def _one(interaction: Interaction, server: str, changed: dict[str, Any]) -> str:
    if not server.strip().isdecimal():
        raise UserError(_("Give the server by its id, in digits: `/impasto servers` lists them."))
    guild = int(server)
    if changed:
        await interaction.client.services.backend.guilds.allow(guild, interaction.user.id, **changed)
    return await _line(interaction, guild)


async def _line(interaction: Interaction, guild: int) -> str:
    """A server with what it may."""
    client = interaction.client
    known = client.get_guild(guild)
    rules = await client.services.backend.guilds.rules(guild)
    allowance = rules.allowance
    told = [f"**{safe(known.name, 60)}**" if known else _("a server that I am not in"), f"`{guild}`"]
    told += [_("blocked")] if allowance.blocked else []
    if allowance.guild_jobs:
        told.append(_("at most {paintings} at a time", paintings=count(allowance.guild_jobs, "painting")))
    return joined(told)
