"""The messages of one job: its card, its pictures, its end."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

from bot.cards.buttons import picture_buttons
from bot.cards.card import Card, stand_in
from bot.cards.card_state import CardState
from bot.cards.thumbnails import Thumbnail, marker
from bot.delivery.sender import OutgoingMessage
from bot.delivery.size_fallback import OutgoingFile, SizeFallback, film_fallback
from bot.ledger import LedgerPage
from bot.text.formatting import count, loss
from bot.text.recipe_text import recipe_in_words
from bot.text.titles import alt_text
from engine.contract.events import Snapshot
from engine.contract.models import Job


def card_message(
    job: Job, page: LedgerPage, card_state: CardState, pictures: Sequence[Thumbnail], *, last: bool = False
) -> OutgoingMessage:
    """The card, with its pictures side by side; the `last` one comes in place of one that cannot be edited."""
    files = [OutgoingFile(picture.name, picture.data, "") for picture in pictures]
    names = tuple(file.name for file in files)
    return OutgoingMessage(
        job=job.id,
        key="last-card" if last else "card",
        marker=f"{marker(job.id)}{'last-' if last else 'content'}",
        text=None,
        variants=_only(files),
        view=lambda _: Card(job, page, card_state, names),
        alt=[f"Content: {job.content.name}", *(f"Style: {style.name}" for style in job.styles)],
    )


def snapshot_message(job: Job, page: LedgerPage, event: Snapshot, png: bytes, limit: int) -> OutgoingMessage:
    """A snapshot, with the button to go on from it; a film is gone on from within its first frame alone."""
    stem = f"{marker(job.id)}{event.iteration:05d}"
    goes_on = event.iteration <= job.recipe.frame_ends[0]
    text = f"**Iteration {event.iteration:,}** of {job.recipe.iterations:,} · loss {loss(event.loss)}"
    return OutgoingMessage(
        job=job.id,
        key=f"snapshot:{event.iteration}",
        marker=stem,
        text=lambda note: f"{text}{small_print(note)}",
        variants=one_by_one(SizeFallback(png, stem, limit)),
        view=(lambda _: picture_buttons(job.id, event.iteration, last=False)) if goes_on else None,
        alt=[_alt(job, event.iteration)],
        spoiler=job.spoiler,
        answers=answered_card(page),
    )


def final_message(job: Job, page: LedgerPage, run: dict[str, Any], png: bytes, limit: int) -> OutgoingMessage:
    """The finished picture at full size, with what one can do next; the owner is mentioned if they asked for it."""
    stem = f"{marker(job.id)}final"
    owner = page.address.owner if page.address.mention else None
    last = run["losses"]["rows"][-1][0]
    lines = [
        f"**Done** · {count(job.recipe.iterations, 'iteration')} · loss {loss(float('nan') if last is None else last)}",
        f"-# {recipe_in_words(job.recipe)} · seed {job.recipe.seed} · {run['width']} × {run['height']} px",
    ]
    lines += [f"-# {stand_in(job)}"] if stand_in(job) else []
    text = "\n".join([*([f"<@{owner}>"] if owner else []), *lines])
    return OutgoingMessage(
        job=job.id,
        key="final",
        marker=stem,
        text=lambda note: f"{text}{small_print(note)}",
        variants=one_by_one(SizeFallback(png, stem, limit)),
        view=lambda _: picture_buttons(job.id, job.recipe.iterations, last=True, draft=job.draft_of is not None),
        alt=[_alt(job, job.recipe.iterations)],
        spoiler=job.spoiler,
        mention=owner,
        rings=True,
        answers=answered_card(page),
    )


def loss_message(job: Job, page: LedgerPage, plot: bytes, limit: int) -> OutgoingMessage:
    """The loss curve; a message of its own, for beside another picture Discord cuts it to a square."""
    stem = f"{marker(job.id)}loss"
    return OutgoingMessage(
        job=job.id,
        key="loss",
        marker=stem,
        text=lambda note: f"**The loss** at each iteration{small_print(note)}",
        variants=one_by_one(SizeFallback(plot, stem, limit)),
        alt=[f"Loss over the iterations of {job.content.name}, on a logarithmic scale"],
        answers=answered_card(page),
    )


def film_message(job: Job, page: LedgerPage, film: bytes, limit: int) -> OutgoingMessage:
    """The film of its making; of an animation, its painted frames."""
    stem = f"{marker(job.id)}film"
    text = "**The film** of its making"
    alt = f"Film of the painting's making over {count(job.recipe.iterations, 'iteration')}"
    if job.recipe.frames > 1:
        text, alt = "**The film**, painted", f"{job.content.name}, painted picture by picture"
    return OutgoingMessage(
        job=job.id,
        key="film",
        marker=stem,
        text=lambda note: f"{text}{small_print(note)}",
        variants=one_by_one(film_fallback(film, stem, limit)),
        alt=[alt],
        spoiler=job.spoiler,
        answers=answered_card(page),
    )


def stopped_message(job: Job, page: LedgerPage, iteration: int, png: bytes, limit: int) -> OutgoingMessage:
    """What there was when it was stopped."""
    stem = f"{marker(job.id)}stopped"
    return OutgoingMessage(
        job=job.id,
        key="stopped",
        marker=stem,
        text=lambda note: f"**Stopped** at iteration {iteration:,} of {job.recipe.iterations:,}{small_print(note)}",
        variants=one_by_one(SizeFallback(png, stem, limit)),
        view=lambda _: picture_buttons(job.id, iteration, last=True, draft=job.draft_of is not None),
        alt=[_alt(job, iteration)],
        spoiler=job.spoiler,
        rings=True,
        answers=answered_card(page),
    )


def last_record(blob: bytes) -> dict[str, Any]:
    """The run.json of a finished painting."""
    record: dict[str, Any] = json.loads(blob)
    return record


def answered_card(page: LedgerPage) -> int | None:
    """The card that the message answers, where no thread opens."""
    return page.card if page.address.place == "replies" else None


def _alt(job: Job, iteration: int) -> str:
    return alt_text(iteration, job.recipe.iterations, job.content.name, [style.name for style in job.styles])


def small_print(note: str) -> str:
    """On a line of its own; nothing where there is none."""
    return f"\n-# {note}" if note else ""


async def _only(files: Sequence[OutgoingFile]) -> AsyncIterator[Sequence[OutgoingFile]]:
    yield files


async def one_by_one(fallback: AsyncIterator[OutgoingFile]) -> AsyncIterator[Sequence[OutgoingFile]]:
    """The variants of a message with one file."""
    async for file in fallback:
        yield (file,)
