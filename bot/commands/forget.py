"""`/forget`: a member's pictures and jobs are deleted."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from bot.interactions.replies import whisper
from bot.commands.contexts import everywhere
from bot.interactions.deferred import thinking
from bot.text.recipe_text import count


@app_commands.command()
@everywhere
async def forget(interaction: discord.Interaction[Any]) -> None:
    """Delete all my pictures and paintings: here, in their threads, and from the store."""
    client = interaction.client
    async with thinking(client.desk, interaction):
        jobs = await client.desk.jobs.of_user(str(interaction.user.id))
        if not jobs:
            await whisper(interaction, "I keep nothing of yours.")
            return
        await client.desk.ledger.forget(*jobs)
        for job in jobs:
            client.courier.open(job)
        await whisper(interaction, f"Your {count(len(jobs), 'painting')} and all their pictures are being deleted.")
