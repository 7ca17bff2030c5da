"""Crops of pictures: at several sizes, flipped, some in other colours, some blended, some noisy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

_SMALLEST, _LARGEST = 1.0, 4.0  # px of the picture to one of a crop
_RECOLOURED, _BLENDED, _NOISY = 1 / 3, 1 / 8, 1 / 5  # of the crops


@dataclass(frozen=True)
class Group:
    """Pictures of one kind, and how many of all crops are to be theirs."""

    pictures: Sequence[Tensor]
    """Each (3, height, width), uint8, RGB."""
    share: float


class Crops:
    """Crops of groups of pictures; the same ones from generators in the same state."""

    def __init__(self, groups: Sequence[Group], *, plain: bool = False) -> None:
        """With `plain` crops are scaled and nothing else."""
        self._groups = [group for group in groups if group.pictures]
        self._shares = torch.tensor([group.share for group in self._groups])
        self._plain = plain

    def __call__(self, n: int, side: int, generator: torch.Generator) -> Tensor:
        """So many crops, (n, 3, side, side), float32, in levels; those with noise leave the range of 0 to 255."""
        cut = torch.stack([self._cut(side, generator) for _ in range(n)])
        if self._plain:
            return cut
        return _noisy(_blended(_recoloured(cut, generator), generator), generator)

    def _cut(self, side: int, generator: torch.Generator) -> Tensor:
        group = self._groups[int(torch.multinomial(self._shares, 1, generator=generator))]
        picture = group.pictures[_integer(len(group.pictures), generator)]
        chances = torch.rand(4, generator=generator).tolist()
        height, width = picture.shape[1:]
        most = min(_LARGEST, height / side, width / side)
        zoom = max(1.0, math.exp(chances[0] * math.log(most / _SMALLEST)))
        span = int(side * zoom)
        y, x = _integer(height - span + 1, generator), _integer(width - span + 1, generator)
        cut = picture[:, y : y + span, x : x + span].float()
        if span != side:
            cut = F.interpolate(cut[None], (side, side), mode="bilinear", antialias=True)[0]
        if self._plain:
            return cut
        cut = cut.flip(2) if chances[1] < 1 / 2 else cut
        cut = cut.flip(1) if chances[2] < 1 / 4 else cut
        return cut.transpose(1, 2) if chances[3] < 1 / 4 else cut


def _recoloured(crops: Tensor, generator: torch.Generator) -> Tensor:
    """Some with channels in another order and each channel's brightness and contrast changed."""
    n = len(crops)
    order = torch.rand(n, 3, generator=generator).argsort(1)
    gain = torch.exp(torch.randn(n, 3, 1, 1, generator=generator) * 0.35)
    gain = gain * torch.where(torch.rand(n, 1, 1, 1, generator=generator) < 0.1, -1.0, 1.0)  # a few as negatives
    shift = torch.randn(n, 3, 1, 1, generator=generator) * 25
    chosen = torch.rand(n, 1, 1, 1, generator=generator) < _RECOLOURED
    other = crops[torch.arange(n)[:, None], order]
    mean = other.mean((2, 3), keepdim=True)
    changed = ((other - mean) * gain + mean + shift).clamp(0, 255)
    return torch.where(chosen, changed, crops)


def _blended(crops: Tensor, generator: torch.Generator) -> Tensor:
    """Some mixed with another of the crops."""
    n = len(crops)
    share = torch.rand(n, 1, 1, 1, generator=generator) * 0.6 + 0.2
    chosen = torch.rand(n, 1, 1, 1, generator=generator) < _BLENDED
    return torch.where(chosen, crops * share + crops.roll(1, 0) * (1 - share), crops)


def _noisy(crops: Tensor, generator: torch.Generator) -> Tensor:
    """Some with noise of up to 60 levels, of single pixels or of pixels four together; a few nothing but noise."""
    n = len(crops)
    deviation = torch.exp(torch.rand(n, 1, 1, 1, generator=generator) * math.log(30)) * 2
    chance = torch.rand(n, 1, 1, 1, generator=generator)
    base = torch.where(chance < _NOISY / 10, crops.mean((2, 3), keepdim=True), crops)
    return torch.where(chance < _NOISY, base + _noise(crops.shape, generator) * deviation, crops)


def pairs(crops: Tensor, generator: torch.Generator) -> Tensor:
    """The n crops (n, 3, height, width), and then the same with noise of 4 to 16 levels, as an optimiser may add it."""
    deviation = torch.exp(torch.rand(len(crops), 1, 1, 1, generator=generator) * math.log(4)) * 4
    return torch.cat([crops, crops + _noise(crops.shape, generator) * deviation])


def _noise(shape: torch.Size, generator: torch.Generator) -> Tensor:
    """Of deviation one: of single pixels or of four together, a quarter each grey, crop by crop."""
    n, _, height, width = shape
    fine = torch.randn(shape, generator=generator)
    coarse = torch.randn((n, 3, (height + 1) // 2, (width + 1) // 2), generator=generator)
    coarse = coarse.repeat_interleave(2, 2).repeat_interleave(2, 3)[:, :, :height, :width]
    noise = torch.where(torch.rand(n, 1, 1, 1, generator=generator) < 1 / 4, coarse, fine)
    grey = torch.rand(n, 1, 1, 1, generator=generator) < 1 / 4
    return torch.where(grey, noise.mean(1, keepdim=True) * math.sqrt(3), noise)


def _integer(below: int, generator: torch.Generator) -> int:
    return int(torch.randint(below, (1,), generator=generator))
