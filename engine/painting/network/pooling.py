"""Pooling by two, forward and backward. What is pooled in VGG19 has just been rectified."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

PoolingKind = Literal["average", "max", "l2"]


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
        if self._kind != "average":
            with torch.enable_grad():
                leaf = x.detach().requires_grad_()
                towards = torch.autograd.grad(self._pooled(leaf), leaf, gradient)[0]
            return relu_backward(towards, x)
        # One pass over the memory: every position looks up its share and whether it was rectified away.
        _, n, h, w = x.shape
        rows, columns = h // 2, w // 2
        shares = (gradient / 4).permute(0, 2, 3, 1)[:, :, None, :, None].expand(1, rows, 2, columns, 2, n)
        even = x.permute(0, 2, 3, 1)[:, : 2 * rows, : 2 * columns]
        pooled = even.reshape(1, rows, 2, columns, 2, n)
        towards = relu_backward(shares, pooled).view(1, 2 * rows, 2 * columns, n)
        if (h, w) != (2 * rows, 2 * columns):
            towards = F.pad(towards, (0, 0, 0, w - 2 * columns, 0, h - 2 * rows))
        return towards.permute(0, 3, 1, 2)

    def _pooled(self, x: Tensor) -> Tensor:
        if self._kind == "average":
            return F.avg_pool2d(x, 2)
        if self._kind == "max":
            return F.max_pool2d(x, 2)
        # The root has no slope at zero.
        return F.avg_pool2d(x.square(), 2).clamp_min(torch.finfo(x.dtype).tiny).sqrt()
