"""The messages of a study: its pictures one by one, its sheet, its plots and its film."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from bot.cards.buttons import picture_buttons, study_view
from bot.cards.card import stand_in, stopped_at
from bot.delivery.messages import Finished, best_of_all, last_record, with_file
from bot.delivery.sender import OutgoingMessage
from bot.delivery.size_fallback import film_fallback, picture_fallback
from bot.post_ledger import LedgerPage
from bot.text.formatting import count, joined, loss
from bot.text.recipe_text import recipe_in_words
from bot.text.sanitise import plain, safe
from bot.text.study_text import tile_alt, tile_at, tile_label
from bot.text.titles import picture_name
from bot.text.translation import N_, _
from engine.contract.events import Done, Snapshot
from engine.contract.models import Job, JobState
from engine.contract.store import Store
from engine.recipe import studies


def tile_message(job: Job, page: LedgerPage, event: Snapshot, png: bytes, limit: int) -> OutgoingMessage:
    """One of its pictures, with the button to go on from it."""
    number, tile = tile_at(job, event.iteration)
    place = _("{number} of {of}", number=number, of=len(job.tiles))
    facts = [f"**{safe(tile_label(job, tile), 80)}**", place, safe(tile.note, 80) if tile.note else ""]
    facts.append(_("loss {loss}", loss=loss(event.loss)))
    return with_file(
        job, page, picture_fallback, png, limit, key=f"snapshot:{event.iteration}", name=f"{event.iteration:05d}",
        text=" · ".join(filter(None, facts)), alt=tile_alt(job, tile),
        view=lambda _: picture_buttons(job.id, event.iteration, last=False), spoiler=job.spoiler,
    )  # fmt: skip


def stopped_message(job: Job, page: LedgerPage, iteration: int, png: bytes, limit: int) -> OutgoingMessage:
    """The picture that was under way when it was stopped."""
    return with_file(
        job, page, picture_fallback, png, limit, key="stopped", text=stopped_at(job, iteration),
        alt=plain(_("The picture that was being painted of {name}", name=picture_name(job.content.name)), 1024),
        view=lambda _: study_view(job.id, JobState.CANCELLED), spoiler=job.spoiler, rings=True,
    )  # fmt: skip


async def finished(job: Job, page: LedgerPage, event: Done, store: Store, limit: int) -> AsyncIterator[Finished]:
    """The sheet, which alone rings, the plots and the film; then what was better, of a strip of one painting."""
    files, run = event.files, await last_record(event, store)
    yield _sheet(job, page, run, await store.get(files["final.png"]), limit), {}
    plots = {"loss": _("**The losses** of all of them")}
    if "time.png" in files:
        plots["time"] = _(
            "**Time against pixels**: to the power of {exponent:.2f}", exponent=run["measured"]["exponent"]
        )
    for key, text in plots.items():
        yield _plot(job, page, await store.get(files[f"{key}.png"]), limit, key=key, text=text), {}
    if "film.webp" in files:
        yield _film(job, page, await store.get(files["film.webp"]), limit), {}
    async for best in best_of_all(job, page, event, store, run, limit=limit):
        yield best


def _sheet(job: Job, page: LedgerPage, run: Mapping[str, Any], png: bytes, limit: int) -> OutgoingMessage:
    owner = page.mentioned
    lines = [f"<@{owner}>"] if owner else []
    lines.append(_("**Done** · {pictures}, in one sheet", pictures=count(len(job.tiles), "picture")))
    lines.append(f"-# {recipe_in_words(job.recipe)} · {_('seed {seed}', seed=job.recipe.seed)}")
    name, labels = picture_name(job.content.name), joined(tile_label(job, tile) for tile in job.tiles)
    lines += [f"-# {measured}"] if (measured := _measured(run)) else []
    lines += [f"-# {stand_in(job)}"] if stand_in(job) else []
    return with_file(
        job, page, picture_fallback, png, limit, key="final", text="\n".join(lines),
        alt=plain(_("Contact sheet of {name}: {labels}", name=name, labels=labels), 1024),
        view=lambda _: study_view(job.id, JobState.DONE), spoiler=job.spoiler, mention=owner, rings=True,
    )  # fmt: skip


def _measured(run: Mapping[str, Any]) -> str:
    found = run["measured"]
    if "same_seed" not in found:
        return ""
    same, other = found["same_seed"], found["other_seeds"]
    return _(
        "mean difference of two paintings: {same:.3g} levels with one seed, {other:.3g} with others",
        same=same, other=other,
    )  # fmt: skip


def _plot(job: Job, page: LedgerPage, png: bytes, limit: int, *, key: str, text: str) -> OutgoingMessage:
    alt = plain(text.replace("*", ""), 1024)
    return with_file(job, page, picture_fallback, png, limit, key=key, text=text, alt=alt)


def _film(job: Job, page: LedgerPage, film: bytes, limit: int) -> OutgoingMessage:
    vary = "" if job.study is None else job.study.vary
    text = {
        studies.FLICKER: N_("**Two films**: one seed again and again, and others"),
        studies.ITERATIONS: N_("**The film** of its making"),
    }.get(vary, N_("**The film**: from one picture to the next"))
    alt = plain(_("Film of the pictures of {name}", name=picture_name(job.content.name)), 1024)
    return with_file(job, page, film_fallback, film, limit, key="film", text=_(text), alt=alt, spoiler=job.spoiler)
