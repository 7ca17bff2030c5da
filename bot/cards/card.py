"""The card: the one message in the channel that tells how a painting goes."""

from __future__ import annotations

from typing import Any

import discord
from discord import ui

from bot.cards.buttons import Action, JobButton, card_buttons, sharing_buttons, study_buttons
from bot.cards.card_state import CardState
from bot.post_ledger import LedgerPage
from bot.text.formatting import bar, count, day, duration, joined, loss, relative
from bot.text.recipe_text import recipe_in_words
from bot.text.sanitise import safe
from bot.text.study_text import at_tile, study_in_words
from bot.text.titles import picture_name
from bot.text.translation import N_, _, ngettext, number, speaking, stored
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
    "starter": N_("Painted with our small starter network, not with the pretrained VGG19."),
    "random": N_("Painted with random stand-in weights: a network that was never trained."),
}
CONTENT_ALT, STYLE_ALT = N_("Content: {name}"), N_("Style: {name}")


def stand_in(job: Job) -> str:
    """The label of what was painted without pretrained weights; empty for what was painted with them."""
    if job.draft_of is not None:
        return _("A draft by our small starter network: Finish goes on from it, at {size} px.", size=job.draft_of.size)
    return _(STAND_INS.get(job.recipe.weights, ""))


class Card(ui.LayoutView):
    """A fresh view for each edit: discord.py must never see the same one twice."""

    def __init__(
        self, job: Job, page: LedgerPage, card_state: CardState, pictures: tuple[str, ...], *, anew: bool = False
    ) -> None:
        """`pictures` are the names of the files on the message: the painting once it is done, content, styles.

        One that is posted `anew` is known by its button Again.
        """
        super().__init__(timeout=None)
        with speaking(page.language):
            self.add_item(_box(job, page, card_state, pictures, anew=anew))


def _box(
    job: Job, page: LedgerPage, card_state: CardState, pictures: tuple[str, ...], *, anew: bool
) -> ui.Container[Any]:
    box: ui.Container[Any] = ui.Container(accent_colour=_COLOURS[card_state.state])
    box.add_item(ui.TextDisplay(f"### {safe(page.shown_title, 100)}\n{_status(job, page, card_state)}"))
    for gallery in _galleries(job, pictures):
        box.add_item(gallery)
    box.add_item(ui.TextDisplay(_small_print(job, page, card_state)))
    buttons = _buttons(job, card_state.state)
    if anew:
        buttons = [again_anew(job.id) if button.action is Action.AGAIN else button for button in buttons]
    box.add_item(ui.ActionRow(*buttons))
    if card_state.state is JobState.DONE and job.study is None and job.draft_of is None:
        box.add_item(ui.ActionRow(*sharing_buttons(job.id)))
    return box


def again_anew(job: str) -> JobButton:
    """The button Again of a card that was posted anew; no other message has it."""
    return JobButton(Action.AGAIN, job, anew=True)


def _buttons(job: Job, state: JobState) -> list[JobButton]:
    if job.study is not None:
        return study_buttons(job.id, state)
    return card_buttons(job.id, state, draft=job.draft_of is not None)


def _galleries(job: Job, pictures: tuple[str, ...]) -> list[ui.MediaGallery[Any]]:
    """One gallery, or for a study's sheet one of its own: Discord cuts pictures that stand side by side."""
    shown = list(zip(alt_texts(job), (picture.spoiler for picture in (job.content, *job.styles)), strict=True))
    if len(pictures) > len(shown):
        shown.insert(0, (_("The painting") if job.study is None else _("The sheet"), job.spoiler))
    items = [
        discord.MediaGalleryItem(f"attachment://{file}", description=name[:1024], spoiler=spoiler)
        for file, (name, spoiler) in zip(pictures, shown, strict=False)
    ]
    alone = int(job.study is not None and len(pictures) > len(job.styles) + 1)
    return [ui.MediaGallery(*part) for part in (items[:alone], items[alone:]) if part]


