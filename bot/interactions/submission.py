"""The walk from an interaction to a job: place, checks, pictures, queue, and the answer that says where to look."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import discord

from bot.interactions.replies import tell_error, whisper
from bot.cards.card_state import Face
from bot.cards.thumbnails import thumbnails
from bot.delivery import messages
from bot.delivery.sender import Postman, Undeliverable
from bot.backend import Desk, Sorry
from bot.requests.admission import Counter
from bot.interactions.permissions import Place, closed, place_of
from bot.interactions.deferred import thinking
from bot.requests.follow_ups import Network, Wish
from engine.contract.models import Job

Wishing = Callable[[Network], Awaitable[Wish] | Wish]
"""Makes the wish, given the network in use; may raise `Sorry` or `RecipeError`."""


class Taking:
    """Takes wishes from interactions; one for the whole bot."""

    def __init__(
        self, desk: Desk, counter: Counter, postman: Postman, opening: Callable[[str], Awaitable[None]]
    ) -> None:
        """`opening` posts the card and opens the thread of a job that was accepted."""
        self._desk, self._counter, self._postman, self._opening = desk, counter, postman, opening

    async def take(
        self, interaction: discord.Interaction[Any], wishing: Wishing, place: Place | None = None
    ) -> Job | None:
        """Answer the interaction; the job, or None when it was refused."""
        async with thinking(self._desk, interaction):
            try:
                place = place or await place_of(interaction)
                network = await self._counter.network()
                if network is None:
                    raise Sorry("No worker has started here yet, and I paint with its weights: try again in a minute.")
                wish = wishing(network)
                wish = wish if isinstance(wish, Wish) else await wish
                self._counter.check(wish)
                if place.by_dm:
                    await whisper(interaction, "I am no member here: the painting comes by direct message.")
                job_id, owner = str(interaction.id), interaction.user.id
                opening = self._open_by_dm(place) if place.by_dm else None
                job = await self._counter.take(job_id, owner, place, wish, opening)
                await self._opening(job.id)
                await whisper(interaction, await self._where(job, place))
                return job
            except Exception as error:
                await tell_error(interaction, error)
                return None

    def _open_by_dm(self, place: Place) -> Callable[[Job], Awaitable[None]]:
        """Post the card before the job is queued: only a message shows whether the member takes them."""

        async def post(job: Job) -> None:
            page = await self._desk.ledger.page(job.id)
            assert page is not None  # noqa: S101 - it has just been opened
            pictures = await thumbnails(self._desk.store, job)
            draft = drafts.card_draft(job, page, Face(), pictures)
            try:
                card = await self._postman.send(place.channel, draft, look_first=False)
            except Undeliverable as error:
                raise Sorry(closed()) from error
            files = " ".join(picture.name for picture in pictures)
            await self._desk.ledger.note(job.id, {"card": card, "files": files})

        return post

    async def _where(self, job: Job, place: Place) -> str:
        page = await self._desk.ledger.page(job.id)
        if page is not None and page.stopped:
            return page.stopped
        if place.by_dm:
            return f"Accepted: watch it in <#{place.channel}>, our direct messages."
        return f"Accepted: watch it in <#{page.thread}>." if page and page.thread else "Accepted: watch it below."
