"""One iteration: loss and gradient, step, clamp, average. All of it on the device; with Adam the host never waits."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable
from typing import Any

from torch import Tensor

from engine.painting.objective import Objective
from engine.painting.state import State
from engine.recipe.recipe import Recipe

_ANY: dict[str, Any] = {
    field: getattr(Recipe(), field)
    for field in (
        "name", "version", "size", "iterations", "extra", "snapshots", "seed", "start", "start_colours", "noise",
        "noise_range", "alpha", "beta", "style_ceiling", "style_floor", "variation_ceiling", "style_weights",
        "style_scale", "match_luminance", "step", "step_end", "scales", "detail", "frames", "frame_iterations",
    )
}  # fmt: skip
"""Fields that an iteration does not depend on, or by its tensors and numbers alone, at any one value."""


class Iteration:
    """What an iteration of one scale does to a state."""

    def __init__(
        self, recipe: Recipe, objective: Objective, *, grey: bool = False, where: Tensor | None = None
    ) -> None:
        """`grey`: what is painted has no colour; `where`, (1, 1, height, width), is 0 for pixels that stay, else 1."""
        self._recipe, self._objective, self._grey, self._where = recipe, objective, grey, where

    @property
    def empty_loss(self) -> float:
        """The loss of a picture without any features."""
        return self._objective.empty_loss

    @property
    def tensors(self) -> list[Tensor]:
        """All tensors that an iteration looks up besides the state; of one size for all paintings of one `key`."""
        return [*self._objective.tensors, *([] if self._where is None else [self._where])]

    @property
    def key(self) -> Hashable:
        """Equal for iterations that differ in nothing but what their tensors hold."""
        like = dataclasses.replace(self._recipe, **_ANY)
        return like, self._grey, self._where is None, tuple((tensor.shape, tensor.dtype) for tensor in self.tensors)

    def __call__(self, state: State, turn: int, factors: Tensor) -> Tensor:
        """Move the state on, with the network whose turn it is; the terms of the loss before that.

        `factors` are what its optimiser is told, on the device. Raises `torch.OutOfMemoryError`, and then the state is
        as it was.
        """
        terms, gradient = self.evaluate(state.pixels, turn)
        self.move(state, gradient, factors)
        return terms

    def evaluate(self, pixels: Tensor, turn: int) -> tuple[Tensor, Tensor]:
        """Terms of the loss and gradient."""
        terms, gradient = self._objective(pixels, turn)
        if self._grey:  # what is grey stays grey
            gradient = gradient.mean(1, keepdim=True).expand(-1, 3, -1, -1).contiguous()
        return terms, gradient

    def move(self, state: State, gradient: Tensor, factors: Tensor) -> None:
        """One step of the optimiser, and what follows from it."""
        state.optimiser.move(state.pixels, gradient, factors, self._where)
        if self._recipe.clamp:
            state.pixels.clamp_(0, 255)
        state.average.mul_(self._recipe.average).add_(state.pixels, alpha=1 - self._recipe.average)
