"""What is asked of the student: the teacher's features, their Gram matrices, and how they change with the pixels."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

GRAM_LAYERS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
"""Those that styles are compared in."""


def feature_errors(foretold: Mapping[str, Tensor], features: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Mean squared error of each layer's features, in their own units."""
    return {name: _square(foretold[name] - x) / x.numel() for name, x in features.items()}


def gram_errors(foretold: Mapping[str, Tensor], features: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Squared error of each crop's Gram matrix over the square of the true one, mean over crops, by layer."""
    errors = {}
    for name in filter(features.__contains__, GRAM_LAYERS):
        guess, true = _positions(foretold[name]), _positions(features[name])
        error, square = _between(guess, true) if true.shape[1] < true.shape[2] else _of_matrices(guess, true)
        errors[name] = (error / square.clamp_min(1e-6)).mean()
    return errors


def change_errors(foretold: Mapping[str, Tensor], features: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Squared error of how features change from a crop to the same crop changed, over the square of the true change.

    Of features (2n, filters, h, w) of n crops and then of the same n changed; mean over crops, by layer. Where the
    changes are white noise, this is the squared distance of the two networks' Jacobians: the gradients that paint
    (Sobolev training, Czarnecki et al. 2017, by finite differences).
    """
    errors = {}
    for name, x in features.items():
        error, true = (second - first for first, second in (y.chunk(2) for y in (foretold[name] - x, x)))
        errors[name] = (_square(error, (1, 2, 3)) / _square(true, (1, 2, 3)).clamp_min(1e-6)).mean()
    return errors


def _square(x: Tensor, dims: tuple[int, ...] | None = None) -> Tensor:
    """The sum of squares over these dimensions, or all, in float32."""
    norm: Tensor = torch.linalg.vector_norm(x, dim=dims, dtype=torch.float32)
    return norm.square()


def _of_matrices(guess: Tensor, true: Tensor) -> tuple[Tensor, Tensor]:
    """For each crop |G' - G|^2 and |G|^2, of features (n, positions, filters)."""
    mine, its = ((x.transpose(1, 2) @ x / x.shape[1]).float() for x in (guess, true))
    return (mine - its).square().sum((1, 2)), its.square().sum((1, 2))


def _between(guess: Tensor, true: Tensor) -> tuple[Tensor, Tensor]:
    """The same from inner products of positions, of which there are fewer here than filters.

    |F' F'^T - F F^T|^2 = |F'^T F'|^2 - 2 |F'^T F|^2 + |F^T F|^2; in float32, since much cancels.
    """
    guess, true = guess.float(), true.float()
    own, mixed, its = (a @ b.transpose(1, 2) / a.shape[1] for a, b in ((guess, guess), (guess, true), (true, true)))
    squares = [x.square().sum((1, 2)) for x in (own, mixed, its)]
    return (squares[0] - 2 * squares[1] + squares[2]).clamp_min(0), squares[2]


def _positions(features: Tensor) -> Tensor:
    """(n, filters, h, w) as (n, positions, filters): no copy, where channels lie last."""
    return features.permute(0, 2, 3, 1).flatten(1, 2)


def scales(features: Mapping[str, Tensor]) -> dict[str, float]:
    """For each layer's features (n, filters, h, w) the root of the mean of its filters' variances."""
    return {name: float(torch.var(x.float(), (0, 2, 3)).mean().sqrt()) for name, x in features.items()}
