"""Crops of the sources' spots: moved, turned a little, scaled, mirrored, recoloured, blurred, noisy."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from training.sources import SIDE, Sources

_TURN = 0.35  # rad at most: a stroke's direction is part of what it is
_ZOOM = 1.6  # at most, and at least its inverse


def crops(sources: Sources, spots: Tensor, side: int, generator: torch.Generator) -> Tensor:
    """One crop for each of these spots (indices), (n, 3, side, side), in levels, on the device of the pictures."""
    picture, x, y, reach = sources.spots[spots].T
    n, device = len(spots), sources.pictures.device

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(n, generator=generator)

    angle, zoom = uniform(-_TURN, _TURN), torch.exp(uniform(-math.log(_ZOOM), math.log(_ZOOM)))
    flip = torch.where(uniform(0, 1) < 0.5, 1.0, -1.0)
    x, y = x + reach * uniform(-1, 1), y + reach * uniform(-1, 1)
    scale = side / SIDE / zoom
    matrix = torch.stack([
        torch.stack([flip * scale * angle.cos(), -scale * angle.sin(), 2 * x / SIDE - 1], -1),
        torch.stack([flip * scale * angle.sin(), scale * angle.cos(), 2 * y / SIDE - 1], -1),
    ], 1)  # fmt: skip
    grid = F.affine_grid(matrix.to(device), [n, 3, side, side], align_corners=False)
    whole = sources.pictures[picture.long().to(device)].float()
    cut = F.grid_sample(whole, grid, padding_mode="reflection", align_corners=False)
    return _spoiled(_recoloured(cut, generator), generator)


def _recoloured(crops: Tensor, generator: torch.Generator) -> Tensor:
    """A little other hues, saturation, brightness and contrast: enough that no spot is known by its colour alone.

    Not more, for colour is most of a style: what does not see it cannot paint it.
    """
    n = len(crops)
    yiq = crops.new_tensor([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
    hue = torch.randn(n, generator=generator) * 0.2
    saturation = torch.exp(torch.randn(n, generator=generator) * 0.3)
    turn = torch.zeros(n, 3, 3)
    turn[:, 0, 0] = 1
    turn[:, 1, 1] = turn[:, 2, 2] = saturation * hue.cos()
    turn[:, 1, 2], turn[:, 2, 1] = -saturation * hue.sin(), saturation * hue.sin()
    matrix = torch.linalg.inv(yiq) @ turn.to(crops.device) @ yiq
    mean = crops.mean((1, 2, 3), keepdim=True)
    gain = torch.exp(torch.randn(n, 1, 1, 1, generator=generator) * 0.3).to(crops.device)
    shift = (torch.randn(n, 1, 1, 1, generator=generator) * 25).to(crops.device)
    turned = torch.einsum("nij,njhw->nihw", matrix, (crops - mean) * gain) + mean + shift
    return turned.clamp(0, 255)


def _spoiled(crops: Tensor, generator: torch.Generator) -> Tensor:
    """A third blurred, a third noisy."""
    n = len(crops)
    some = [(torch.rand(n, 1, 1, 1, generator=generator) < 1 / 3).to(crops.device) for _ in range(2)]
    kernel = crops.new_tensor([1.0, 2.0, 1.0]) / 4
    kernel = torch.outer(kernel, kernel).expand(3, 1, 3, 3)
    blurred = F.conv2d(F.pad(crops, (1, 1, 1, 1), mode="reflect"), kernel, groups=3)
    grain = torch.randn(crops.shape, generator=generator).to(crops.device) * 12
    return torch.where(some[0], blurred, crops) + some[1] * grain
