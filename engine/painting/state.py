"""Where a painting stands: one object with everything that the next iteration depends on, saved bit for bit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from engine.painting.optimisers import OPTIMISERS, Optimiser
from engine.recipe.recipe import Recipe

_NUMBERS = (
    "iteration", "scale", "averaged", "optimiser_steps", "good_loss", "rows", "step_factor", "rollbacks", "best_loss",
    "best_at",
)  # fmt: skip


@dataclass
class State:
    """A painting after `iteration` iterations. Tensors are float32 on the painter's device.

    `pixels` and `average` are (1, 3, height, width) in levels; `losses` is (iterations so far or more, columns), row i
    the terms that iteration i + 1 saw before its step.
    """

    iteration: int
    scale: int
    """The scale, and with it the frame, as an index into `Recipe.plan()`."""
    pixels: Tensor
    average: Tensor
    """Decaying sum of the iterates of this scale; see `shown`."""
    averaged: int
    """How many iterates `average` holds."""
    optimiser: Optimiser
    losses: Tensor
    good: Tensor
    """The pixels that the last inspection found good (first those that the scale starts from), to go back to."""
    good_loss: float = float("inf")
    """The loss of `good`; infinite until the scale's first inspection."""
    rows: int | None = None
    """Height of the strips that this scale is painted in, px; None: whole. Kept, since the last bits depend on it."""
    step_factor: float = 1.0
    """Factor on the recipe's step, halved by each rollback."""
    rollbacks: list[tuple[int, str]] = field(default_factory=list)
    """(iteration, what was wrong) of each rollback."""
    painted: Tensor | None = None
    """In a sequence the painting of the frame before, on the CPU."""
    best: Tensor | None = None
    """What was shown at the inspection of this scale whose loss was the least; without goo (see `flatness.py`)."""
    best_loss: float = float("inf")
    """The loss of `best`; infinite until there is one."""
    best_at: int = 0
    """The iteration that saw `best_loss`."""

    def shown(self, decay: float) -> Tensor:
        """What a person sees: the bias-corrected average of the iterates (Kingma & Ba 2015, section 7.2), or them."""
        if decay == 0 or self.averaged == 0:
            return self.pixels
        return self.average / (1 - decay**self.averaged)

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor of the state, by name."""
        own = {"pixels": self.pixels, "average": self.average, "good": self.good}
        own["losses"] = self.losses[: self.iteration]
        own |= {name: kept for name in ("painted", "best") if (kept := getattr(self, name)) is not None}
        return own | {f"optimiser.{name}": tensor for name, tensor in self.optimiser.tensors.items()}

    @property
    def optimiser_steps(self) -> int:
        """How many steps the optimiser remembers."""
        return self.optimiser.steps

    def numbers(self) -> dict[str, Any]:
        """Every number of the state, as JSON can hold it; floats survive JSON bit for bit."""
        return {name: getattr(self, name) for name in _NUMBERS}

    def copy(self) -> State:
        """A copy on the CPU that the going painting does not touch."""
        tensors = {name: tensor.to("cpu", copy=True) for name, tensor in self.tensors().items()}
        optimiser = type(self.optimiser).__new__(type(self.optimiser))
        optimiser.__dict__.update(vars(self.optimiser))
        optimiser.tensors = _optimiser_part(tensors)
        own = {name: tensors[name] for name in ("pixels", "average", "good")}
        own["losses"] = self.losses.to("cpu", copy=True)
        return State(
            self.iteration, self.scale, averaged=self.averaged, optimiser=optimiser, good_loss=self.good_loss,
            rows=self.rows, step_factor=self.step_factor, rollbacks=list(self.rollbacks),
            painted=tensors.get("painted"), best=tensors.get("best"), best_loss=self.best_loss, best_at=self.best_at,
            **own,
        )  # fmt: skip

    @classmethod
    def restore(
        cls, recipe: Recipe, tensors: dict[str, Tensor], numbers: dict[str, Any], device: torch.device
    ) -> State:
        """The state that `tensors()` and `numbers()` came from. Raises `KeyError` where a part is missing."""
        # Copies, for where a tensor begins in memory can decide the last bits of a sum: as if it had never been saved.
        moved = {name: tensor.to(device, copy=True) for name, tensor in tensors.items()}
        saved = moved["losses"]
        losses = saved.new_zeros((recipe.iterations, saved.shape[1]))
        kept = min(len(saved), len(losses))
        losses[:kept] = saved[:kept]
        own = {name: numbers[name] for name in ("iteration", "scale", "averaged", "good_loss", "step_factor")}
        return cls(
            optimiser=OPTIMISERS[recipe.optimiser](recipe, _optimiser_part(moved), numbers["optimiser_steps"]),
            pixels=moved["pixels"], average=moved["average"], good=moved["good"], losses=losses,
            rollbacks=[(iteration, reason) for iteration, reason in numbers["rollbacks"]],
            painted=tensors.get("painted"), rows=numbers.get("rows"), best=moved.get("best"),
            best_loss=numbers.get("best_loss", float("inf")), best_at=numbers.get("best_at", 0), **own,
        )  # fmt: skip


def _optimiser_part(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    prefix = "optimiser."
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
