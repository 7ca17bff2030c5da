"""`/impasto servers`: where the bot is, and what each server may, a page at a time, for its owner alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import discord
from discord import ui

from bot.client import Impasto
from bot.interactions.private_view import PrivateView
from bot.text.formatting import count, joined
from bot.text.sanitise import safe
from bot.text.translation import _

_A_PAGE = 10
"""Servers; Discord takes 4,000 characters in such a message."""


class ServerList(PrivateView):
    """The private message with one page of the bot's servers; a new one for each edit."""

    def __init__(self, client: Impasto, lines: Sequence[str], first: int, total: int) -> None:
        super().__init__(client.services.deduplication)
        self._client = client
        self.add_item(ui.TextDisplay("\n".join([f"### {count(total, 'server')}", *lines])))
        self._add_turning(first, _A_PAGE, total, self._turn)
        self.note_open()

    async def _turn(self, interaction: discord.Interaction, first: int) -> None:
        page = await server_page(self._client, first)
        await interaction.edit_original_response(view=page, allowed_mentions=discord.AllowedMentions.none())


async def server_page(client: Impasto, first: int = 0) -> ServerList:
    """The page that begins with the server of that number, the busiest first; the last where there are fewer."""
    under_way = Counter(standing.job.guild for standing in await client.services.backend.jobs.standing())
    guilds = sorted(client.guilds, key=lambda guild: (-under_way[str(guild.id)], guild.name))
    first = max(0, min(first, (len(guilds) - 1) // _A_PAGE * _A_PAGE))
    lines = []
    for guild in guilds[first : first + _A_PAGE]:
        paintings = _("{paintings} under way", paintings=count(under_way[str(guild.id)], "painting"))
        lines.append(f"- {await server_line(client, guild.id)}, {paintings}")
    return ServerList(client, lines, first, len(guilds))


async def server_line(client: Impasto, guild: int) -> str:
    """The line that names a server and what it may."""
    known = client.get_guild(guild)
    allowance = (await client.services.backend.guilds.rules(guild)).allowance
    told = [f"**{safe(known.name, 60)}**" if known else _("a server that I am not in"), f"`{guild}`"]
    told += [_("blocked")] if allowance.blocked else []
    if allowance.guild_jobs:
        told.append(_("at most {paintings} at a time", paintings=count(allowance.guild_jobs, "painting")))
    return joined(told)
