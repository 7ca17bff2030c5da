"""How long a painting will take yet: the work that is left, at the speed of the iterations just seen."""

from __future__ import annotations

from engine.recipe import cost
from engine.recipe.recipe import Recipe

_ENOUGH = 4
"""Iterations on a new scale after which its own speed is trusted."""


class Eta:
    """Told of each iteration of a slice, it knows the seconds that are left.

    The speed is that on the present scale, since between scales it differs by more than the work tells; at the
    beginning of a new one still the speed before. The first iteration of a slice or a scale, in which much is got
    ready, does not count.
    """

    def __init__(self, recipe: Recipe, size: tuple[int, int], iteration: int, now: float, later: float = 0.0) -> None:
        """`size` is (width, height) of the painting; `now`, by any clock in seconds, is when the slice begins.

        `later` is the work of what is to be painted after it.
        """
        self._recipe, self._aspect, self._later = recipe, min(size) / max(size), later
        self._scale: int | None = None
        self._since, self._enough = now, 1
        self._iteration = iteration
        self._begun = self.work(iteration)
        self._left, self._speed = self._begun, 0.0

    def tick(self, iteration: int, scale: int, now: float) -> None:
        """`iteration` on `scale` has ended `now`."""
        self._left = self.work(iteration)
        counted, fresh = iteration - self._iteration, scale != self._scale
        if now > self._since and not fresh and counted >= self._enough:
            self._speed = (self._begun - self._left) / (now - self._since)
        if fresh:
            self._enough = _ENOUGH if self._speed else 1
            self._scale, self._iteration, self._begun, self._since = scale, iteration, self._left, now

    @property
    def seconds(self) -> float:
        """Seconds that are left; 0 where the speed is not known yet, as after a slice's first iteration."""
        return self._left / self._speed if self._speed else 0.0

    def work(self, iteration: int) -> float:
        """The work that is left after so many iterations, as `cost` counts it."""
        return cost.remaining_flops(self._recipe, self._aspect, iteration) + self._later
