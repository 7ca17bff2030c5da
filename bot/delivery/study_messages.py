"""The messages of a study: its pictures one by one, its sheet, its plots and its film."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bot.cards.buttons import picture_buttons, study_view
from bot.cards.card import stand_in
from bot.delivery.messages import stopped_at, with_file
from bot.delivery.sender import OutgoingMessage
from bot.delivery.size_fallback import SizeFallback, film_fallback
from bot.ledger import LedgerPage
from bot.text.formatting import count, loss
from bot.text.recipe_text import recipe_in_words
from bot.text.sanitise import plain, safe
from bot.text.study_text import tile_alt, tile_at
from engine.contract.events import Snapshot
from engine.contract.models import Job, JobState
from engine.recipe import studies

FILES = ("final.png", "loss.png", "time.png", "film.webp", "run.json")
"""Of a finished study: what its last messages are made of."""


def tile_message(job: Job, page: LedgerPage, event: Snapshot, png: bytes, limit: int) -> OutgoingMessage:
    """One of its pictures, with the button to go on from it."""
    number, tile = tile_at(job, event.iteration)
    facts = [f"**{safe(tile.label, 80)}**", f"{number} of {len(job.tiles)}", safe(tile.note, 80) if tile.note else ""]
    return with_file(
        job, page, SizeFallback, png, limit, key=f"snapshot:{event.iteration}", name=f"{event.iteration:05d}",
        text=" · ".join([*filter(None, facts), f"loss {loss(event.loss)}"]), alt=tile_alt(job, tile),
        view=lambda _: picture_buttons(job.id, event.iteration, last=False), spoiler=job.spoiler,
    )  # fmt: skip


def stopped_message(job: Job, page: LedgerPage, iteration: int, png: bytes, limit: int) -> OutgoingMessage:
    """The picture that was under way when it was stopped."""
    return with_file(
        job, page, SizeFallback, png, limit, key="stopped", text=stopped_at(job, iteration),
        alt=plain(f"The picture that was being painted of {job.content.name}", 1024),
        view=lambda _: study_view(job.id, JobState.CANCELLED), spoiler=job.spoiler, rings=True,
    )  # fmt: skip


def final_messages(job: Job, page: LedgerPage, files: Mapping[str, bytes], limit: int) -> list[OutgoingMessage]:
    """The sheet, which alone rings, then the plots and the film."""
    assert job.study is not None  # noqa: S101 - only studies come here
    run: dict[str, Any] = json.loads(files["run.json"])
    plots = [_plot(job, page, files["loss.png"], limit, key="loss", text="**The losses** of all of them")]
    if "time.png" in files:
        told = f"**Time against pixels**: to the power of {run['measured']['exponent']:.2f}"
        plots.append(_plot(job, page, files["time.png"], limit, key="time", text=told))
    films = [_film(job, page, files["film.webp"], limit)] if "film.webp" in files else []
    return [_sheet(job, page, run, files["final.png"], limit), *plots, *films]


def _sheet(job: Job, page: LedgerPage, run: Mapping[str, Any], png: bytes, limit: int) -> OutgoingMessage:
    owner = page.address.owner if page.address.mention else None
    lines = [f"<@{owner}>"] if owner else []
    lines.append(f"**Done** · {count(len(job.tiles), 'picture')}, in one sheet")
    lines.append(f"-# {recipe_in_words(job.recipe)} · seed {job.recipe.seed}")
    lines += [f"-# {measured}"] if (measured := _measured(run)) else []
    lines += [f"-# {stand_in(job)}"] if stand_in(job) else []
    return with_file(
        job, page, SizeFallback, png, limit, key="final", text="\n".join(lines),
        alt=plain(f"Contact sheet of {job.content.name}: {', '.join(tile.label for tile in job.tiles)}", 1024),
        view=lambda _: study_view(job.id, JobState.DONE), spoiler=job.spoiler, mention=owner, rings=True,
    )  # fmt: skip


def _measured(run: Mapping[str, Any]) -> str:
    found = run["measured"]
    if "same_seed" not in found:
        return ""
    same, other = found["same_seed"], found["other_seeds"]
    return f"mean difference of two paintings: {same:.3g} levels with one seed, {other:.3g} with others"


def _plot(job: Job, page: LedgerPage, png: bytes, limit: int, *, key: str, text: str) -> OutgoingMessage:
    alt = plain(text.replace("*", ""), 1024)
    return with_file(job, page, SizeFallback, png, limit, key=key, text=text, alt=alt)


def _film(job: Job, page: LedgerPage, film: bytes, limit: int) -> OutgoingMessage:
    vary = "" if job.study is None else job.study.vary
    text = {
        studies.FLICKER: "**Two films**: one seed again and again, and others",
        studies.ITERATIONS: "**The film** of its making",
    }.get(vary, "**The film**: from one picture to the next")
    alt = plain(f"Film of the pictures of {job.content.name}", 1024)
    return with_file(job, page, film_fallback, film, limit, key="film", text=text, alt=alt, spoiler=job.spoiler)
