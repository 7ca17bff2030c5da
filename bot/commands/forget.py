"""`/forget`: a member's pictures and jobs are deleted."""

from __future__ import annotations

from discord import app_commands

from bot.backend import Backend
from bot.client import Interaction
from bot.commands.contexts import usable_everywhere
from bot.interactions.replies import reply_private
from bot.post_ledger import LedgerPage
from bot.text.formatting import count
from bot.text.translation import _


@app_commands.command()
@usable_everywhere
async def forget(interaction: Interaction) -> None:
    """Delete all my pictures, paintings and saved styles: here, in their threads, and from the store."""
    services = interaction.client.services
    async with services.deferred.acknowledged(interaction):
        pages = await _pages(services.backend, interaction.user.id)
        asked_before = any(page.forget for page in pages.values() if page)
        left = sum(page.messages for page in pages.values() if page)
        await services.backend.ledger.forget(*pages)
        for job in pages:
            services.dispatcher.open(job)
        # Only now: what goes wrong here must not keep the paintings.
        styles = await services.backend.styles.forget(str(interaction.user.id))
        too = _("Your {styles}: deleted.", styles=count(styles, "saved style")) if styles else ""
        if not pages:
            await reply_private(interaction, too or _("I keep nothing of yours."))
            return
        paintings, messages = count(len(pages), "painting"), count(left, "message")
        what = _("Your {paintings} and all their pictures are being deleted.", paintings=paintings)
        if asked_before:
            what = _(
                "Your {paintings} and all their pictures are being deleted; left on Discord: {messages}.",
                paintings=paintings, messages=messages,
            )  # fmt: skip
        await reply_private(interaction, f"{what} {too}".rstrip())


async def _pages(backend: Backend, member: int) -> dict[str, LedgerPage | None]:
    """The ledger's pages of the member's jobs, and of expired ones whose messages have not expired."""
    jobs = await backend.jobs.of_user(str(member))
    pages = await backend.ledger.pages(*jobs, *await backend.ledger.of_owner(member))
    # A page without a message, of no known job, is of a request that is just being accepted.
    return {job: page for job, page in pages.items() if job in jobs or (page and (page.messages or page.stopped))}
