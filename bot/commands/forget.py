"""`/forget`: a member's pictures and jobs are deleted."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from bot.cards.answers import acknowledge, whisper
from bot.commands.everywhere import everywhere
from bot.words import count


@app_commands.command()
@everywhere
async def forget(interaction: discord.Interaction[Any]) -> None:
    """Delete all my pictures and paintings: here, in their threads, and from the store."""
    await acknowledge(interaction)
    client = interaction.client
    jobs = await client.desk.jobs.of_user(str(interaction.user.id))
    for job in jobs:
        await client.desk.ledger.note(job, {"forget": 1})
        await client.desk.jobs.cancel(job)
        client.courier.open(job)
    if not jobs:
        await whisper(interaction, "I keep nothing of yours.")
        return
    await whisper(interaction, f"Your {count(len(jobs), 'painting')} and all their pictures are being deleted.")
