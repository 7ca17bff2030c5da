"""A study in words: what it varies, and which of its pictures is being painted."""

from __future__ import annotations

from bot.text.formatting import count
from bot.text.sanitise import plain, safe
from engine.contract.models import Job
from engine.contract.study import Tile
from engine.recipe import studies


def study_in_words(job: Job) -> list[str]:
    """What is varied, and how many pictures there are; nothing where it is no study."""
    if job.study is None:
        return []
    return [f"{count(len(job.tiles), 'picture')}, varied: {studies.axis(job.study.vary)}"]


def at_tile(job: Job, iteration: int) -> str:
    """Where a painting or a study stands: `picture 2 of 5, style × 0.1 · iteration 45 of 200`."""
    where = f"iteration {iteration:,} of {job.iterations:,}"
    if job.study is None or len(job.study.parts) == 1:
        return where
    number, tile = next(
        ((n, t) for n, t in enumerate(job.tiles, 1) if iteration < t.iteration), (len(job.tiles), job.tiles[-1])
    )
    return f"picture {number} of {len(job.tiles)}, {safe(tile.label, 60)} · {where}"


def tile_at(job: Job, iteration: int) -> tuple[int, Tile]:
    """The tile after exactly this iteration, and its number."""
    return next((number, tile) for number, tile in enumerate(job.tiles, 1) if tile.iteration == iteration)


def tile_alt(job: Job, tile: Tile) -> str:
    """What a tile shows, for those who cannot see it."""
    return plain(f"{tile.label}: {job.content.name} painted in the style of {job.styles[0].name}", 1024)
