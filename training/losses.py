"""What is asked of the student: the teacher's features, and their Gram matrices."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

GRAM_LAYERS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
"""Those that styles are compared in."""


def feature_errors(foretold: Mapping[str, Tensor], features: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Mean squared error of each layer's features, in their own units."""
    return {name: F.mse_loss(foretold[name], x.to(foretold[name].dtype)).float() for name, x in features.items()}


def gram_errors(foretold: Mapping[str, Tensor], features: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Squared error of each crop's Gram matrix over the square of the true one, mean over crops, by layer."""
    errors = {}
    for name in filter(features.__contains__, GRAM_LAYERS):
        guess, true = _positions(foretold[name]), _positions(features[name])
        error, square = _between(guess, true) if true.shape[1] < true.shape[2] else _of_matrices(guess, true)
        errors[name] = (error / square.clamp_min(1e-6)).mean()
    return errors


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
