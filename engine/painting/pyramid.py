"""An antialiased pyramid: octaves of a picture, each half as large as the one before."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.painting.network import padding

_SMALLEST = 24  # px of the shorter side; below, a statistic has too few positions to mean anything


def halve(pixels: Tensor) -> Tensor:
    """The next octave: blurred by the binomial [1 3 3 1] / 8 both ways, every second pixel kept."""
    kernel = _binomial(pixels.device, pixels.dtype)
    return F.conv2d(padding.pad_with_edge(pixels), kernel, stride=2, groups=3)


@functools.lru_cache(16)
def _binomial(device: torch.device, dtype: torch.dtype) -> Tensor:
    """The filter of `halve`, (3, 1, 4, 4); kept, since to bring numbers to a device would stop it."""
    taps = torch.tensor((1.0, 3.0, 3.0, 1.0), device=device, dtype=dtype) / 8
    return torch.outer(taps, taps).repeat(3, 1, 1, 1)


def pyramid(pixels: Tensor, octaves: int) -> list[Tensor]:
    """The picture (1, 3, height, width) itself, and its further octaves."""
    levels = [pixels]
    while len(levels) < octaves:
        levels.append(halve(levels[-1]))
    return levels


def octaves_of(pictures: Sequence[Tensor], most: int) -> int:
    """How many octaves all the pictures have, at most `most`."""
    shorter, octaves = min(side for picture in pictures for side in picture.shape[2:]), 1
    while octaves < most and shorter / 2 >= _SMALLEST:
        shorter, octaves = shorter // 2, octaves + 1
    return octaves
