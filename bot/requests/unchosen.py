"""What a member did not choose for a new painting or study: as is usual there, and within the limits."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import partial
from typing import Any

from bot.guild_settings import Rules
from bot.requests.new_painting import NewPainting, new_recipe
from bot.requests.new_study import NewStudy
from bot.requests.paint_request import Network, chosen
from bot.requests.study_parts import recipes
from engine.recipe.recipe import Recipe


def with_unchosen(asked: NewPainting | NewStudy, rules: Rules, network: Network) -> NewPainting | NewStudy:
    """The request with a recipe, its size and iterations lowered to the limits where the recipe's own are above.

    What was chosen stays as it is, and is refused where it is too much. Raises `RecipeError`.
    """
    name = asked.preset or rules.recipe
    fields = chosen(asked.fields)
    if "size" not in fields and new_recipe(name, network, {}).size > rules.max_size:
        fields["size"] = rules.max_size
    if "iterations" not in fields:
        if isinstance(asked, NewPainting):
            asked = dataclasses.replace(asked, iterations_chosen=False)
        held = {"size": fields["size"]} if "size" in fields else {}
        most = rules.max_iterations
        if isinstance(asked, NewStudy):
            most = max(1, most // _paintings(asked, name, fields, network))
        if new_recipe(name, network, held).iterations > most:
            fields["iterations"] = most
    return dataclasses.replace(asked, preset=name, fields=fields)


def film_within(still: Recipe, frames: int, most: int) -> Recipe:
    """The film of so many frames, whose first has fewer iterations than the still where that keeps it within `most`.

    Raises `RecipeError`.
    """
    left = still.iterations - max(0, still.sequence(frames).iterations - most)
    return (dataclasses.replace(still, iterations=left) if left >= still.scales else still).sequence(frames)


def _paintings(asked: NewStudy, name: str, fields: Mapping[str, Any], network: Network) -> int:
    """How many the study has: its limit is of all their iterations."""
    make = partial(network.recipe, name)
    given = {"style_weights": (1.0,) * len(asked.styles), **fields}
    return len(recipes(asked.vary, given, make, [style.name for style in asked.styles]))
