"""The messages of one job: its card, its pictures, its end."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from bot.cards.buttons import Action, JobButton, failed_buttons, picture_buttons
from bot.cards.card import Card, again_anew, alt_texts, stand_in, stopped_at
from bot.cards.card_state import CardState, final_state
from bot.cards.thumbnails import Thumbnail, marker
from bot.delivery.sender import OutgoingMessage
from bot.delivery.size_fallback import OutgoingFile, film_fallback, picture_fallback
from bot.post_ledger import LedgerPage
from bot.text.formatting import count, loss
from bot.text.recipe_text import recipe_in_words
from bot.text.titles import alt_text, picture_name
from bot.text.translation import _, speaking, stored
from engine.contract.events import Best, Cancelled, Done, Failed, Snapshot
from engine.contract.models import Job, JobState
from engine.contract.store import Store

Finished = tuple[OutgoingMessage, dict[str, str]]
"""One of the last messages, and what the ledger's page notes of its picture, to go on from it."""


def card_message(
    job: Job, page: LedgerPage, card_state: CardState, pictures: Sequence[Thumbnail], *, last: bool = False
) -> OutgoingMessage:
    """The card, with its pictures side by side; the `last` one comes in place of one that cannot be edited.

    The first one alone can be cancelled, where it has no pictures to be found by.
    """
    files = [OutgoingFile(picture.name, picture.data, "") for picture in pictures]
    names = tuple(file.name for file in files)
    first = names[0] if names else JobButton(Action.CANCEL, job.id).custom_id
    return OutgoingMessage(
        job=job.id,
        key="last-card" if last else "card",
        marker=again_anew(job.id).custom_id if last else first,
        text=None,
        variants=_only(files),
        view=lambda _: Card(job, page, card_state, names, anew=last),
        alt=alt_texts(job),
    )


def snapshot_message(job: Job, page: LedgerPage, event: Snapshot, png: bytes, limit: int) -> OutgoingMessage:
    """A snapshot, with the button to go on from it; a film is gone on from within its first frame alone."""
    goes_on = event.iteration <= job.recipe.frame_ends[0]
    text = _(
        "**Iteration {iteration:,}** of {of:,} · loss {loss}",
        iteration=event.iteration, of=job.recipe.iterations, loss=loss(event.loss),
    )  # fmt: skip
    view = (lambda _: picture_buttons(job.id, event.iteration, last=False)) if goes_on else None
    return with_file(
        job, page, picture_fallback, png, limit, key=f"snapshot:{event.iteration}", name=f"{event.iteration:05d}",
        text=text, alt=_alt(job, event.iteration), view=view, spoiler=job.spoiler,
    )  # fmt: skip


def best_message(job: Job, page: LedgerPage, best: Best, png: bytes, limit: int) -> OutgoingMessage:
    """The best picture so far, with the button to go on from it; where the painting gets no better any more."""
    at = best.iteration
    text = _("**The best so far**, of iteration {iteration:,} · loss {loss}", iteration=at, loss=loss(best.loss))
    return with_file(
        job, page, picture_fallback, png, limit, key=f"best:{at}", name=f"best-{at:05d}",
        text=text, alt=_alt(job, at),
        view=lambda _: picture_buttons(job.id, at, last=False), spoiler=job.spoiler,
    )  # fmt: skip


def best_link(page: LedgerPage) -> str:
    """To the newest message with a best picture; empty where there is none."""
    posted = [int(key.removeprefix("best:")) for key in page.posts if key.startswith("best:")]
    if not posted:
        return ""
    message = page.posts[f"best:{max(posted)}"]
    return f"https://discord.com/channels/{page.address.guild or '@me'}/{page.channel}/{message}"


def last_state(event: Done | Failed | Cancelled, page: LedgerPage, kept_until: int | None) -> CardState:
    """What the card of a job shows that has ended."""
    told, left_out = (event.note, event.left_out) if isinstance(event, Done) else ("", "")
    with speaking(page.language):  # as one, they are known to no catalogue
        note = " ".join(filter(None, map(stored, [told, left_out, page.left_out])))
    best = best_link(page) if told else ""
    return dataclasses.replace(final_state(event, page.stopped), note=note, best=best, kept_until=kept_until)


async def finished(job: Job, page: LedgerPage, event: Done, store: Store, limit: int) -> AsyncIterator[Finished]:
    """The final picture, the loss curve, the film where there is one; then what was better, where that is kept."""
    files, record = event.files, await last_record(event, store)
    final = final_message(job, page, record, await store.get(files["final.png"]), limit)
    yield final, {f"at:{event.iteration}": files["final.png"]}
    yield loss_message(job, page, await store.get(files["loss.png"]), limit), {}
    if "film.webp" in files:
        yield film_message(job, page, await store.get(files["film.webp"]), limit), {}
    async for best in best_of_all(job, page, event, store, record, limit=limit):
        yield best


async def best_of_all(
    job: Job, page: LedgerPage, event: Done, store: Store, record: dict[str, Any], *, limit: int
) -> AsyncIterator[Finished]:
    """The best picture, where the painting ended no better than it was before; `record` is its run.json."""
    if kept := record.get("best"):
        best = Best(iteration=kept["iteration"], picture=event.files["best.png"], loss=kept["loss"])
        png = await store.get(best.picture)
        yield best_message(job, page, best, png, limit), {f"at:{best.iteration}": best.picture}


