"""What follows from a painting: again, stronger, swapped, larger, continued, finished, or on from a snapshot of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.cards.buttons import STUDY_ACTIONS, Action
from bot.errors import UserError
from bot.requests.new_painting import new_recipe, new_seed
from bot.requests.paint_request import AskedStudy, Network, PaintRequest
from bot.text.translation import _
from engine.contract.events import Cancelled, Done
from engine.contract.jobs import Jobs
from engine.contract.models import Job, StoredPicture
from engine.recipe.draft import finishing
from engine.recipe.presets import preset_name, strength_of
from engine.recipe.recipe import MAX_ITERATIONS, OLDEST, Recipe, RecipeError

MAX_STRENGTH = 100.0
"""The most that presses of Stronger add up to, as a factor over the preset's; the least is its inverse."""
_STRONGER = 2.0


@dataclass(frozen=True)
class FollowUp:
    """What a member asks for by one of a painting's buttons."""

    action: Action
    job: Job

    async def resolve(self, network: Network, jobs: Jobs) -> PaintRequest:
        """Raises `UserError` or `RecipeError`."""
        if self.job.study is not None and self.action not in STUDY_ACTIONS:
            raise UserError(
                _("That is not for a study: press From here under one of its pictures, and go on from that.")
            )
        match self.action:
            case Action.AGAIN:
                return again(renewed(self.job))
            case Action.SWAP:
                return swapped(renewed(self.job))
            case Action.STRONGER:
                return stronger(renewed(self.job), _STRONGER)
            case Action.WEAKER:
                return stronger(renewed(self.job), 1 / _STRONGER)
        return await self._go_on(network, jobs)

    async def _go_on(self, network: Network, jobs: Jobs) -> PaintRequest:
        """From where the job ended."""
        match self.action:
            case Action.LARGER:
                return await _enlarge(self.job, jobs)
            case Action.FINISH:
                return await _finish(self.job, network, jobs)
        return await _continue(self.job, jobs)


_WITHOUT_CHANCE = ("content", "style", "picture")
"""Starts that are the same for every seed, but for their noise."""
_SOME_NOISE = 0.2  # as good a picture as without any, and another one


@dataclass(frozen=True)
class FromSnapshot:
    """What a member asks for from one of a painting's snapshots."""

    job: Job
    picture: str
    """The snapshot's key in the store."""
    preset: str
    fields: Mapping[str, Any]
    """The recipe's fields that were chosen, as `from_picture` takes them."""

    async def resolve(self, _network: Network, _jobs: Jobs) -> PaintRequest:
        """By the parent's own network. Raises `RecipeError`."""
        content = self.job.content
        start = StoredPicture(
            key=self.picture, name="snapshot", width=content.width, height=content.height, spoiler=self.job.spoiler
        )
        return from_picture(self.job, start, self.preset, self.fields)


def renewed(job: Job) -> Job:
    """The job with today's recipe of its own one's name, where no worker can paint its own.

    Size, length, seed, colours and the styles' shares stay. Raises `RecipeError`.
    """
    old = job.recipe
    if old.version >= OLDEST:
        return job
    kept = {name: getattr(old, name) for name in ("size", "seed", "snapshots", "style_weights", "colours")}
    kept["iterations"] = old.still().iterations
    still = new_recipe(preset_name(old), Network(old.weights, old.network), kept)
    return job.model_copy(update={"recipe": still.sequence(old.frames)})


def again(job: Job) -> PaintRequest:
    """A request for the job with a new seed, and with a little noise in the start where nothing else hangs on the seed.

    A study may have set its own noise.
    """
    seed, noise = new_seed(), job.recipe.noise
    if job.recipe.start in _WITHOUT_CHANCE and not any(part.recipe.noise for part in job.parts):
        noise = _SOME_NOISE
    request = _child(job, dataclasses.replace(job.recipe, seed=seed, noise=noise), seed=seed)
    if job.study is None:
        return request
    fields = {**job.study.fields, "seed": seed} | ({"noise": noise} if noise != job.recipe.noise else {})
    return dataclasses.replace(request, study=AskedStudy(job.study.vary, fields))


def as_it_was(job: Job) -> PaintRequest:
    """The very same: for what was stopped before its first iteration."""
    return dataclasses.replace(_child(job, job.recipe), checkpoint=job.checkpoint, reached=job.reached)


def swapped(job: Job) -> PaintRequest:
    """Content and (first) style change places."""
    content, *others = job.styles
    request = _child(job, job.recipe.still())
    # The masks are of the pictures as they were.
    return dataclasses.replace(
        request, content=content, styles=(job.content, *others), content_masks=(), style_masks=()
    )  # fmt: skip


def stronger(job: Job, factor: float) -> PaintRequest:
    """More style, or less where `factor` is below one. Raises `RecipeError` where it leads nowhere."""
    strength = strength_of(job.recipe) * factor
    if not strength or (strength > MAX_STRENGTH if factor > 1 else strength < 1 / MAX_STRENGTH):
        raise RecipeError(_("It cannot go further in this direction: start over with `/stylize`."))
    return _child(job, dataclasses.replace(job.recipe, beta=job.recipe.beta * factor), strength=strength)


