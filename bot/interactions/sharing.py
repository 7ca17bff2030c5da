"""What one passes on of a finished painting: its recipe code, and the picture of before and after."""

from __future__ import annotations

import io

import discord

from bot.backend import Backend
from bot.cards.before_and_after import before_and_after
from bot.cards.thumbnails import Broken, marker
from bot.errors import UserError
from bot.interactions.deferred import DeferredInteractions
from bot.interactions.permissions import present
from bot.interactions.replies import reply_private
from bot.ledger import LedgerPage
from bot.text.translation import N_, _, current_language, speaking
from engine.contract.events import Done
from engine.contract.models import Job
from engine.contract.recipe_code import recipe_code
from engine.contract.store import BlobMissing

_CODE_IS = N_(
    "With this line as `/stylize recipe_code:` anybody has this recipe, seed and size for a content of their own. The "
    "style does not travel in it: attach the same picture, or leave it out where it is a saved style of the server."
)


class Sharing:
    """One for the whole bot."""

    def __init__(self, backend: Backend, deferred: DeferredInteractions) -> None:
        self._backend, self._deferred = backend, deferred

    async def tell_code(self, interaction: discord.Interaction, job: Job) -> None:
        """To the member alone, who copies it. Raises `RecipeError`, or `StoreError`."""
        async with self._deferred.acknowledged(interaction):
            code = await recipe_code(self._backend.store, job)
            await reply_private(interaction, f"```\n{code}\n```\n{_(_CODE_IS)}")

    async def show_before_and_after(self, interaction: discord.Interaction, job: Job, page: LedgerPage) -> None:
        """For everybody there, once in each channel; a further press is answered to its member alone.

        Raises `UserError`, or `StoreError`.
        """
        painting = await self._painting(job)
        again = interaction.channel_id in page.shared.values() or not present(interaction)
        async with self._deferred.acknowledged(interaction, ephemeral=again):
            try:
                jpeg = await before_and_after(self._backend.store, job, painting)
            except (BlobMissing, Broken):
                raise UserError(_("The pictures of this painting are no longer kept: press Again.")) from None
            with speaking(current_language() if again else page.language):
                text = "-# " + _("before and after, of painting {id}", id=f"`{job.id}`")
                told = _("On the left the content, on the right the painting that was made of it")
            name = f"{marker(job.id)}before-and-after.jpg"
            file = discord.File(io.BytesIO(jpeg), filename=name, spoiler=job.spoiler, description=told)
            message = await interaction.edit_original_response(content=text, attachments=[file])
            if not again:
                await self._backend.ledger.note(job.id, {f"shared:{message.id}": message.channel.id})

    async def _painting(self, job: Job) -> str:
        """The key of the finished picture. Raises `UserError`."""
        outcome = None if job.study is not None else await self._backend.jobs.outcome(job.id)
        if not isinstance(outcome, Done):
            raise UserError(_("Only a finished painting has a before and after: press this once it is done."))
        return outcome.files["final.png"]
