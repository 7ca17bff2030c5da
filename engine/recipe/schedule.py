"""When what happens in a run: the scale, the step and the inspections of each iteration. No torch."""

from __future__ import annotations

import math
from itertools import accumulate

from engine.recipe.recipe import Recipe

INSPECTION = 10
"""Iterations between looks at the loss for NaN or explosion: a fixed grid, so that a cut run looks when an uncut
one does."""


class Schedule:
    """Which scale an iteration belongs to, and the length of its step."""

    def __init__(self, recipe: Recipe) -> None:
        self._step, self._end = recipe.step, recipe.step_end
        self._ends = list(accumulate(count for _, count in recipe.plan()))
        self._planned, self._last = recipe.planned, recipe.iterations
        self._kept = {*recipe.snapshots, *self._ends[:-1], recipe.planned}

    def scale(self, iteration: int) -> int:
        """The scale, an index into `Recipe.plan()`, of the step from `iteration` to the next."""
        return next(i for i, end in enumerate(self._ends) if iteration < end)

    def first(self, scale: int) -> int:
        """The iteration that the scale starts from."""
        return self._ends[scale - 1] if scale else 0

    def end(self, scale: int) -> int:
        """The scale's last iteration."""
        return self._ends[scale]

    def inspects(self, iteration: int) -> bool:
        """Whether to inspect after this many iterations."""
        return self.keeps(iteration) or iteration == self._last

    def keeps(self, iteration: int) -> bool:
        """Whether the inspection is remembered: on the grid, at snapshots, where a scale or the plan ends.

        Not at the end of extra iterations: a run that is continued once more does not know that it once ended there.
        """
        return iteration % INSPECTION == 0 or iteration in self._kept

    def step(self, iteration: int) -> float:
        """The step's length: it falls by cosine within each scale, from the recipe's to `step_end` times it."""
        if self._end == 1:
            return self._step
        if iteration >= self._planned:
            return self._step * self._end
        scale = self.scale(iteration)
        first, end = self.first(scale), min(self._ends[scale], self._planned)
        share = (iteration - first) / max(1, end - first - 1)
        return self._step * (self._end + (1 - self._end) * (1 + math.cos(math.pi * share)) / 2)
