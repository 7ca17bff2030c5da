"""What is asked of the student: the teacher's features, and their Gram matrices."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

GRAM_LAYERS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
"""Those that styles are compared in."""


def gram(features: Tensor) -> Tensor:
    """Gram matrices (n, filters, filters) of features (n, filters, h, w), over the number of positions."""
    flat = features.flatten(2)
    return flat @ flat.transpose(1, 2) / flat.shape[2]


def feature_errors(foretold: Mapping[str, Tensor], features: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Mean squared error of each layer's features; of features of variance one, 1 is what a constant would have."""
    return {name: F.mse_loss(foretold[name], target.to(foretold[name].dtype)).float() for name, target in features.items()}


def gram_errors(foretold: Mapping[str, Tensor], features: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Squared error of each crop's Gram matrix over the square of the true one, mean over crops, by layer."""
    errors = {}
    for name in filter(features.__contains__, GRAM_LAYERS):
        true, guess = gram(features[name]).float(), gram(foretold[name]).float()
        errors[name] = ((guess - true).square().sum((1, 2)) / true.square().sum((1, 2)).clamp_min(1e-6)).mean()
    return errors


def scales(features: Mapping[str, Tensor]) -> dict[str, float]:
    """For each layer's features (n, filters, h, w) the root of the mean of its filters' variances."""
    return {name: float(torch.var(x.float(), (0, 2, 3)).mean().sqrt()) for name, x in features.items()}
