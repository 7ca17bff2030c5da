"""What the buttons do, and who may press them."""

from __future__ import annotations

from typing import Any

import discord

from bot.interactions.replies import reply_private
from bot.cards.buttons import Action
from bot.ledger import LedgerPage
from bot.backend import Backend
from bot.errors import UserError
from bot.requests import follow_ups as wishes
from bot.interactions.modals import SnapshotForm
from bot.interactions.permissions import Destination, may_see
from bot.interactions.submission import Submission
from bot.interactions.deferred import thinking
from bot.requests.follow_ups import Network, PaintRequest
from engine.contract.events import Cancelled, Done
from engine.contract.models import Job, StoredPicture

_STRONGER = 2.0
_EXPIRED = "This painting is no longer kept: start a new one with `/stylize`."


class ButtonActions:
    """One for the whole bot."""

    def __init__(self, backend: Backend, submission: Submission) -> None:
        self._backend, self._submission = backend, submission

    async def press(self, interaction: discord.Interaction[Any], action: Action, job_id: str, iteration: int | None) -> None:
        """Answer a press. Raises `UserError` with what the member is to be told."""
        job, page = await self.find(interaction, job_id)
        match action:
            case Action.CANCEL:
                await self.cancel(interaction, job, page)
            case Action.FROM_HERE:
                picture = page.pictures.get(iteration or 0)
                if picture is None:
                    raise UserError(_EXPIRED)
                await interaction.response.send_modal(SnapshotForm(self, job, page, picture))
            case _:
                await self._submission.take(
                    interaction, lambda network: self._wish(action, job, network), self.place(interaction, page)
                )

    async def find(self, interaction: discord.Interaction[Any], job_id: str) -> tuple[Job, LedgerPage]:
        """The job and its page, if it is the member's own or shown where they are. Raises `UserError`.

        Whoever sees a painting may go on from it; one that is shown elsewhere might as well not exist.
        """
        page, job = await self._backend.ledger.page(job_id), await self._backend.jobs.get(job_id)
        if page is None or job is None or page.forget:
            raise UserError(_EXPIRED)
        if interaction.channel_id not in page.shown and interaction.user.id != page.address.owner:
            raise UserError(_EXPIRED)
        return job, page

    async def cancel(self, interaction: discord.Interaction[Any], job: Job, page: LedgerPage) -> None:
        """By the owner, or a member who may manage messages. Raises `UserError`."""
        mine = interaction.user.id == page.address.owner
        if not mine and not (interaction.guild_id and interaction.permissions.manage_messages):
            raise UserError(
                f"Only <@{page.address.owner}>, who asked for it, or a member with Manage Messages can cancel this."
            )
        async with thinking(self._backend, interaction):
            if await self._backend.jobs.cancel(job.id):
                await reply_private(interaction, "It stops within an iteration; what there is by then is kept.")
            else:
                await reply_private(interaction, "It has ended already.")

    @staticmethod
    def place(interaction: discord.Interaction[Any], page: LedgerPage) -> Destination | None:
        """A child is shown where its parent is; where that is hidden from the member, it is shown here (None)."""
        mine = interaction.user.id == page.address.owner
        if not mine and not may_see(interaction, page.address.channel):
            return None
        return Destination(page.address.channel, page.address.place, page.address.guild)

    async def from_here(
        self, interaction: discord.Interaction[Any], job: Job, page: LedgerPage, picture: str, fields: dict[str, Any]
    ) -> None:
        """Go on from a snapshot, `picture` in the store, with other settings."""
        name = fields.pop("recipe")
        start = StoredPicture(key=picture, name="snapshot", width=job.content.width, height=job.content.height)
        place = self.place(interaction, page)
        await self._submission.take(interaction, lambda _: wishes.from_picture(job, start, name, fields), place)

    async def _wish(self, action: Action, job: Job, network: Network) -> PaintRequest:
        match action:
            case Action.AGAIN:
                return wishes.again(job)
            case Action.SWAP:
                return wishes.swapped(job)
            case Action.STRONGER:
                return wishes.stronger(job, _STRONGER)
            case Action.WEAKER:
                return wishes.stronger(job, 1 / _STRONGER)
        return await self._onward(action, job, network)

    async def _onward(self, action: Action, job: Job, network: Network) -> PaintRequest:
        """What goes on from where the job ended."""
        match action:
            case Action.LARGER:
                return await self._enlarge(job)
            case Action.FINISH:
                return await self._finish(job, network)
        return await self._continue(job)

    async def _continue(self, job: Job) -> PaintRequest:
        match await self._backend.jobs.outcome(job.id):
            case Done() as done:
                return wishes.continued(job, done.files["checkpoint.safetensors"], done.iteration)
            case Cancelled(checkpoint=str(checkpoint)) as stopped:
                return wishes.continued(job, checkpoint, stopped.iteration)
            case Cancelled():
                return wishes.as_it_was(job)
            case None:
                raise UserError("It is still being painted: go on from it when it has ended, or from one of its snapshots.")
        raise UserError("It failed, so there is nothing to go on from: press Again.")

    async def _enlarge(self, job: Job) -> PaintRequest:
        match await self._backend.jobs.outcome(job.id):
            case Done() as done:
                return wishes.larger(job, done.files["checkpoint.safetensors"], done.iteration)
            case None:
                raise UserError("It is still being painted: enlarge it when it has ended.")
        raise UserError("Only a finished painting can be enlarged: press Continue first.")

    async def _finish(self, job: Job, network: Network) -> PaintRequest:
        match await self._backend.jobs.outcome(job.id):
            case Done() as done:
                return wishes.finished(job, done.files["final.png"], network)
            case Cancelled(picture=str(picture)):
                return wishes.finished(job, picture, network)
            case None:
                raise UserError("The draft is still being painted: finish it when it has ended.")
        raise UserError("There is no draft to go on from: press Again.")
