"""The walk from an interaction to a job: place, checks, pictures, queue, and the answer that says where to look."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import discord

from bot.interactions.replies import tell_error, reply_private
from bot.cards.card_state import CardState
from bot.cards.thumbnails import thumbnails
from bot.delivery import messages
from bot.delivery.sender import Sender, Undeliverable
from bot.backend import Backend
from bot.errors import UserError
from bot.requests.admission import Admission
from bot.interactions.permissions import Destination, closed, destination_of
from bot.interactions.deferred import thinking
from bot.requests.follow_ups import Network, PaintRequest
from engine.contract.models import Job

Wishing = Callable[[Network], Awaitable[PaintRequest] | PaintRequest]
"""Makes the wish, given the network in use; may raise `UserError` or `RecipeError`."""


class Submission:
    """Takes wishes from interactions; one for the whole bot."""

    def __init__(
        self, backend: Backend, admission: Admission, sender: Sender, opening: Callable[[str], Awaitable[None]]
    ) -> None:
        """`opening` posts the card and opens the thread of a job that was accepted."""
        self._backend, self._admission, self._sender, self._opening = backend, admission, sender, opening

    async def take(
        self, interaction: discord.Interaction[Any], wishing: Wishing, place: Destination | None = None
    ) -> Job | None:
        """Answer the interaction; the job, or None when it was refused."""
        async with thinking(self._backend, interaction):
            try:
                place = place or await destination_of(interaction)
                network = await self._admission.network()
                if network is None:
                    raise UserError("No worker has started here yet, and I paint with its weights: try again in a minute.")
                request = wishing(network)
                request = request if isinstance(request, PaintRequest) else await request
                self._admission.check(request)
                if place.by_dm:
                    await reply_private(interaction, "I am no member here: the painting comes by direct message.")
                job_id, owner = str(interaction.id), interaction.user.id
                opening = self._open_by_dm(place) if place.by_dm else None
                job = await self._admission.take(job_id, owner, place, request, opening)
                await self._opening(job.id)
                await reply_private(interaction, await self._where(job, place))
                return job
            except Exception as error:
                await tell_error(interaction, error)
                return None

    def _open_by_dm(self, place: Destination) -> Callable[[Job], Awaitable[None]]:
        """Post the card before the job is queued: only a message shows whether the member takes them."""

        async def post(job: Job) -> None:
            page = await self._backend.ledger.page(job.id)
            assert page is not None  # noqa: S101 - it has just been opened
            pictures = await thumbnails(self._backend.store, job)
            draft = drafts.card_message(job, page, CardState(), pictures)
            try:
                card = await self._sender.send(place.channel, draft, look_first=False)
            except Undeliverable as error:
                raise UserError(closed()) from error
            files = " ".join(picture.name for picture in pictures)
            await self._backend.ledger.note(job.id, {"card": card, "files": files})

        return post

    async def _where(self, job: Job, place: Destination) -> str:
        page = await self._backend.ledger.page(job.id)
        if page is not None and page.stopped:
            return page.stopped
        if place.by_dm:
            return f"Accepted: watch it in <#{place.channel}>, our direct messages."
        return f"Accepted: watch it in <#{page.thread}>." if page and page.thread else "Accepted: watch it below."
