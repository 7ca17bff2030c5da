"""Pooling by two, forward and backward. What is pooled in VGG19 has just been rectified."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.recipe.recipe import PoolingKind


def relu_backward(gradient: Tensor, x: Tensor, out: Tensor | None = None) -> Tensor:
    """The gradient towards a rectified map x, carried through its rectification: nothing where x is nothing."""
    result = torch.empty_like(x) if out is None else out
    torch.ops.aten.threshold_backward(gradient, x, 0, grad_input=result)
    return result


class Pooling:
    """Average, maximum or root of the mean square of 2x2, times `gain`; an odd row or column at the end is left out."""

    def __init__(self, kind: PoolingKind, gain: float = 1.0) -> None:
        self._kind, self._gain = kind, gain

    def __call__(self, x: Tensor) -> Tensor:
        """(1, N, h, w) to (1, N, h // 2, w // 2)."""
        pooled = self._pooled(x)
        return pooled if self._gain == 1 else pooled.mul_(self._gain)

    def backward(self, gradient: Tensor, x: Tensor) -> Tensor:
        """The gradient towards the result, carried to x and through the rectification that x comes from."""
        if self._gain != 1:
            gradient = gradient * self._gain
        towards = self._towards(gradient, x)
        return relu_backward(towards, x, out=towards)

    def _towards(self, gradient: Tensor, x: Tensor) -> Tensor:
        if self._kind == "average":
            shares = F.interpolate(gradient / 4, scale_factor=2, mode="nearest")
            h, w = x.shape[2] - shares.shape[2], x.shape[3] - shares.shape[3]
            return F.pad(shares, (0, w, 0, h)) if h or w else shares
        if self._kind == "max":
            _, places = torch.ops.aten.max_pool2d_with_indices(x, [2, 2])
            towards: Tensor = torch.ops.aten.max_pool2d_with_indices_backward(
                gradient, x, [2, 2], [2, 2], [0, 0], [1, 1], False, places
            )
            return towards
        with torch.enable_grad():
            leaf = x.detach().requires_grad_()
            return torch.autograd.grad(self._pooled(leaf), leaf, gradient)[0]

    def _pooled(self, x: Tensor) -> Tensor:
        if self._kind == "average":
            return F.avg_pool2d(x, 2)
        if self._kind == "max":
            return F.max_pool2d(x, 2)
        # The root has no slope at zero.
        return F.avg_pool2d(x.square(), 2).clamp_min(torch.finfo(x.dtype).tiny).sqrt()
