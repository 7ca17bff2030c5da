"""Muon for the convolutions, which learns more from few steps, and Adam for the rest."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


class Adam:
    """Kingma & Ba (2015). torch's own takes seconds to import what it does not need here."""

    def __init__(self, parameters: Sequence[Tensor], beta1: float = 0.9, beta2: float = 0.99) -> None:
        self._parameters, self._betas, self._steps = parameters, (beta1, beta2), 0
        self._moments = [(torch.zeros_like(p), torch.zeros_like(p)) for p in parameters]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Move each number by about `rate` at most."""
        self._steps += 1
        corrections = [1 - beta**self._steps for beta in self._betas]
        for parameter, (first, second) in zip(self._parameters, self._moments, strict=True):
            assert parameter.grad is not None  # noqa: S101 - the loss depends on every parameter
            first.lerp_(parameter.grad, 1 - self._betas[0])
            second.lerp_(parameter.grad.square(), 1 - self._betas[1])
            deviation = (second / corrections[1]).sqrt() + 1e-8
            parameter.addcdiv_(first, deviation, value=-rate / corrections[0])


class Muon:
    """Momentum whose matrices are made orthogonal (Jordan et al. 2024).

    For the weights of convolutions, (out, in, height, width), each taken for a matrix with `out` rows.
    """

    def __init__(self, weights: Sequence[Tensor], momentum: float = 0.9) -> None:
        self._weights, self._momentum = weights, momentum
        self._velocities = [torch.zeros_like(weight) for weight in weights]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Move each weight by `rate` times its own norm; weights keep the norm they began with.

        Batch norm makes the length of the weights meaningless, so that only their direction is learned.
        """
        for weight, velocity in zip(self._weights, self._velocities, strict=True):
            assert weight.grad is not None  # noqa: S101 - the loss depends on every weight
            velocity.mul_(self._momentum).add_(weight.grad)
            ahead = weight.grad + self._momentum * velocity
            move = orthogonal(ahead.flatten(1)).view_as(weight)
            length = weight.norm()
            weight.sub_(move, alpha=float(rate * length / move.norm()))
            weight.mul_(length / weight.norm())


def orthogonal(matrix: Tensor, steps: int = 5) -> Tensor:
    """About the nearest orthogonal matrix, by Newton and Schulz's iteration with Jordan's coefficients."""
    x: Tensor = matrix / (matrix.norm() + 1e-7)
    x = x.T if matrix.shape[0] > matrix.shape[1] else x
    for _ in range(steps):
        square = x @ x.T
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return x.T if matrix.shape[0] > matrix.shape[1] else x
