"""Drafts: the same recipe, small and short, with the network that every worker has; and what goes on from one."""

from __future__ import annotations

import dataclasses
from typing import Any

from engine.recipe.presets import preset
from engine.recipe.recipe import Recipe

WEIGHTS = "starter"
"""The weights that every draft is painted with: they need no download."""
SIZE, ITERATIONS = 256, 150
"""The most that a draft has: longest side in px, and iterations. Two cores are done with it in half a minute."""
_NEARLY = 2**-0.25
"""A scale so much smaller than the draft still shows all of it: half a scale's step."""


def draft_recipe(name: str, **fields: Any) -> Recipe:
    """The draft of what `preset` makes of the same name and fields. Raises `RecipeError` as it does."""
    fields = {field: value for field, value in fields.items() if field != "network"}
    fields["size"] = min(SIZE, fields.get("size", Recipe.size))
    recipe = preset(name, weights=WEIGHTS, **fields)
    if recipe.iterations <= ITERATIONS:
        return recipe
    return preset(name, weights=WEIGHTS, **fields | {"iterations": ITERATIONS})


def finishing(full: Recipe, size: int) -> Recipe:
    """`full`, begun with a draft of `size` px: from its own size on, for coarser scales would paint over it."""
    plan = full.plan()
    coarser = sum(side < size * _NEARLY for side, _ in plan[:-1])
    return dataclasses.replace(
        full, start="picture", noise=0.0, scales=len(plan) - coarser,
        iterations=sum(count for _, count in plan[coarser:]),
    )  # fmt: skip
