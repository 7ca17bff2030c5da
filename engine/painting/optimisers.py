"""Adam and L-BFGS, one gradient a step, with a state that can be saved and resized.

Written out, because torch's own L-BFGS evaluates the loss twice when it is stopped after every iteration, and keeps a
state that can't be cut anywhere. Where memory runs out within a move, nothing has been moved.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.painting.smoothing import smooth
from engine.recipe.recipe import Recipe

Tensors = dict[str, Tensor]

_CURVED = 1e-6
"""The least cosine between a move and the change of the gradient that counts as curvature and not as rounding."""

_LONGEST = 8.0
"""Levels that L-BFGS may change a pixel by, on average over those that may move, times the step: far from a minimum, as
in noise, its model of the loss is wrong, and without a line search nothing else would hold it."""


class Adam:
    """Kingma & Ba (2015), algorithm 1, epsilon 1e-8. `tensors` holds the moments, `steps` counts the moves in them."""

    asks_the_host: ClassVar[bool] = False
    """Whether a move waits for a number from the device: then it can be no part of a CUDA graph."""

    def __init__(self, recipe: Recipe, tensors: Tensors | None = None, steps: int = 0) -> None:
        self._beta1, self._beta2 = recipe.beta1, recipe.beta2
        self.tensors, self.steps = tensors or {}, steps

    def prepare(self, pixels: Tensor) -> None:
        """Make the moments, before the first move of pixels (1, 3, height, width)."""
        if not self.tensors:
            self.tensors = {"mean": torch.zeros_like(pixels), "square": torch.zeros_like(pixels)}

    def factors(self, step: float, count: int) -> tuple[float, float]:
        """What `move` is to be told in move number `count`, from 1, with the recipe's `step`: the step and the root of
        the second moment, each with the correction of its bias."""
        return -step / (1 - self._beta1**count), (1 - self._beta2**count) ** -0.5

    def move(self, pixels: Tensor, gradient: Tensor, factors: Tensor, where: Tensor | None = None) -> None:
        """One step in place: pixels and gradient are (1, 3, height, width) in levels; `factors` (2) on their device.

        `where`, (1, 1, height, width), is 0 for pixels that stay and 1 for the others.
        """
        mean, square = self.tensors["mean"], self.tensors["square"]
        denominator = torch.empty_like(square)
        direction = mean if where is None else torch.empty_like(mean)
        mean.lerp_(gradient, 1 - self._beta1)
        square.mul_(self._beta2).addcmul_(gradient, gradient, value=1 - self._beta2)
        torch.sqrt(square, out=denominator).mul_(factors[1]).add_(1e-8).div_(factors[0])
        if where is not None:
            torch.mul(mean, where, out=direction)
        pixels.addcdiv_(direction, denominator)

    def resize(self, height: int, width: int) -> None:
        """Carry what is remembered over to another scale."""
        self.tensors = {name: _resized(tensor, height, width) for name, tensor in self.tensors.items()}

    def forget(self) -> None:
        """Forget all moves, as if nothing had ever been moved."""
        self.steps = 0
        for tensor in self.tensors.values():
            tensor.zero_()


class LBFGS:
    """Nocedal & Wright (2006), algorithm 7.4 (two-loop recursion), without a line search, as Gatys et al. use it.

    Its methods are as Adam's. What it moves is looked at through a blur (`smoothing.py`). `tensors` holds the newest
    `history` pairs, each by itself, so that a new one is added without a copy of the others: `s0`, `y0` and `rho0` are
    those of the oldest. `s` and `y` are (pixels), `rho` is a number.
    """

    asks_the_host: ClassVar[bool] = True

    def __init__(self, recipe: Recipe, tensors: Tensors | None = None, steps: int = 0) -> None:
        self._history, self._smoothing = recipe.history, recipe.smoothing
        self.tensors, self.steps = _by_pair(tensors or {}), steps

    def prepare(self, pixels: Tensor) -> None:
        """Nothing: there are no pairs before the first move."""

    def factors(self, step: float, count: int) -> tuple[float, float]:
        """The factor on the direction; there is no second number."""
        return step, 0.0

    def move(self, pixels: Tensor, gradient: Tensor, factors: Tensor, where: Tensor | None = None) -> None:
        flat = smooth(gradient if where is None else gradient * where, self._smoothing).reshape(-1)
        pairs = self._with_newest(flat)
        share = 1.0 if where is None else where.mean().clamp_min(1 / where.numel())  # of the pixels that may move
        direction = _direction(flat, pairs, share)
        moved = direction * ((_LONGEST * share / direction.abs().mean().clamp_min(1e-30)).clamp_max(1) * factors[0])
        change = smooth(moved.view_as(pixels), self._smoothing)
        if where is not None:
            change = change * where
        self.tensors = {**_named(pairs), "gradient": flat.clone(), "moved": moved}
        pixels.add_(change)

    def _with_newest(self, gradient: Tensor) -> list[_Pair]:
        """The pairs, with the one that the last move made if the loss curved upwards along it."""
        pairs = _pairs(self.tensors)
        if "gradient" not in self.tensors:
            return pairs
        s, y = self.tensors["moved"], gradient - self.tensors["gradient"]
        curvature = y @ s
        if not float(curvature) > _CURVED * float(y.norm() * s.norm()):  # whatever the units of the loss
            return pairs
        return [*pairs, (s, y, 1 / curvature)][-self._history :]

    def resize(self, height: int, width: int) -> None:
        self.tensors = {}

    def forget(self) -> None:
        self.tensors, self.steps = {}, 0


Optimiser = Adam | LBFGS
OPTIMISERS: dict[str, type[Optimiser]] = {"adam": Adam, "lbfgs": LBFGS}


_NAMES = ("s", "y", "rho")
_Pair = tuple[Tensor, Tensor, Tensor]


def _pairs(tensors: Tensors) -> list[_Pair]:
    count = sum(name.startswith("rho") for name in tensors)
    return [(tensors[f"s{i}"], tensors[f"y{i}"], tensors[f"rho{i}"]) for i in range(count)]


def _named(pairs: Sequence[_Pair]) -> Tensors:
    return {f"{name}{i}": tensor for i, pair in enumerate(pairs) for name, tensor in zip(_NAMES, pair, strict=True)}


def _by_pair(tensors: Tensors) -> Tensors:
    """What was saved, also by an older version, which had all pairs in one tensor of each name."""
    if "rho" not in tensors:
        return tensors
    rows = zip(tensors["s"], tensors["y"], tensors["rho"], strict=True)
    older = [(s.clone(), y.clone(), rho.clone()) for s, y, rho in rows]
    return _named(older) | {name: tensor for name, tensor in tensors.items() if name not in _NAMES}


def _direction(gradient: Tensor, pairs: Sequence[_Pair], share: float | Tensor) -> Tensor:
    if not pairs:  # no curvature known yet: down the gradient, by one level on average over the share that moves
        return -gradient / (gradient.abs().mean() / share).clamp_min(1e-30)
    q = -gradient
    a = []
    for s, y, rho in reversed(pairs):
        a.append(rho * (s @ q))
        q = torch.addcmul(q, a[-1], y, value=-1)
    _, newest, rho = pairs[-1]
    q = q / (rho * (newest @ newest))
    for s, y, rho in pairs:
        q = torch.addcmul(q, a.pop() - rho * (y @ q), s)
    return q


def _resized(tensor: Tensor, height: int, width: int) -> Tensor:
    """Bilinear on the CPU, whose result does not depend on the order of additions; never below its least value."""
    resized = F.interpolate(tensor.cpu(), (height, width), mode="bilinear", align_corners=False)
    return resized.to(tensor.device)
