"""From an interaction to a job: destination, checks, pictures, queue, and the answer that says where to look."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable

import discord

from bot.backend import Backend
from bot.cards.card_state import CardState
from bot.cards.thumbnails import thumbnails
from bot.delivery import messages
from bot.delivery.deletion import withdraw_card
from bot.delivery.sender import Sender, Undeliverable
from bot.errors import UserError
from bot.interactions.deferred import DeferredInteractions, where_to_look
from bot.interactions.guild_rules import check_allowed
from bot.interactions.languages import public_language
from bot.interactions.permissions import age_restricted, child_destination, destination_of, direct_messages_closed
from bot.interactions.replies import reply_private, tell_error
from bot.interactions.saved_styles import server_of
from bot.post_ledger import LedgerPage
from bot.requests.admission import Admission
from bot.requests.destination import Destination
from bot.requests.follow_ups import shortened
from bot.requests.from_recipe_code import FromCode, note_on_styles
from bot.requests.new_painting import NewPainting
from bot.requests.new_study import NewStudy
from bot.requests.paint_request import MemberRequest
from bot.requests.style_names import with_saved_styles
from bot.requests.unchosen import with_unchosen
from bot.text.translation import _, stored
from engine.contract.models import Job
from engine.process.metrics import WANTING_WORKERS


class Submission:
    """Submits what members ask for; one for the whole bot."""

    def __init__(
        self,
        backend: Backend,
        deferred: DeferredInteractions,
        admission: Admission,
        sender: Sender,
        opening: Callable[[str], Awaitable[None]],
    ) -> None:
        """`opening` posts the card and opens the thread of a job that was accepted."""
        self._backend, self._deferred, self._admission = backend, deferred, admission
        self._sender, self._opening = sender, opening

    async def submit(
        self, interaction: discord.Interaction, asked: MemberRequest, parent: LedgerPage | None = None
    ) -> None:
        """Answer the interaction: where the painting is to be seen, or why not. `parent` is what it comes from."""
        async with self._deferred.acknowledged(interaction):
            try:
                home = None if parent is None else await child_destination(interaction, parent)
                destination = home or await destination_of(interaction)
                job = await self._admit(interaction, asked, destination)
                await self._opening(job.id)
                where = await self._where(job, destination, interaction.channel_id)
                note = await note_on_styles(self._backend.store, asked.code, job) if isinstance(asked, FromCode) else ""
                await reply_private(interaction, " ".join(filter(None, [where, note])))
            except Exception as error:
                await tell_error(interaction, error)

    async def _admit(self, interaction: discord.Interaction, asked: MemberRequest, destination: Destination) -> Job:
        network = await self._admission.network()
        if network is None:
            WANTING_WORKERS.inc()
            raise UserError(_("No worker has started here yet, and I paint with its weights: try again in a minute."))
        rules = await check_allowed(self._backend.guilds, interaction, destination)
        destination = dataclasses.replace(destination, language=public_language(interaction, destination, rules))
        if isinstance(asked, NewPainting | NewStudy | FromCode):
            asked = await with_saved_styles(
                asked, self._backend.styles, server_of(interaction), rules,
                age_restricted=age_restricted(interaction.channel),
            )  # fmt: skip
        if isinstance(asked, NewPainting | NewStudy):
            asked = with_unchosen(asked, rules, network)
        request = shortened(await asked.resolve(network, self._backend.jobs), rules.max_iterations)
        self._admission.check(request, rules)
        if destination.by_dm:
            await reply_private(interaction, _("I am no member here: the painting comes by direct message."))
        job_id, owner = str(interaction.id), interaction.user.id

        async def before_queueing(job: Job) -> None:
            # Somebody may have been blocked while the pictures were fetched.
            await check_allowed(self._backend.guilds, interaction, destination)
            if destination.by_dm:
                await self._open_by_dm(job, destination)

        async def withdraw() -> None:
            await withdraw_card(self._sender.client, self._backend.ledger, job_id)

        return await self._admission.admit(
            job_id, owner, destination, request, rules=rules, before_queueing=before_queueing, withdraw=withdraw
        )

    async def _open_by_dm(self, job: Job, destination: Destination) -> None:
        """Post the card before the job is queued: only a message shows whether the member takes them."""
        page = await self._backend.ledger.page(job.id)
        assert page is not None  # noqa: S101 - it has just been opened
        pictures = await thumbnails(self._backend.store, job)
        message = messages.card_message(job, page, CardState(), pictures)
        try:
            card = await self._sender.send(destination.channel, message, look_first=False)
        except Undeliverable as error:
            raise UserError(direct_messages_closed()) from error
        files = " ".join(picture.name for picture in pictures)
        await self._backend.ledger.note(job.id, {"card": card, "files": files})

    async def _where(self, job: Job, destination: Destination, asked_in: int | None) -> str:
        page = await self._backend.ledger.page(job.id)
        if page is not None and page.stopped:
            return stored(page.stopped)
        if destination.by_dm:
            return _("Accepted: watch it in {place}, our direct messages.", place=f"<#{destination.channel}>")
        return where_to_look(page, asked_in)