def continued(job: Job, checkpoint: str, reached: int) -> PaintRequest:
    """From where it stands: to its planned end, or as much again as there is. Raises `RecipeError`."""
    recipe = job.recipe
    if job.study is not None:
        if reached >= job.iterations:
            raise RecipeError(_("The study is complete: press From here under one of its pictures to go on from that."))
        return dataclasses.replace(as_it_was(job), checkpoint=checkpoint, reached=reached)
    if reached >= recipe.iterations and recipe.frames > 1:
        raise RecipeError(_("A film ends with its last picture: press Again or Stronger for another one."))
    if reached >= recipe.iterations:
        more = min(recipe.iterations, MAX_ITERATIONS - recipe.iterations)
        if more < 1:
            raise RecipeError(_("It has as many iterations as there may be: press Again, or go on from a snapshot."))
        recipe = recipe.continued(more)
    request = _child(job, recipe)
    return dataclasses.replace(request, checkpoint=checkpoint, reached=reached)


def shortened(request: PaintRequest, most: int) -> PaintRequest:
    """The request with at most `most` iterations, if it can have so few: what goes on beyond its plan is shortened."""
    over = request.recipe.iterations - most
    if not 0 < over < request.recipe.extra or request.reached >= most:
        return request
    recipe = dataclasses.replace(request.recipe, iterations=most, extra=request.recipe.extra - over)
    return dataclasses.replace(request, recipe=recipe)


def larger(job: Job, checkpoint: str, reached: int) -> PaintRequest:
    """At twice the size, from its last iteration. Raises `RecipeError`."""
    request = _child(job, job.recipe.enlarged())
    return dataclasses.replace(request, checkpoint=checkpoint, reached=reached, draft_of=None)


def finished(job: Job, picture: str, network: Network) -> PaintRequest:
    """The request for what the draft is a draft of, painted by `network`, on from the draft's `picture` in the store.

    Raises `RecipeError`.
    """
    asked = job.draft_of
    if asked is None:
        raise RecipeError(_("It is no draft: press Continue or Larger to go on from it."))
    recipe = finishing(new_recipe(asked.recipe, network, asked.fields), job.recipe.size)
    start = StoredPicture(
        key=picture, name="draft", width=job.content.width, height=job.content.height, spoiler=job.spoiler
    )
    return dataclasses.replace(_child(job, recipe), start=start, draft_of=None)


def from_picture(job: Job, start: StoredPicture, name: str, fields: Mapping[str, Any]) -> PaintRequest:
    """On from a snapshot by the painting's own recipe, where that came from the preset `name`; else by that preset.

    `fields` are set over it; the strength is over the preset's, and without one the painting's own. On the finest scale
    alone: the coarse ones would paint over what is to be gone on from. Raises `RecipeError`.
    """
    own = renewed(job).recipe
    kept = {"strength": strength_of(own), "style_weights": own.style_weights, "size": own.size}
    recipe = new_recipe(name, Network(own.weights, own.network), {**kept, **fields})
    if name == preset_name(own):
        recipe = dataclasses.replace(
            own, seed=recipe.seed, iterations=recipe.iterations, extra=0, frames=1, scales=1,
            snapshots=own.snapshots or recipe.snapshots, beta=recipe.beta if "strength" in fields else own.beta,
        )  # fmt: skip
    recipe = dataclasses.replace(recipe, start="picture", noise=0.0, scales=1, colours=own.colours)
    return dataclasses.replace(_child(job, recipe), start=start, draft_of=None)


def _child(job: Job, recipe: Recipe, **changed: float) -> PaintRequest:
    """`changed` are the fields in which the child of a draft is to be finished otherwise."""
    asked = job.draft_of and job.draft_of.model_copy(update={"fields": job.draft_of.fields | changed})
    return PaintRequest(
        recipe=recipe, content=job.content, styles=job.styles, parent=job.id, start=job.start, draft_of=asked,
        content_masks=job.content_masks, style_masks=job.style_masks, study=job.study, film=job.film,
    )  # fmt: skip


async def _continue(job: Job, jobs: Jobs) -> PaintRequest:
    match await jobs.outcome(job.id):
        case Done() as done:
            return continued(job, done.files["checkpoint.safetensors"], done.iteration)
        case Cancelled(checkpoint=str(checkpoint)) as stopped:
            return continued(job, checkpoint, stopped.iteration)
        case Cancelled():
            return as_it_was(job)
        case None:
            raise UserError(
                _("It is still being painted: go on from it when it has ended, or from one of its snapshots.")
            )
    raise UserError(_("It failed, so there is nothing to go on from: press Again."))


async def _enlarge(job: Job, jobs: Jobs) -> PaintRequest:
    match await jobs.outcome(job.id):
        case Done() as done:
            return larger(job, done.files["checkpoint.safetensors"], done.iteration)
        case None:
            raise UserError(_("It is still being painted: enlarge it when it has ended."))
    raise UserError(_("Only a finished painting can be enlarged: press Continue first."))


async def _finish(job: Job, network: Network, jobs: Jobs) -> PaintRequest:
    match await jobs.outcome(job.id):
        case Done() as done:
            return finished(job, done.files["final.png"], network)
        case Cancelled(picture=str(picture)):
            return finished(job, picture, network)
        case None:
            raise UserError(_("The draft is still being painted: finish it when it has ended."))
    raise UserError(_("There is no draft to go on from: press Again."))
