"""From what a study varies to its paintings, with their recipes and their pictures in the store."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from PIL import Image

from bot.intake import white_removal
from bot.requests.paint_request import Network
from bot.text.translation import _
from engine.contract.models import Job, StoredPicture
from engine.contract.store import Store
from engine.contract.study import Part, Study
from engine.recipe import studies
from engine.recipe.recipe import Recipe, RecipeError
from engine.recipe.studies import Change, Variant

MakeRecipe = Callable[[Mapping[str, Any]], Recipe]
"""From a recipe's fields to the recipe, by the preset and the weights that were asked for."""

_CHANGES: Mapping[Change, Callable[[bytes], bytes]] = {
    Change.TRIMMED: white_removal.trimmed,
    Change.HALF_TONED: lambda png: white_removal.toned(png, 0.5),
    Change.TONED: lambda png: white_removal.toned(png, 1.0),
    Change.MASKED: white_removal.mask,
}
"""What is done to each style; what comes of the last is the style's mask."""


def recipe_maker(name: str, weights: str, architecture: str | None) -> MakeRecipe:
    """By the preset of this name, for these weights; without an `architecture`, the one that they usually have."""
    return partial(Network(weights, architecture).recipe, name)


def recipes(
    vary: str, given: Mapping[str, Any], make: MakeRecipe, styles: Sequence[str]
) -> list[tuple[Variant, Recipe]]:
    """The study's paintings; `styles` are the styles' names. Raises `RecipeError`."""
    if vary == studies.STYLE and len(styles) < 2:
        raise RecipeError(_("A study of styles needs two of them, or more."))
    base = make(given)
    return [
        (variant, make({**given, "snapshots": (), **variant.fields}))
        for variant in studies.variants(vary, base, given, styles)
    ]


async def with_study(job: Job, vary: str, given: Mapping[str, Any], make: MakeRecipe, store: Store) -> Job:
    """The job as a study; pictures that it changes are stored in its folder. Raises `RecipeError`."""
    variants = recipes(vary, given, make, [style.name.rpartition(".")[0] or style.name for style in job.styles])
    if any(variant.change is Change.MASKED for variant, _ in variants):
        await _check_white([await store.get(style.key) for style in job.styles])
    parts = []
    for variant, recipe in variants:
        part = await _part(job, variant, recipe, store)
        if variant.change is not Change.TRIMMED or part.styles != job.styles:  # without a margin it is the first again
            parts.append(part)
    return job.model_copy(update={"study": Study(vary=vary, fields=dict(given), parts=tuple(parts))})


async def _check_white(styles: Sequence[bytes]) -> None:
    """Raises `RecipeError` where less of it would be the same, or nothing."""
    if not any([await asyncio.to_thread(white_removal.has_white, style) for style in styles]):
        raise RecipeError(_("There is no white in the style: nothing to study."))
    for style in styles:
        if await asyncio.to_thread(white_removal.all_white, style):
            raise RecipeError(
                _("The style is white all over, and without its white nothing is left: give another one.")
            )


async def with_copied_pictures(job: Job, study: Study, copy: Callable[[str, str], Awaitable[str]]) -> Job:
    """The job with the paintings of an earlier study, whose pictures are copied into the job's own folder."""
    copied: dict[str, str] = {}

    async def own(picture: StoredPicture) -> StoredPicture:
        if picture.key not in copied:
            copied[picture.key] = await copy(picture.key, f"jobs/{job.id}/study-{len(copied)}.png")
        return picture.model_copy(update={"key": copied[picture.key]})

    parts = [
        part.model_copy(update={
            "content": await own(part.content),
            "styles": tuple([await own(style) for style in part.styles]),
            "content_masks": tuple([await own(mask) for mask in part.content_masks]),
            "style_masks": tuple([await own(mask) for mask in part.style_masks]),
        }) for part in study.parts
    ]  # fmt: skip
    return job.model_copy(update={"study": study.model_copy(update={"parts": tuple(parts)})})


async def _part(job: Job, variant: Variant, recipe: Recipe, store: Store) -> Part:
    content, styles, over, of = job.content, job.styles, job.content_masks, job.style_masks
    if variant.style is not None:
        one = slice(variant.style, variant.style + 1)
        styles, over, of = styles[one], over[one], of[one]
    if variant.change is Change.SWAPPED:
        content, styles, over, of = styles[0], (content, *styles[1:]), (), ()
    elif variant.change is not Change.NONE:
        name, change = variant.change.replace(" ", "-"), _CHANGES[variant.change]
        changed = tuple([await _changed(job, style, f"{n}-{name}", change, store) for n, style in enumerate(styles, 1)])
        styles, of = (styles, changed) if variant.change is Change.MASKED else (changed, of)
    return Part(
        label=variant.label, note=variant.note, recipe=recipe, content=content, styles=styles, content_masks=over,
        style_masks=of,
    )  # fmt: skip


async def _changed(
    job: Job, picture: StoredPicture, name: str, change: Callable[[bytes], bytes], store: Store
) -> StoredPicture:
    """The changed picture, or the same where the change changes nothing."""
    before = await store.get(picture.key)
    after = await asyncio.to_thread(change, before)
    if after == before:
        return picture
    key = await store.put(f"jobs/{job.id}/style-{name}.png", after)
    width, height = Image.open(io.BytesIO(after)).size
    return picture.model_copy(update={"key": key, "width": width, "height": height})
