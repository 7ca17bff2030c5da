"""What workers draw in the pictures of a job, in the language of its place."""

from __future__ import annotations

from bot.text.study_text import tile_label
from bot.text.translation import ENGLISH, _, current_language, label, number, pgettext, stored
from engine.contract.drawn_texts import NUMBER, TEXTS, WEIGHTS_NOTES
from engine.contract.models import Job
from engine.recipe import studies

DRAWN = "drawn"
"""Context of these messages."""
WITHOUT_LETTERS = ("ja",)
"""Languages whose letters the font of plots and sheets has not: there they stay English."""


def drawn_texts(job: Job) -> dict[str, str]:
    """From English to the current language; empty where they stay English."""
    if current_language() in {ENGLISH, *WITHOUT_LETTERS}:
        return {}
    told = {text: pgettext(DRAWN, text) for text in TEXTS} | {NUMBER: number(1234.5, ",.1f")}
    told |= {note: stored(note) for note in WEIGHTS_NOTES}
    if job.study is not None:
        title = studies.KINDS[job.study.vary].title
        told[title] = label(title)
        told |= {tile.note: label(tile.note) for tile in job.tiles if tile.note}
        told |= {tile.label: tile_label(job, tile) for tile in job.tiles}
    return told


def drawn_words(*words: str) -> list[str]:
    """What the bot itself draws, in the current language; in English where that has no letters."""
    return [*words] if current_language() in WITHOUT_LETTERS else [_(word) for word in words]
