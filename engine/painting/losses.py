"""The losses, and nothing else.

Notation of Gatys et al. (2016): a layer has N filters and M positions; F is its feature map of the painting, P that
of the content, and A stands for the style's statistics. Feature maps are (1, N, h, w) with M = h * w.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


class Moments(NamedTuple):
    """A layer's statistics over its positions: `mean` (N) and `product` (N, N)."""

    mean: Tensor
    product: Tensor


def positions(features: Tensor) -> Tensor:
    """(1, N, h, w) as the (M, N) matrix of positions; a view where the features lie channels-last."""
    return features.permute(0, 2, 3, 1).reshape(-1, features.shape[1])


def gram(features: Tensor) -> Moments:
    """The Gram matrix over M: F F^T / M (Gatys et al. 2016, eq. 3; each picture is divided by its own M)."""
    x = positions(features)
    filters = x.T.contiguous()
    return Moments(x.mean(0), product(filters, filters) / len(x))


def product(a: Tensor, b: Tensor) -> Tensor:
    """a @ b^T. On the CPU by oneDNN, which on AMD's is twice as fast as the BLAS behind `@`, but only in float32."""
    if a.device.type == "cpu" and a.dtype == torch.float32 and torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        result: Tensor = torch.ops.mkldnn._linear_pointwise(a, b, None, "none", [], "")
        return result
    return a @ b.T


def covariance(features: Tensor) -> Moments:
    """Mean and centred covariance of the N filters over the M positions."""
    mean, product = gram(features)
    return Moments(mean, product - torch.outer(mean, mean))


def content_loss(features: Tensor, target: Tensor) -> Tensor:
    """1 / (4 N M) * sum (F - P)^2, the talk's; the paper's (eq. 1) is 2 N M times that."""
    return (features - target).square().mean() / 4


def gram_loss(features: Tensor, style: Moments) -> Tensor:
    """E_l = 1 / (4 N^2) * sum (G - A)^2 with G and A each over its own M (eq. 4; equal to 1 / (4 N^2 M^2))."""
    loss: Tensor = _GramLoss.apply(features, style.product)
    return loss


def covariance_loss(features: Tensor, style: Moments) -> Tensor:
    """|Cov - A|^2 / |A|^2 + |mean - a|^2 / tr A: no unit of its own, so that layers weigh alike."""
    loss: Tensor = _CovarianceLoss.apply(features, style.mean, style.product)
    return loss


def total_variation(pixels: Tensor) -> Tensor:
    """Mean squared difference of neighbours, pixels (1, 3, height, width) counted in [0, 1]."""
    down = pixels[:, :, 1:] - pixels[:, :, :-1]
    right = pixels[:, :, :, 1:] - pixels[:, :, :, :-1]
    return (down.square().sum() + right.square().sum()) / (pixels.numel() * 255**2)


def gram_slope(seen: Moments, style: Moments, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """(loss, slope, constant) where `seen` was taken over `count` positions: dE/dF = F slope + constant at each."""
    difference, n = seen.product - style.product, len(style.product)
    return difference.square().sum() / (4 * n**2), difference / (n**2 * count), torch.zeros_like(seen.mean)


def covariance_slope(seen: Moments, style: Moments, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """The same for the covariance loss."""
    difference, shift = seen.product - style.product, seen.mean - style.mean
    energy = style.product.square().sum().clamp_min(1e-12)
    trace = style.product.trace().clamp_min(1e-12)
    slope = difference * (4 / (energy * count))
    loss = difference.square().sum() / energy + shift.square().sum() / trace
    return loss, slope, shift * (2 / (trace * count)) - seen.mean @ slope


def along(features: Tensor, slope: Tensor, constant: Tensor) -> Tensor:
    """F slope + constant at each position of (1, N, h, w)."""
    return _like(torch.addmm(constant, positions(features), slope), features)


class _GramLoss(torch.autograd.Function):
    """E_l with its gradient written out, dE/dF = (G - A) F / (N^2 M): one product where autograd takes two."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, target: Tensor) -> Tensor:
        difference = gram(features).product - target
        ctx.save_for_backward(features, difference)
        return difference.square().sum() / (4 * len(target) ** 2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        features, difference = ctx.saved_tensors
        x = positions(features)
        slope = difference * (grad / (len(difference) ** 2 * len(x)))  # symmetric
        return _like(product(x, slope), features), None


class _CovarianceLoss(torch.autograd.Function):
    """The covariance loss with its gradient written out: 4 (F - mean) (Cov - A) / (M |A|^2) + the mean's share."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, target_mean: Tensor, target: Tensor) -> Tensor:
        mean, product = covariance(features)
        difference, shift = product - target, mean - target_mean
        energy = target.square().sum().clamp_min(1e-12)
        trace = target.trace().clamp_min(1e-12)
        ctx.save_for_backward(features, mean, difference / energy, shift / trace)
        return difference.square().sum() / energy + shift.square().sum() / trace

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        features, mean, difference, shift = ctx.saved_tensors
        x = positions(features)
        slope = difference * (grad * 4 / len(x))
        constant = shift * (grad * 2 / len(x)) - mean @ slope
        return _like(torch.addmm(constant, x, slope), features), None, None


def _like(x: Tensor, features: Tensor) -> Tensor:
    """The (M, N) matrix back in the features' shape, channels-last."""
    _, n, h, w = features.shape
    return x.view(1, h, w, n).permute(0, 3, 1, 2)
