"""A picture with its edge once more around it, and the way back.

By slices: torch's own replicate padding goes by tables of indices on CUDA, where it must be deterministic.
"""

from __future__ import annotations

import torch
from torch import Tensor


def pad_with_edge(x: Tensor) -> Tensor:
    """(1, N, h, w) to (1, N, h + 2, w + 2), in the same layout."""
    x = torch.cat([x[:, :, :1], x, x[:, :, -1:]], 2)
    return torch.cat([x[:, :, :, :1], x, x[:, :, :, -1:]], 3)


def pad_with_edge_backward(gradient: Tensor) -> Tensor:
    """The gradient towards `pad_with_edge`'s result, carried to what it was given; it is changed on the way."""
    gradient[:, :, 1] += gradient[:, :, 0]
    gradient[:, :, -2] += gradient[:, :, -1]
    gradient[:, :, :, 1] += gradient[:, :, :, 0]
    gradient[:, :, :, -2] += gradient[:, :, :, -1]
    return gradient[:, :, 1:-1, 1:-1]
