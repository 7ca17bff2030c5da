"""`/forget`: a member's pictures and jobs are deleted."""

from __future__ import annotations

from discord import app_commands

from bot.client import Interaction
from bot.commands.contexts import usable_everywhere
from bot.interactions.replies import reply_private
from bot.text.formatting import count


@app_commands.command()
@usable_everywhere
async def forget(interaction: Interaction) -> None:
    """Delete all my pictures and paintings: here, in their threads, and from the store."""
    services = interaction.client.services
    async with services.deferred.acknowledged(interaction):
        jobs = await services.backend.jobs.of_user(str(interaction.user.id))
        if not jobs:
            await reply_private(interaction, "I keep nothing of yours.")
            return
        await services.backend.ledger.forget(*jobs)
        for job in jobs:
            services.dispatcher.open(job)
        await reply_private(
            interaction, f"Your {count(len(jobs), 'painting')} and all their pictures are being deleted."
        )
