"""The losses, and nothing else.

Notation of Gatys et al. (2016): a layer has N filters and M positions; F is its feature map of the painting, P that
of the content, and A stands for the style's statistics. Feature maps are (1, N, h, w) with M = h * w.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from engine.painting.network.matrix_product import product


class Moments(NamedTuple):
    """A layer's statistics over its positions: `mean` (N) and `product` (N, N), the Gram matrix F F^T / M."""

    mean: Tensor
    product: Tensor

    @property
    def covariance(self) -> Tensor:
        """(N, N), centred."""
        return self.product - torch.outer(self.mean, self.mean)


class Target(Moments):
    """A style's moments, with what is computed of them once."""

    @functools.cached_property
    def covariance(self) -> Tensor:
        """(N, N), centred."""
        return super().covariance

    @functools.cached_property
    def root(self) -> Tensor:
        """The symmetric square root (N, N) of the covariance."""
        values, vectors = torch.linalg.eigh(self.covariance)
        root: Tensor = (vectors * values.clamp_min(0).sqrt()) @ vectors.T
        return root


def mixed(parts: Sequence[Moments], shares: Sequence[float]) -> Moments:
    """The moments of a picture whose parts, side by side, take these shares of it (of any sum)."""
    total = sum(shares)
    mean = torch.stack([part.mean * (share / total) for part, share in zip(parts, shares, strict=True)]).sum(0)
    product = torch.stack([part.product * (share / total) for part, share in zip(parts, shares, strict=True)]).sum(0)
    return Moments(mean, product)


def positions(features: Tensor) -> Tensor:
    """(1, N, h, w) as the (M, N) matrix of positions, at least in float32; a view where they lie channels-last."""
    x = features.permute(0, 2, 3, 1).reshape(-1, features.shape[1])
    return x.to(torch.promote_types(x.dtype, torch.float32))


def moments(features: Tensor, mask: Tensor | None = None) -> Moments:
    """Mean and F F^T / M (Gatys et al. 2016, eq. 3; each picture is divided by its own M).

    With a `mask` (1, 1, h, w) each position counts by its weight, and M is the sum of these: the guided statistics of
    Gatys et al. (2017, section 4).
    """
    x = positions(features)
    if mask is None:
        return Moments(x.mean(0), x.T @ x / len(x))
    weighted = x * (mask.flatten() / mask.sum().clamp_min(1e-12))[:, None]
    return Moments(weighted.sum(0), weighted.T @ x)


def moments_backward(features: Tensor, grad: Moments, count: float | Tensor, mask: Tensor | None = None) -> Tensor:
    """The gradient towards features (1, N, h, w) of a loss whose gradient towards their moments is `grad`.

    The moments are over `count` positions, M. With L(mean, product), dL/dF is ((dL/dproduct + its transpose) F +
    dL/dmean) / M, times the position's weight where there is a `mask` (1, 1, h, w).
    """
    x = positions(features)
    matrix = (grad.product + grad.product.T) / count
    towards = product(x, matrix, grad.mean / count)
    if mask is not None:
        towards = towards * mask.flatten()[:, None]
    _, n, h, w = features.shape
    return towards.to(features.dtype).view(1, h, w, n).permute(0, 3, 1, 2)


def content_loss(features: Tensor, target: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """1 / (4 N M) * sum (F - P)^2, the talk's, and its gradient; the paper's (eq. 1) is 2 N M times that.

    `count` is N M of the whole feature map, of which these (1, N, h, w) may be a part.
    """
    shift = positions(features) - positions(target)
    _, n, h, w = features.shape
    gradient = (shift / (2 * count)).to(features.dtype).view(1, h, w, n).permute(0, 3, 1, 2)
    return shift.square().sum() / (4 * count), gradient


def gram_loss(seen: Moments, style: Moments) -> Tensor:
    """E_l = 1 / (4 N^2) * sum (G - A)^2 with G and A each over its own M (eq. 4; equal to 1 / (4 N^2 M^2))."""
    return (seen.product - style.product).square().sum() / (4 * len(style.product) ** 2)


def covariance_loss(seen: Moments, style: Moments) -> Tensor:
    """|Cov - A|^2 / |A|^2 + |mean - a|^2 / tr A: no unit of its own, so that layers weigh alike."""
    target = style.covariance
    spread = (seen.covariance - target).square().sum() / target.square().sum().clamp_min(1e-12)
    return spread + (seen.mean - style.mean).square().sum() / target.trace().clamp_min(1e-12)


def wasserstein_loss(seen: Moments, style: Target) -> Tensor:
    """The squared Wasserstein-2 distance of two Gaussians, over tr A so that layers weigh alike.

    |mean - a|^2 + tr(Cov + A - 2 (A^(1/2) Cov A^(1/2))^(1/2)) (Olkin & Pukelsheim 1982). The trace of the root is the
    sum of the roots of the eigenvalues, whose gradients need no differences of eigenvalues: some may be equal. Those
    that are nothing but rounding are left out, so that covariances may lack ranks.
    """
    between = style.root @ seen.covariance @ style.root
    values = torch.linalg.eigvalsh((between + between.T) / 2)
    least = values.detach().amax() * len(values) * torch.finfo(values.dtype).eps
    roots = torch.where(values > least, values.clamp_min(least).clamp_min(1e-30).sqrt(), 0.0).sum()
    spread = seen.covariance.trace() + style.covariance.trace() - 2 * roots
    distance: Tensor = spread + (seen.mean - style.mean).square().sum()
    return distance / style.covariance.trace().clamp_min(1e-12)


def total_variation(pixels: Tensor, mask: Tensor | None = None) -> Tensor:
    """Mean squared difference of neighbours, over all of pixels (1, 3, height, width), in levels squared.

    With a mask (1, 1, height, width), 0 to 1, neighbours count as much as the less of the two, and pixels as they do.
    """
    down = (pixels[:, :, 1:] - pixels[:, :, :-1]).square()
    right = (pixels[:, :, :, 1:] - pixels[:, :, :, :-1]).square()
    if mask is None:
        return (down.sum() + right.sum()) / pixels.numel()
    down = down * torch.minimum(mask[:, :, 1:], mask[:, :, :-1])
    right = right * torch.minimum(mask[:, :, :, 1:], mask[:, :, :, :-1])
    return (down.sum() + right.sum()) / (pixels.shape[1] * mask.sum()).clamp_min(1.0)
