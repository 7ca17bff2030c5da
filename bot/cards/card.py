"""The card: the one message in the channel that tells how a painting goes."""

from __future__ import annotations

from typing import Any

import discord
from discord import ui

from bot.cards.buttons import JobButton, card_buttons, sharing_buttons, study_buttons
from bot.cards.card_state import CardState
from bot.ledger import LedgerPage
from bot.text.formatting import bar, count, day, duration, loss, relative
from bot.text.recipe_text import recipe_in_words
from bot.text.sanitise import safe
from bot.text.study_text import at_tile, study_in_words
from engine.contract.models import Job, JobState

_COLOURS = {
    JobState.QUEUED: discord.Colour(0x8A8F98),
    JobState.PAINTING: discord.Colour(0xD9822B),
    JobState.DONE: discord.Colour(0x3BA55D),
    JobState.CANCELLED: discord.Colour(0x8A8F98),
    JobState.FAILED: discord.Colour(0xD83C3E),
    JobState.QUARANTINED: discord.Colour(0xD83C3E),
}
STAND_INS = {
    "starter": "Painted with our small starter network, not with the pretrained VGG19.",
    "random": "Painted with random stand-in weights: a network that was never trained.",
}


def stand_in(job: Job) -> str:
    """The label of what was painted without pretrained weights; empty for what was painted with them."""
    if job.draft_of is not None:
        return f"A draft by our small starter network: Finish goes on from it, at {job.draft_of.size} px."
    return STAND_INS.get(job.recipe.weights, "")


class Card(ui.LayoutView):
    """A fresh view for each edit: discord.py must never see the same one twice."""

    def __init__(self, job: Job, page: LedgerPage, card_state: CardState, pictures: tuple[str, ...]) -> None:
        """`pictures` are the names of the files on the message: the painting once it is done, content, styles."""
        super().__init__(timeout=None)
        box: ui.Container[Any] = ui.Container(accent_colour=_COLOURS[card_state.state])
        box.add_item(ui.TextDisplay(f"### {safe(page.title, 100)}\n{_status(job, page, card_state)}"))
        if pictures:
            box.add_item(_gallery(job, pictures))
        box.add_item(ui.TextDisplay(_small_print(job, page, card_state)))
        box.add_item(ui.ActionRow(*_buttons(job, card_state.state)))
        if card_state.state is JobState.DONE and job.study is None and job.draft_of is None:
            box.add_item(ui.ActionRow(*sharing_buttons(job.id)))
        self.add_item(box)


def _buttons(job: Job, state: JobState) -> list[JobButton]:
    if job.study is not None:
        return study_buttons(job.id, state)
    return card_buttons(job.id, state, draft=job.draft_of is not None)


def _gallery(job: Job, pictures: tuple[str, ...]) -> ui.MediaGallery[Any]:
    shown = [(f"Content: {job.content.name}", job.content.spoiler)]
    shown += [(f"Style: {style.name}", style.spoiler) for style in job.styles]
    if len(pictures) > len(shown):
        shown.insert(0, ("The painting" if job.study is None else "The sheet", job.spoiler))
    gallery: ui.MediaGallery[Any] = ui.MediaGallery()
    for file, (name, spoiler) in zip(pictures, shown, strict=False):
        gallery.add_item(media=f"attachment://{file}", description=name[:1024], spoiler=spoiler)
    return gallery


def _status(job: Job, page: LedgerPage, card_state: CardState) -> str:
    return "\n".join(
        line for line in (_headline(job, page, card_state), *_lines(job, card_state), card_state.note) if line
    )


def _headline(job: Job, page: LedgerPage, card_state: CardState) -> str:
    total = count(job.iterations, "iteration") if job.study is None else count(len(job.tiles), "picture")
    match card_state.state:
        case JobState.QUEUED:
            return f"**Waiting** · {_place(card_state)}"
        case JobState.PAINTING:
            return f"**Painting** · {at_tile(job, card_state.iteration)}"
        case JobState.DONE:
            return " · ".join(part for part in ("**Done**", total, _where(page)) if part)
        case JobState.CANCELLED:
            return f"**Stopped** at iteration {card_state.iteration:,} of {job.iterations:,}"
    return "**It failed**"


def _lines(job: Job, card_state: CardState) -> list[str]:
    if not card_state.open:
        return [card_state.reason]
    when = f"done {relative(card_state.done_at)}" if card_state.done_at else ""
    if card_state.state is JobState.QUEUED:
        return [when]
    share = card_state.iteration / job.iterations
    lines = [f"{bar(share)} {share:.0%}"]
    if card_state.progress is not None:
        p = card_state.progress
        lines.append(f"loss {loss(p.loss)} · content {loss(p.content)} · style {loss(p.style)}")
        lines.append(" · ".join(part for part in (f"{p.rate:.1f} iterations/s", when) if part))
    return lines


def _place(card_state: CardState) -> str:
    forecast = card_state.forecast
    if forecast is None or not forecast.ahead:
        return "it starts in a moment"
    wait = f", {duration(forecast.wait)} until the first stroke" if forecast.wait else ""
    return f"{count(forecast.ahead, 'painting')} before it{wait}"


def _where(page: LedgerPage) -> str:
    if page.stopped:
        return ""
    return f"all of it in <#{page.thread}>" if page.thread else "all of it below"


def _small_print(job: Job, page: LedgerPage, card_state: CardState) -> str:
    recipe = job.recipe
    facts = [*study_in_words(job), recipe_in_words(recipe), f"seed {recipe.seed}", f"for <@{page.address.owner}>"]
    kept = f", kept until {day(card_state.kept_until)}" if card_state.kept_until else ""
    lines = [" · ".join(facts), stand_in(job), f"painting `{job.id}`" + parent_link(job, page) + kept]
    return "\n".join(f"-# {line}" for line in lines if line)


def parent_link(job: Job, page: LedgerPage) -> str:
    """Where a child came from, as words to put behind its id."""
    if job.parent is None:
        return ""
    if not page.parent:
        return f", from `{job.parent}`"
    return f", from [`{job.parent}`]({page.parent})"
