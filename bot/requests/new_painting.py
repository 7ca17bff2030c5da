"""A new painting, with the options of `/stylize`."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.errors import UserError
from bot.guild_settings import USUAL_RECIPE
from bot.requests.paint_request import AttachedPicture, Network, PaintRequest, Style, chosen, pictures_alone
from bot.text.formatting import between_commas
from bot.text.translation import _
from engine.contract.jobs import Jobs
from engine.contract.models import Asked
from engine.recipe.draft import draft_recipe
from engine.recipe.presets import AUTO, EVERY, TALK_SNAPSHOTS
from engine.recipe.recipe import Recipe, RecipeError

MOST_ASKED = 50
"""The most snapshots that can be asked for: each is a message."""


@dataclass(frozen=True)
class NewPainting:
    """What a member asks for from attached pictures."""

    preset: str | None
    """The recipe's name; None: the one that is usual there."""
    fields: Mapping[str, Any]
    """The recipe's fields that were chosen; None for those that were not."""
    content: AttachedPicture
    styles: tuple[Style, ...]
    blend: int | None = None
    """Share of the second style in percent."""
    mention: bool = False
    animate: bool = False
    draft: bool = False
    film: bool = True
    """Whether a film of the painting's making is made."""
    snapshots: str | None = None
    """The iterations after which to post a picture, as `read_snapshots` reads them."""
    iterations_chosen: bool = True
    """Whether somebody chose the iterations; see `PaintRequest.iterations_chosen`."""
    start: AttachedPicture | None = None
    """A picture to begin with."""
    content_masks: tuple[AttachedPicture, ...] = ()
    """For each style where in the painting it applies (white), or none."""
    style_masks: tuple[AttachedPicture, ...] = ()
    """For each style which part of it counts (white), or none."""

    async def resolve(self, network: Network, _jobs: Jobs) -> PaintRequest:
        """Raises `UserError` or `RecipeError`."""
        name = self.preset or USUAL_RECIPE
        if self.blend is not None and len(self.styles) < 2:
            raise UserError(_("A blend needs a second style: attach one as style2."))
        if self.draft and self.animate:
            raise UserError(_("A draft is of one picture: leave out animate, or quality."))
        if self.animate and not self.film:
            raise UserError(_("What animate paints is a film: leave out one of the two."))
        fields = {**self.fields, "style_weights": self._shares()}
        if self.snapshots is not None:
            fields["snapshots"] = read_snapshots(self.snapshots)
        if self.start is not None:
            fields["start"] = "picture"
        asked: Asked | None = None
        if self.draft:
            recipe, asked = new_draft(name, network, fields)
        else:
            recipe = new_recipe(name, network, fields)
        for masks in (self.content_masks, self.style_masks):
            recipe.check_masks(len(masks))
        styles = pictures_alone(self.styles)
        return PaintRequest(
            recipe, self.content, styles, mention=self.mention, animate=self.animate, draft_of=asked,
            start=self.start, content_masks=self.content_masks, style_masks=self.style_masks, film=self.film,
            iterations_chosen=self.iterations_chosen,
        )  # fmt: skip

    def _shares(self) -> tuple[float, ...]:
        if len(self.styles) < 2:
            return (1.0,)
        second = 50 if self.blend is None else self.blend
        return (1 - second / 100, second / 100)


def read_snapshots(text: str) -> tuple[int | str, ...]:
    """Iterations like 100,300; `auto`; `every:50`; or several of these. Raises `UserError`."""
    words = [word.lower() for word in between_commas(text)]
    given = [int(word) if word.isdecimal() else word for word in words]
    if not given or not all(isinstance(one, int) or one == AUTO or one.startswith(EVERY) for one in given):
        raise UserError(_("Snapshots are iterations like 100,300,1000, or auto, or every:50 for each fiftieth."))
    return tuple(given)


def new_recipe(name: str, network: Network, fields: Mapping[str, Any]) -> Recipe:
    """The recipe for a new painting: a seed of its own, and snapshots also far beyond the preset's iterations.

    Where snapshots are among the fields, there are only those. Raises `RecipeError`, also where these are too many.
    """
    given = _given(fields)
    recipe = network.recipe(name, given)
    if "snapshots" in given:
        asked = len({*recipe.snapshots, recipe.iterations})  # those past its end may come by Continue
        if asked > MOST_ASKED:
            raise RecipeError(
                _("These are {given:,} snapshots, and {most} are the most: ask for fewer.", given=asked,
                  most=MOST_ASKED)
            )  # fmt: skip
        return recipe
    return dataclasses.replace(recipe, snapshots=tuple(sorted({*recipe.snapshots, *TALK_SNAPSHOTS})))


def new_draft(name: str, network: Network, fields: Mapping[str, Any]) -> tuple[Recipe, Asked]:
    """The recipe for a draft, and what it is a draft of. Raises `RecipeError`, also for what could not be finished."""
    given = _given(fields)
    full = new_recipe(name, network, given)
    asked = Asked(recipe=full.name, fields=given | {"size": full.size, "iterations": full.iterations})
    return draft_recipe(name, **given), asked


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What was chosen, and a seed."""
    return {"seed": new_seed()} | chosen(fields)


def new_seed() -> int:
    """Short enough to be typed again."""
    return secrets.randbelow(1_000_000)
