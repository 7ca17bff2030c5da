"""A study in words: what it varies, and which of its pictures is being painted."""

from __future__ import annotations

from bot.text.formatting import count
from bot.text.sanitise import plain, safe
from bot.text.titles import picture_name
from bot.text.translation import _, label
from engine.contract.models import Job
from engine.contract.study import Tile
from engine.recipe import studies


def study_in_words(job: Job) -> list[str]:
    """What is varied, and how many pictures there are; nothing where it is no study."""
    if job.study is None:
        return []
    pictures, axis = count(len(job.tiles), "picture"), label(studies.KINDS[job.study.vary].axis)
    return [_("{pictures}, varied: {axis}", pictures=pictures, axis=axis)]


def tile_label(job: Job, tile: Tile) -> str:
    """What sets a tile apart; in a study of styles that is a style's name."""
    if job.study is not None and len(job.study.parts) == 1:
        return count(tile.iteration, "iteration")
    return tile.label if job.study is not None and job.study.vary == studies.STYLE else label(tile.label)


def at_tile(job: Job, iteration: int) -> str:
    """Where a painting or a study stands: `picture 2 of 5, style × 0.1 · iteration 45 of 200`."""
    where = _("iteration {iteration:,} of {of:,}", iteration=iteration, of=job.iterations)
    if job.study is None or len(job.study.parts) == 1:
        return where
    number, tile = next(
        ((n, t) for n, t in enumerate(job.tiles, 1) if iteration < t.iteration), (len(job.tiles), job.tiles[-1])
    )
    shown = safe(tile_label(job, tile), 60)
    return _("picture {number} of {of}, {label}", number=number, of=len(job.tiles), label=shown) + f" · {where}"


def tile_at(job: Job, iteration: int) -> tuple[int, Tile]:
    """The tile after exactly this iteration, and its number."""
    return next((number, tile) for number, tile in enumerate(job.tiles, 1) if tile.iteration == iteration)


def tile_alt(job: Job, tile: Tile) -> str:
    """What a tile shows, for those who cannot see it."""
    content, style = picture_name(job.content.name), picture_name(job.styles[0].name)
    told = _(
        "{label}: {content} painted in the style of {style}", label=tile_label(job, tile), content=content, style=style
    )
    return plain(told, 1024)