def final_message(job: Job, page: LedgerPage, run: dict[str, Any], png: bytes, limit: int) -> OutgoingMessage:
    """The finished picture at full size, with what one can do next; the owner is mentioned if they asked for it."""
    owner = page.mentioned
    last = run["losses"]["rows"][-1][0]
    ended = _("loss {loss}", loss=loss(float("nan") if last is None else last))
    seed = _("seed {seed}", seed=job.recipe.seed)
    lines = [
        " · ".join([_("**Done**"), count(job.recipe.iterations, "iteration"), ended]),
        f"-# {recipe_in_words(job.recipe)} · {seed} · {run['width']} × {run['height']} px",
    ]
    lines += [f"-# {stand_in(job)}"] if stand_in(job) else []
    text = "\n".join([*([f"<@{owner}>"] if owner else []), *lines])
    return with_file(
        job, page, picture_fallback, png, limit, key="final", text=text, alt=_alt(job, job.recipe.iterations),
        view=lambda _: picture_buttons(job.id, job.recipe.iterations, last=True, draft=job.draft_of is not None),
        spoiler=job.spoiler, mention=owner, rings=True,
    )  # fmt: skip


def loss_message(job: Job, page: LedgerPage, plot: bytes, limit: int) -> OutgoingMessage:
    """The loss curve; a message of its own, for beside another picture Discord cuts it to a square."""
    return with_file(
        job, page, picture_fallback, plot, limit, key="loss", text=_("**The loss** at each iteration"),
        alt=_("Loss over the iterations of {name}, on a logarithmic scale", name=picture_name(job.content.name)),
    )  # fmt: skip


def film_message(job: Job, page: LedgerPage, film: bytes, limit: int) -> OutgoingMessage:
    """The film of its making; of an animation, its painted frames."""
    text = _("**The film** of its making")
    alt = _("Film of the painting's making over {iterations}", iterations=count(job.recipe.iterations, "iteration"))
    if job.recipe.frames > 1:
        text = _("**The film**, painted")
        alt = _("{name}, painted picture by picture", name=picture_name(job.content.name))
    return with_file(job, page, film_fallback, film, limit, key="film", text=text, alt=alt, spoiler=job.spoiler)


def stopped_message(job: Job, page: LedgerPage, iteration: int, png: bytes, limit: int) -> OutgoingMessage:
    """The message with the picture that there was when the painting was stopped."""
    return with_file(
        job, page, picture_fallback, png, limit, key="stopped", text=stopped_at(job, iteration),
        alt=_alt(job, iteration),
        view=lambda _: picture_buttons(
            job.id, iteration, last=True, draft=job.draft_of is not None, state=JobState.CANCELLED
        ),
        spoiler=job.spoiler, rings=True,
    )  # fmt: skip


def failed_message(job: Job, page: LedgerPage, event: Failed) -> OutgoingMessage:
    """Why there is no picture; the owner is mentioned if they asked for it.

    Its button names the iteration, as no card's does, so that the message can be told from a card.
    """
    owner = page.mentioned
    lines = [*([f"<@{owner}>"] if owner else []), _("**It failed**"), stored(event.reason)]
    return OutgoingMessage(
        job=job.id,
        key="failed",
        marker=JobButton(Action.AGAIN, job.id, event.iteration).custom_id,
        text=lambda _: "\n".join(lines),
        variants=_only([]),
        view=lambda _: failed_buttons(job.id, event.iteration),
        mention=owner,
        rings=True,
        answers=_answered(page),
    )


async def last_record(event: Done, store: Store) -> dict[str, Any]:
    """The run.json of what is finished; of long paintings it is large."""
    blob = await store.get(event.files["run.json"])
    record: dict[str, Any] = await asyncio.to_thread(json.loads, blob)
    return record


def with_file(
    job: Job, page: LedgerPage, smaller: Callable[[bytes, str, int], AsyncIterator[OutgoingFile]], file: bytes,
    limit: int, *, key: str, text: str, alt: str, name: str | None = None, **more: Any,
) -> OutgoingMessage:  # fmt: skip
    """A message with one file; it answers the card where no thread opens.

    `smaller` makes variants of the file within the `limit`, in bytes; its `name` is the key unless it has another.
    `more` is as of `OutgoingMessage`.
    """
    stem = f"{marker(job.id)}{name or key}"
    return OutgoingMessage(
        job=job.id,
        key=key,
        marker=stem,
        text=lambda note: f"{text}\n-# {note}" if note else text,
        variants=_one_by_one(smaller(file, stem, limit)),
        alt=[alt],
        answers=_answered(page),
        **more,
    )


def _answered(page: LedgerPage) -> int | None:
    return page.card if page.address.place == "replies" else None


def _alt(job: Job, iteration: int) -> str:
    return alt_text(iteration, job.recipe.iterations, job.content.name, [style.name for style in job.styles])


async def _only(files: Sequence[OutgoingFile]) -> AsyncIterator[Sequence[OutgoingFile]]:
    yield files


async def _one_by_one(fallback: AsyncIterator[OutgoingFile]) -> AsyncIterator[Sequence[OutgoingFile]]:
    async for file in fallback:
        yield (file,)
