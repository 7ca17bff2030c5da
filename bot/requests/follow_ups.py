"""What a member asks for: pictures, and the recipe's fields; its kin: again, stronger, swapped, larger, from here."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from engine.contract.models import Asked, Job, StoredPicture
from engine.recipe.draft import draft_recipe, finishing
from engine.recipe.presets import TALK_SNAPSHOTS, preset
from engine.recipe.recipe import MAX_ITERATIONS, Recipe, RecipeError

MAX_STRENGTH = 100.0
"""Of the strength that presses of Stronger may add up to, over the preset's; its inverse is the least."""


@dataclass(frozen=True)
class Upload:
    """A picture that a member attached: size in bytes and type as Discord tells them."""

    name: str
    url: str
    size: int
    kind: str | None


@dataclass(frozen=True)
class PaintRequest:
    """Pictures as uploads, or as they lie in the store from an earlier job; and how to paint them."""

    recipe: Recipe
    content: Upload | StoredPicture
    styles: tuple[Upload | StoredPicture, ...]
    parent: str | None = None
    checkpoint: str | None = None
    """Key of the checkpoint to go on from."""
    reached: int = 0
    """The checkpoint's iteration."""
    start: StoredPicture | None = None
    """The picture to begin with."""
    mention: bool = False
    animate: bool = False
    """Whether every picture of the content is painted, where it is an animation."""
    draft_of: Asked | None = None
    """What it is a draft of, if it is one."""


class Network(NamedTuple):
    """What paints: weights by name, and their architecture, as in a recipe's fields `weights` and `network`."""

    weights: str
    architecture: str | None = None
    """None: the one that these weights usually have."""


def new_recipe(name: str, network: Network, fields: Mapping[str, Any]) -> Recipe:
    """The recipe for a new painting: a seed of its own, and snapshots also far beyond the preset's iterations.

    Raises `RecipeError`.
    """
    given = _given(fields)
    if network.architecture is not None:
        given["network"] = network.architecture
    recipe = preset(name, weights=network.weights, **given)
    return dataclasses.replace(recipe, snapshots=tuple(sorted({*recipe.snapshots, *TALK_SNAPSHOTS})))


def new_draft(name: str, network: Network, fields: Mapping[str, Any]) -> tuple[Recipe, Asked]:
    """The recipe for a draft, and what it is a draft of. Raises `RecipeError`, also for what could not be finished."""
    given = _given(fields)
    full = new_recipe(name, network, given)
    asked = Asked(recipe=name, fields=given | {"size": full.size, "iterations": full.iterations})
    return draft_recipe(name, **given), asked


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What was chosen, and a seed."""
    return {"seed": new_seed()} | {field: value for field, value in fields.items() if value is not None}


def new_seed() -> int:
    """Short enough to be typed again."""
    return secrets.randbelow(1_000_000)


def again(job: Job) -> PaintRequest:
    """The same with a new seed."""
    seed = new_seed()
    return _child(job, dataclasses.replace(job.recipe, seed=seed), seed=seed)


def as_it_was(job: Job) -> PaintRequest:
    """The very same: for what was stopped before its first stroke."""
    return dataclasses.replace(_child(job, job.recipe), checkpoint=job.checkpoint, reached=job.reached)


def swapped(job: Job) -> PaintRequest:
    """Content and (first) style change places."""
    content, *others = job.styles
    request = _child(job, job.recipe.still())
    return dataclasses.replace(request, content=content, styles=(job.content, *others))


def stronger(job: Job, factor: float) -> PaintRequest:
    """More style, or less where `factor` is below one. Raises `RecipeError` where it leads nowhere."""
    usual = preset(job.recipe.name, weights=job.recipe.weights).beta
    strength = job.recipe.beta * factor / usual
    if not 1 / MAX_STRENGTH <= strength <= MAX_STRENGTH:
        raise RecipeError("It cannot go further in this direction: start over with `/stylize`.")
    return _child(job, dataclasses.replace(job.recipe, beta=job.recipe.beta * factor), strength=strength)


def continued(job: Job, checkpoint: str, reached: int) -> PaintRequest:
    """From where it stands: to its planned end, or as much again beyond it. Raises `RecipeError`."""
    recipe = job.recipe
    if reached >= recipe.iterations and recipe.frames > 1:
        raise RecipeError("A film ends with its last picture: press Again or Stronger for another one.")
    if reached >= recipe.iterations:
        more = min(recipe.planned, MAX_ITERATIONS - recipe.iterations)
        if more < 1:
            raise RecipeError("It has as many iterations as there may be: press Again, or go on from a snapshot.")
        recipe = recipe.continued(more)
    request = _child(job, recipe)
    return dataclasses.replace(request, checkpoint=checkpoint, reached=reached)


def larger(job: Job, checkpoint: str, reached: int) -> PaintRequest:
    """At twice the size, from its last stroke. Raises `RecipeError`."""
    request = _child(job, job.recipe.enlarged())
    return dataclasses.replace(request, checkpoint=checkpoint, reached=reached, draft_of=None)


def finished(job: Job, picture: str, network: Network) -> PaintRequest:
    """What the draft is a draft of, painted by `network`, on from the draft's `picture` in the store.

    Raises `RecipeError`.
    """
    asked = job.draft_of
    if asked is None:
        raise RecipeError("It is no draft: press Continue or Larger to go on from it.")
    recipe = finishing(new_recipe(asked.recipe, network, asked.fields), job.recipe.size)
    start = StoredPicture(key=picture, name="draft", width=job.content.width, height=job.content.height)
    return dataclasses.replace(_child(job, recipe), start=start, draft_of=None)


def from_picture(job: Job, start: StoredPicture, name: str, fields: Mapping[str, Any]) -> PaintRequest:
    """On from a snapshot with other settings. Raises `RecipeError`.

    On the finest scale alone: the coarse ones would paint over what is to be gone on from.
    """
    fields = {"style_weights": job.recipe.style_weights, "size": job.recipe.size, **fields}
    recipe = new_recipe(name, Network(job.recipe.weights, job.recipe.network), fields)
    recipe = dataclasses.replace(recipe, start="picture", noise=0.0, scales=1, colours=job.recipe.colours)
    return dataclasses.replace(_child(job, recipe), start=start, draft_of=None)


def _child(job: Job, recipe: Recipe, **changed: float) -> PaintRequest:
    """`changed` are the fields in which the child of a draft is to be finished otherwise."""
    asked = job.draft_of and job.draft_of.model_copy(update={"fields": job.draft_of.fields | changed})
    return PaintRequest(
        recipe=recipe, content=job.content, styles=job.styles, parent=job.id, start=job.start, draft_of=asked
    )  # fmt: skip
