"""`/impasto settings` for a server's moderators, `/impasto servers` and `member` for who runs the bot."""

from __future__ import annotations

import re
from typing import Any

import discord
from discord import app_commands

from bot.client import Interaction
from bot.commands.server_list import server_line, server_page
from bot.discord_api.retry import persist
from bot.errors import UserError
from bot.interactions.permissions import present
from bot.interactions.replies import TOKEN_LIVES, patience, reply_private
from bot.interactions.settings_panel import PanelAccess, SettingsPanel
from bot.text.translation import _

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
    panel = SettingsPanel(services.backend, services.deduplication, guild, rules, PanelAccess.of(interaction))
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
            page = await server_page(interaction.client)
            nobody = discord.AllowedMentions.none()
            await persist(
                lambda: interaction.edit_original_response(view=page, allowed_mentions=nobody), within=TOKEN_LIVES
            )
            return
        changed: dict[str, Any] = {} if block is None else {"blocked": block}
        if paintings is not None:
            changed["guild_jobs"] = paintings or None
        text = await _one(interaction, server, changed)
        await reply_private(interaction, text, allowed_mentions=discord.AllowedMentions.none())


@impasto.command()
@app_commands.describe(member="A member's id", block="Whether they may paint nowhere")
async def member(interaction: Interaction, member: str, block: bool | None = None) -> None:
    """For who runs me: whether a member may paint, in servers and in direct messages."""
    _require_owner(interaction)
    services = interaction.client.services
    async with services.deferred.acknowledged(interaction):
        number, guilds = _member_number(member), services.backend.guilds
        if block is not None:
            await guilds.block_member(number, interaction.user.id, block=block)
        if block:
            await services.backend.cancel_all(member=number)
        who = f"<@{number}>"
        text = _("{member} may paint.", member=who)
        if await guilds.is_blocked(number):
            text = _("{member} may paint nowhere.", member=who)
        await reply_private(interaction, text, allowed_mentions=discord.AllowedMentions.none())


def _require_owner(interaction: Interaction) -> None:
    """The application's owner, or a member of the team that owns it. Raises `UserError`."""
    application = interaction.client.application
    owners = set()
    if application is not None:
        owners = {member.id for member in application.team.members} if application.team else {application.owner.id}
    if interaction.user.id not in owners:
        raise UserError(_("Only who runs me may use this: moderators have `/impasto settings`."))


async def _one(interaction: Interaction, server: str, changed: dict[str, Any]) -> str:
    if not server.strip().isdecimal():
        raise UserError(_("Give the server by its id, in digits: `/impasto servers` lists them."))
    guild = int(server)
    if changed:
        backend = interaction.client.services.backend
        await backend.guilds.allow(guild, interaction.user.id, **changed)
        if changed.get("blocked"):
            await backend.cancel_all(guild=guild)
    return await server_line(interaction.client, guild)


def _member_number(text: str) -> int:
    """The member's id, from digits or from a mention as Discord's client writes it. Raises `UserError`."""
    found = re.fullmatch(r"\s*(?:<@!?(\d{1,20})>|(\d{1,20}))\s*", text)
    if found is None:
        raise UserError(_("Give the member by their id, in digits."))
    return int(found[1] or found[2])
