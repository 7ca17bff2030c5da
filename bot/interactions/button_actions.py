"""What the buttons do, and who may press them."""

from __future__ import annotations

import discord

from bot.backend import Backend
from bot.cards.buttons import Action, JobButton
from bot.errors import UserError
from bot.interactions.deduplication import Deduplication
from bot.interactions.deferred import DeferredInteractions
from bot.interactions.languages import speak_to
from bot.interactions.modals import SnapshotForm, StyleForm
from bot.interactions.permissions import seen_by_everybody
from bot.interactions.replies import patience, reply_private, tell_error
from bot.interactions.sharing import Sharing
from bot.interactions.style_saving import StyleSaving, server_to_save_in, settings_of
from bot.interactions.submission import Submission
from bot.post_ledger import LedgerPage
from bot.requests.follow_ups import FollowUp
from bot.text.translation import N_, _
from engine.contract.models import Job

EXPIRED = N_("This painting is no longer kept: start a new one with `/stylize`.")


class ButtonActions:
    """Does what the job buttons ask for; one for the whole bot."""

    def __init__(
        self,
        backend: Backend,
        deferred: DeferredInteractions,
        deduplication: Deduplication,
        submission: Submission,
        style_saving: StyleSaving,
    ) -> None:
        self._backend, self._deferred = backend, deferred
        self._deduplication, self._submission, self._style_saving = deduplication, submission, style_saving
        self._sharing = Sharing(backend, deferred)

    async def answer(self, interaction: discord.Interaction, button: JobButton) -> None:
        """Do what the button says, once, or tell the member why not. Never raises."""
        speak_to(interaction)
        if not self._deduplication.first(interaction.id):
            return
        try:
            await self._run(interaction, button.action, button.job, button.iteration)
        except Exception as error:
            await tell_error(interaction, error, job=button.job)

    async def _run(self, interaction: discord.Interaction, action: Action, job_id: str, iteration: int | None) -> None:
        job, page = await self.find(interaction, job_id)
        match action:
            case Action.CANCEL:
                await self.cancel(interaction, job, page)
            case Action.FROM_HERE:
                picture = page.pictures.get(iteration or 0)
                if picture is None:
                    raise UserError(_(EXPIRED))
                part = job.part_of(iteration or 0)  # a study's picture is gone on from as the painting that it is
                form = SnapshotForm(self._submission, self._deduplication, part, page, picture)
                await interaction.response.send_modal(form)
            case Action.CODE:
                await self._sharing.tell_code(interaction, job)
            case Action.SAVE:
                server_to_save_in(interaction)
                saving = StyleForm(self._style_saving, self._deduplication, job.styles, settings_of(job))
                await interaction.response.send_modal(saving)
            case Action.SHARE:
                await self._sharing.show_before_and_after(interaction, job)
            case Action.FILM:
                await self._sharing.show_short_film(interaction, job)
            case _:
                await self._submission.submit(interaction, FollowUp(action, job), page)

    async def find(
        self, interaction: discord.Interaction, job_id: str, *, anywhere: bool = False
    ) -> tuple[Job, LedgerPage]:
        """The job and its page, if it is the member's own or shown where they are. Raises `UserError` or `RedisError`.

        Whoever sees a painting may go on from it; one that is shown elsewhere might as well not exist, unless it may be
        `anywhere` in this server where everybody sees it.
        """
        async with patience(interaction):
            page, job = await self._backend.ledger.page(job_id), await self._backend.jobs.get(job_id)
        if page is None or job is None or page.forget:
            raise UserError(_(EXPIRED))
        mine, here = interaction.user.id == page.address.owner, interaction.channel_id in page.shown
        if not (mine or here or (anywhere and seen_by_everybody(interaction, page))):
            raise UserError(_(EXPIRED))
        return job, page

    async def cancel(self, interaction: discord.Interaction, job: Job, page: LedgerPage) -> None:
        """By the owner, or a member who may manage messages. Raises `UserError`."""
        mine = interaction.user.id == page.address.owner
        if not mine and not (interaction.guild_id and interaction.permissions.manage_messages):
            owner = f"<@{page.address.owner}>"
            raise UserError(
                _("Only {owner}, who asked for it, or a member with Manage Messages can cancel this.", owner=owner)
            )
        async with self._deferred.acknowledged(interaction):
            if await self._backend.jobs.cancel(job.id):
                await reply_private(interaction, _("It stops within an iteration; what there is by then is kept."))
            else:
                await reply_private(interaction, _("It has ended already."))
