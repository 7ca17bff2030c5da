"""How fast a painting changes to the eye, by arithmetic from its recipe alone, and so where to look at it. No torch."""

from __future__ import annotations

import functools
import math
from bisect import bisect_left
from itertools import accumulate

from engine.recipe.recipe import Recipe
from engine.recipe.schedule import Schedule

# A fit to what was seen at 128 px, see `docs/performance.md`: the change of an iteration falls with its number. Adam
# moves no pixel by more than about a step, which makes its first iterations alike; nothing bounds those of L-BFGS.
_ALIKE = {"adam": 10, "lbfgs": 1}


def evenly(recipe: Recipe, count: int) -> tuple[int, ...]:
    """`count` iterations, fewer where there are not so many, about evenly in visible change; the last is among them.

    Where an iteration changes more than its share, those after it share what is left. Raises `ValueError` for no
    iteration.
    """
    if count < 1:
        raise ValueError("At least one iteration is to be looked at.")
    changed, chosen, here = _changed(recipe), list[int](), 0
    for left in range(min(count, recipe.iterations), 1, -1):
        goal = changed[here] + (changed[-1] - changed[here]) / left
        here = min(bisect_left(changed, goal, here + 1), recipe.iterations - left + 1)
        chosen.append(here)
    return (*chosen, recipe.iterations)


@functools.lru_cache(64)
def _changed(recipe: Recipe) -> list[float]:
    """How much has changed after 0, 1, 2, … iterations, in a unit of its own."""
    step, alike = Schedule(recipe).step, _ALIKE[recipe.optimiser]
    return [0.0, *accumulate(math.sqrt(step(i)) / (i + alike) for i in range(recipe.iterations))]
