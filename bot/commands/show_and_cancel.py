"""`/show` and `/cancel`, for one job."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import discord
from discord import app_commands

from bot.backend import Backend
from bot.cards.card import Card
from bot.cards.card_state import CardState
from bot.cards.thumbnails import Thumbnail, thumbnails
from bot.client import Interaction
from bot.commands.contexts import usable_everywhere
from bot.delivery.messages import best_link, last_state
from bot.discord_api.error_sentences import Verdict, verdict
from bot.discord_api.limits import MOST_CHOICES
from bot.errors import UserError
from bot.interactions.button_actions import EXPIRED
from bot.interactions.guild_rules import check_allowed
from bot.interactions.permissions import check_may_attach, check_showing, present
from bot.interactions.replies import patience, take_back
from bot.post_ledger import LedgerPage
from bot.text.sanitise import plain
from bot.text.translation import N_, _
from engine.contract.events import Done
from engine.contract.models import Job, JobState
from engine.contract.store import StoreError

_STATES = {
    JobState.QUEUED: N_("queued"), JobState.PAINTING: N_("painting"), JobState.DONE: N_("done"),
    JobState.FAILED: N_("failed"), JobState.CANCELLED: N_("cancelled"), JobState.QUARANTINED: N_("quarantined"),
}  # fmt: skip


@app_commands.command()
@usable_everywhere
@app_commands.describe(job="The painting's number, as it stands on its card")
async def show(interaction: Interaction, job: str) -> None:
    """Bring a painting's card back, e.g. after it was deleted or has scrolled away."""
    services = interaction.client.services
    found, page = await services.button_actions.find(interaction, job.strip(), anywhere=True)
    check_showing(interaction, page)
    if interaction.channel_id not in page.shown and present(interaction):
        await _check_posting(interaction)
    async with services.deferred.acknowledged(interaction, ephemeral=False):
        # Before it is to be seen, or a button pressed at once would find a painting that is not shown here.
        if not await services.backend.ledger.note_kept(found.id, {f"brought:{interaction.channel_id}": "1"}):
            raise UserError(_(EXPIRED))
        card_state, card, names = await _bring(interaction, found, page)
    where: dict[str, str | int] = {}  # where the bot cannot follow, it can be shown, but not kept moving
    if present(interaction) and (interaction.guild_id is None or interaction.app_permissions.view_channel):
        where = {"card": card.id, "card_channel": card.channel.id, "card_guild": interaction.guild_id or ""}
        # This one too: where the editor goes back to an older one meanwhile, none is lost, whoever writes last.
        where |= {f"former:{card.id}": card.channel.id, "files": " ".join(names)}
        where |= {f"former:{page.card}": page.card_channel} if page.card else {}
    kept = await services.backend.ledger.note_kept(found.id, where)
    if not kept:
        await take_back(interaction)
    if where:
        services.dispatcher.open(found.id)  # what was forgotten meanwhile is struck off again
    if kept and card_state.open and await services.backend.jobs.outcome(found.id):
        # It ended on the way, and whoever told that on all its cards may not have known of this one.
        await _bring(interaction, found, await services.backend.ledger.page(found.id) or page, seen=True)


async def _check_posting(interaction: Interaction) -> None:
    """The rules that hold for a new painting there. Raises `UserError` or `RedisError`."""
    async with patience(interaction):
        await check_allowed(interaction.client.services.backend.guilds, interaction)
    if interaction.guild_id is not None:
        check_may_attach(interaction)


async def _bring(
    interaction: Interaction, job: Job, page: LedgerPage, *, seen: bool = False
) -> tuple[CardState, discord.InteractionMessage, tuple[str, ...]]:
    """The card as it is at this moment, as the answer; what it shows, and the names of its pictures.

    One that is `seen` already is words alone where the store does not answer. Raises `StoreError` else.
    """
    backend = interaction.client.services.backend
    card_state, painting = await _current_state(backend, job, page)
    try:
        pictures = await thumbnails(backend.store, job, painting)
    except StoreError:
        if not seen:
            raise
        pictures = []
    try:
        card, names = await _answer_with(interaction, job, page, card_state, pictures)
    except discord.HTTPException as error:
        if verdict(error) is Verdict.RETRY:
            raise
        card, names = await _answer_with(interaction, job, page, card_state, ())  # the words at least
    return card_state, card, names


async def _answer_with(
    interaction: Interaction, job: Job, page: LedgerPage, card_state: CardState, pictures: Sequence[Thumbnail]
) -> tuple[discord.InteractionMessage, tuple[str, ...]]:
    """The card as the answer, and the names of its pictures."""
    names = tuple(picture.name for picture in pictures)
    page = dataclasses.replace(page, card_channel=interaction.channel_id or page.card_channel)
    card = await interaction.edit_original_response(
        view=Card(job, page, card_state, names), attachments=[picture.file() for picture in pictures]
    )
    return card, names


async def _current_state(backend: Backend, job: Job, page: LedgerPage) -> tuple[CardState, str | None]:
    """What the job's card shows at this moment, and the key of the painting where it is done."""
    outcome, fields = await backend.jobs.outcome(job.id), await backend.jobs.fields(job.id)
    until = await backend.jobs.kept_until(job.id)
    card_state = (
        last_state(outcome, page, until)
        if outcome
        else CardState(JobState(fields["state"]), int(fields["iteration"]), best=best_link(page))
    )
    return card_state, outcome.files["final.png"] if isinstance(outcome, Done) else None


@app_commands.command()
@usable_everywhere
@app_commands.describe(job="The painting's number, as it stands on its card")
async def cancel(interaction: Interaction, job: str) -> None:
    """Stop a painting of mine; what there is by then is kept."""
    actions = interaction.client.services.button_actions
    found, page = await actions.find(interaction, job.strip())
    await actions.cancel(interaction, found, page)


@show.autocomplete("job")
async def _mine(interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
    """The member's own, newest first."""
    return await _offer(interaction, typed, tuple(JobState))


@cancel.autocomplete("job")
async def _mine_that_run(interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
    """The member's own that can be cancelled, newest first."""
    return await _offer(interaction, typed, (JobState.QUEUED, JobState.PAINTING))


async def _offer(interaction: Interaction, typed: str, states: tuple[JobState, ...]) -> list[app_commands.Choice[str]]:
    backend, choices = interaction.client.services.backend, []
    for job in (await backend.jobs.of_user(str(interaction.user.id)))[: 2 * MOST_CHOICES]:
        state, page = await backend.jobs.state(job), await backend.ledger.page(job)
        if page is None or state not in states:
            continue
        name = f"{plain(page.shown_title, 50)} ({_(_STATES[state])}) {job}"
        if typed.lower() in name.lower():
            choices.append(app_commands.Choice(name=name, value=job))
    return choices[:MOST_CHOICES]