def alt_texts(job: Job) -> list[str]:
    """What the card's pictures of content and styles show, for those who cannot see them."""
    content = _(CONTENT_ALT, name=picture_name(job.content.name))
    return [content, *(_(STYLE_ALT, name=picture_name(style.name)) for style in job.styles)]


def _status(job: Job, page: LedgerPage, card_state: CardState) -> str:
    best = _("[The best picture so far]({link})", link=card_state.best) if card_state.best else ""
    lines = (_headline(job, page, card_state), *_lines(job, card_state), stored(card_state.note), best)
    return "\n".join(line for line in lines if line)


def _headline(job: Job, page: LedgerPage, card_state: CardState) -> str:
    total = count(job.iterations, "iteration") if job.study is None else count(len(job.tiles), "picture")
    match card_state.state:
        case JobState.QUEUED:
            return _("**Waiting** · {place}", place=_place(card_state))
        case JobState.PAINTING:
            return _("**Painting** · {place}", place=at_tile(job, card_state.iteration))
        case JobState.DONE:
            return " · ".join(part for part in (_("**Done**"), total, _where(page)) if part)
        case JobState.CANCELLED:
            return stopped_at(job, card_state.iteration)
    return _("**It failed**")


def stopped_at(job: Job, iteration: int) -> str:
    """The sentence that says how far a stopped job had come."""
    return _("**Stopped** at iteration {iteration:,} of {of:,}", iteration=iteration, of=job.iterations)


def _lines(job: Job, card_state: CardState) -> list[str]:
    if not card_state.open:
        return [stored(card_state.reason)]
    when = _("done {when}", when=relative(card_state.done_at)) if card_state.done_at else ""
    if card_state.state is JobState.QUEUED:
        return [when]
    share = card_state.iteration / job.iterations
    lines = [f"{bar(share)} {number(share, '.0%')}"]
    if card_state.progress is not None:
        p = card_state.progress
        lines.append(
            _("loss {loss} · content {content} · style {style}", loss=loss(p.loss), content=loss(p.content),
              style=loss(p.style))
        )  # fmt: skip
        lines.append(" · ".join(part for part in (_("{rate:.1f} iterations/s", rate=p.rate), when) if part))
    return lines


def _place(card_state: CardState) -> str:
    forecast = card_state.forecast
    if forecast is None or not forecast.ahead:
        return _("it starts in a moment")
    before = ngettext("{n:,} painting before it", "{n:,} paintings before it", forecast.ahead)
    if not forecast.wait:
        return before
    return _("{before}, {duration} until the first stroke", before=before, duration=duration(forecast.wait))


def _where(page: LedgerPage) -> str:
    if page.stopped:
        return ""
    elsewhere = page.thread is not None or page.card_channel != page.channel  # where `/show` has brought the card
    return _("all of it in {place}", place=f"<#{page.channel}>") if elsewhere else _("all of it below")


def _small_print(job: Job, page: LedgerPage, card_state: CardState) -> str:
    recipe = job.recipe
    facts = [*study_in_words(job), recipe_in_words(recipe), _("seed {seed}", seed=recipe.seed)]
    facts.append(_("for {member}", member=f"<@{page.address.owner}>"))
    kept = _("kept until {day}", day=day(card_state.kept_until)) if card_state.kept_until else ""
    which = _("painting {id}", id=f"`{job.id}`")
    lines = [" · ".join(facts), stand_in(job), joined([which, parent_link(job, page), kept])]
    return "\n".join(f"-# {line}" for line in lines if line)


def parent_link(job: Job, page: LedgerPage) -> str:
    """The link to the card of the painting that this one came from; empty where there is none."""
    if job.parent is None:
        return ""
    return _("from {parent}", parent=f"[`{job.parent}`]({page.parent})" if page.parent else f"`{job.parent}`")
