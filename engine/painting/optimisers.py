"""Adam and L-BFGS, one gradient a step, with a state that can be saved and resized.

Written out, because torch's own L-BFGS evaluates the loss twice when it is stopped after every iteration, and keeps a
state that can't be cut anywhere.
"""

from __future__ import annotations

from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.painting.recipe import Recipe

Tensors = dict[str, Tensor]


class Optimiser(Protocol):
    """Moves pixels in place along one gradient, and keeps what it remembers in `tensors`."""

    tensors: Tensors
    steps: int

    def move(self, pixels: Tensor, gradient: Tensor, step: float, where: Tensor | None = None) -> None:
        """One step: pixels and gradient are (1, 3, height, width) in levels; `step` as in the recipe.

        `where`, (1, 1, height, width), is 0 for pixels that stay and 1 for the others.
        """

    def resize(self, height: int, width: int) -> None:
        """Carry what is remembered over to another scale."""


class Adam:
    """Kingma & Ba (2015), algorithm 1, epsilon 1e-8."""

    def __init__(self, recipe: Recipe, tensors: Tensors | None = None, steps: int = 0) -> None:
        self._beta1, self._beta2 = recipe.beta1, recipe.beta2
        self.tensors, self.steps = tensors or {}, steps

    def move(self, pixels: Tensor, gradient: Tensor, step: float, where: Tensor | None = None) -> None:
        if not self.tensors:
            self.tensors = {"mean": torch.zeros_like(pixels), "square": torch.zeros_like(pixels)}
        self.steps += 1
        mean, square = self.tensors["mean"], self.tensors["square"]
        mean.lerp_(gradient, 1 - self._beta1)
        square.mul_(self._beta2).addcmul_(gradient, gradient, value=1 - self._beta2)
        correction = (1 - self._beta2**self.steps) ** 0.5
        denominator = square.sqrt().div_(correction).add_(1e-8)
        direction = mean if where is None else mean * where
        pixels.addcdiv_(direction, denominator, value=-step / (1 - self._beta1**self.steps))

    def resize(self, height: int, width: int) -> None:
        self.tensors = {name: _resized(tensor, height, width) for name, tensor in self.tensors.items()}


class LBFGS:
    """Nocedal & Wright (2006), algorithm 7.4 (two-loop recursion), without a line search, as Gatys et al. use it.

    `tensors` holds the newest `history` pairs, oldest first: `s` and `y` are (pairs, pixels); `rho` is (pairs).
    """

    def __init__(self, recipe: Recipe, tensors: Tensors | None = None, steps: int = 0) -> None:
        self._history = recipe.history
        self.tensors, self.steps = tensors or {}, steps

    def move(self, pixels: Tensor, gradient: Tensor, step: float, where: Tensor | None = None) -> None:
        flat = (gradient if where is None else gradient * where).reshape(-1)
        if self.tensors:
            self._remember(flat)
        else:
            empty = flat.new_empty((0, len(flat)))
            self.tensors = {"s": empty, "y": empty, "rho": flat.new_empty(0)}
        self.steps += 1
        moved = self._direction(flat) * step
        pixels.add_(moved.view_as(pixels))
        self.tensors |= {"gradient": flat.clone(), "moved": moved}

    def _remember(self, gradient: Tensor) -> None:
        s, y = self.tensors["moved"], gradient - self.tensors["gradient"]
        curvature = y @ s
        if not float(curvature) > 1e-10 * float(y @ y):
            return
        keep = self._history - 1
        for name, new in (("s", s), ("y", y), ("rho", 1 / curvature)):
            old = self.tensors[name]
            self.tensors[name] = torch.cat([old[max(0, len(old) - keep) :], new.unsqueeze(0)])

    def _direction(self, gradient: Tensor) -> Tensor:
        s, y, rho = (self.tensors[name] for name in ("s", "y", "rho"))
        if not len(s):  # no curvature known yet: down the gradient, by one level on average
            return -gradient / gradient.abs().mean().clamp_min(1e-30)
        q = -gradient
        a = [q.new_zeros(())] * len(s)
        for i in reversed(range(len(s))):
            a[i] = rho[i] * (s[i] @ q)
            q = torch.addcmul(q, a[i], y[i], value=-1)
        q = q / (rho[-1] * (y[-1] @ y[-1]))
        for i in range(len(s)):
            q = torch.addcmul(q, a[i] - rho[i] * (y[i] @ q), s[i])
        return q

    def resize(self, height: int, width: int) -> None:
        self.tensors = {}


OPTIMISERS: dict[str, type[Adam | LBFGS]] = {"adam": Adam, "lbfgs": LBFGS}


def _resized(tensor: Tensor, height: int, width: int) -> Tensor:
    """Bilinear on the CPU, whose result does not depend on the order of additions; never below its least value."""
    resized = F.interpolate(tensor.cpu(), (height, width), mode="bilinear", align_corners=False)
    return resized.to(tensor.device)
