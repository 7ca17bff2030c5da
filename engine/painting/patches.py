"""A start in the style's own paint: each place of the content becomes the style's patch that looks most like it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.painting.network.vgg import VGG
from engine.painting.targets import Masks, shrunk

LARGEST = 256
"""Px of the longest side of pictures that patches are looked for in; the time grows with its fourth power."""

_CELL = 4  # px between the middles of patches
_MARGIN = 4  # px of a patch beyond its cell, on each side, so that neighbours overlap
_CHUNK = 1024  # places compared at once, to bound memory
_CHANCE = 0.1  # of a cosine: how much liker a seed may make one patch than another, at each place anew


def patchwork(
    network: VGG, layers: Sequence[str], content: Tensor, styles: Sequence[Tensor],
    *, masks: Masks, generator: torch.Generator | None = None,
) -> Tensor:  # fmt: skip
    """The content (1, 3, height, width), in levels, laid out in patches of the styles; on the device of the network.

    In every cell of four by four pixels the features at all `layers` are compared with those of every cell of the
    styles, by their cosine; the nearest one's patch is laid there, and overlapping patches are averaged (Chen & Schmidt
    2016, "Fast Patch-based Style Transfer of Arbitrary Style"; columns of features over several layers as in Kolkin et
    al. 2022, "Neural Neighbor Style Transfer"). Where there are masks of the content, a place gets patches only of the
    style that has most of it; of masked styles, only what is nearer to white counts. A `generator`, on the CPU, draws
    which of those that are nearly as like is taken at each place: one patch all over a sky would be a lattice.
    """
    own = _features(network, layers, content)
    seen = [_features(network, layers, style) for style in styles]
    scales = [torch.cat(layer).square().sum(1).mean().clamp_min(1e-12).rsqrt() for layer in zip(*seen, strict=True)]
    places = F.normalize(torch.cat([part * scale for part, scale in zip(own, scales, strict=True)], 1))
    columns = [torch.cat([part * scale for part, scale in zip(each, scales, strict=True)], 1) for each in seen]
    cells = F.normalize(torch.cat(columns))
    owners = torch.cat([torch.full((len(part),), i) for i, part in enumerate(columns)]).to(cells.device)
    usable = torch.cat([_usable(masks, i, style) for i, style in enumerate(styles)])
    strongest = _strongest(masks, content)
    nearest = []
    for start in range(0, len(places), _CHUNK):
        likeness = places[start : start + _CHUNK] @ cells.T
        if generator is not None:
            likeness += _CHANCE * torch.rand(likeness.shape, generator=generator).to(likeness.device)
        closed = ~usable[None]
        if strongest is not None:
            closed = closed | (strongest[start : start + _CHUNK, None] != owners)
        nearest.append(likeness.masked_fill(closed, -2.0).argmax(1))
    patches = torch.cat([_cut(style) for style in styles])
    return _laid(patches[torch.cat(nearest)], content)


def _grid(picture: Tensor) -> tuple[int, int]:
    """How many rows and columns of cells the picture has."""
    return max(1, picture.shape[2] // _CELL), max(1, picture.shape[3] // _CELL)


def _features(network: VGG, layers: Sequence[str], picture: Tensor) -> list[Tensor]:
    """Each layer's features in every cell, less their mean: (cells, N)."""
    found = []
    features = network(picture, layers)
    for layer in layers:
        own = features[layer].float()
        finer = own.shape[2] > _grid(picture)[0]
        own = F.interpolate(own, _grid(picture), mode="bilinear", antialias=finer)[0].flatten(1).T
        found.append(own - own.mean(0))
    return found


def _usable(masks: Masks, style: int, picture: Tensor) -> Tensor:
    """(cells): whether patches may be taken from there: where the mask is at least mid-grey, or as light as it gets."""
    if not masks.styles:
        return torch.ones(_grid(picture), dtype=torch.bool, device=picture.device).flatten()
    white = shrunk(masks.styles[style], *_grid(picture)).flatten()
    return white >= white.amax().clamp_max(0.5)


def _strongest(masks: Masks, content: Tensor) -> Tensor | None:
    """(cells): the style that has most of each; None without masks of the content."""
    if not masks.content:
        return None
    return torch.stack([shrunk(mask, *_grid(content)).flatten() for mask in masks.content]).argmax(0)


def _cut(style: Tensor) -> Tensor:
    """(cells, 3 * side * side): the patch around every cell."""
    rows, columns = _grid(style)
    inside = style[:, :, : rows * _CELL, : columns * _CELL]
    around = F.pad(inside, (_MARGIN,) * 4, mode="replicate")
    return F.unfold(around, _CELL + 2 * _MARGIN, stride=_CELL)[0].T


def _laid(patches: Tensor, content: Tensor) -> Tensor:
    """The patches in their cells, as large as `content`; averaged where they overlap, their middles weighing most."""
    rows, columns = _grid(content)
    side = _CELL + 2 * _MARGIN
    size = (rows * _CELL + 2 * _MARGIN, columns * _CELL + 2 * _MARGIN)
    along = torch.exp(-3 * torch.linspace(-1, 1, side, device=patches.device).square())
    weight = torch.outer(along, along).flatten().repeat(3)[:, None]
    total = F.fold((patches.T * weight)[None], size, side, stride=_CELL)
    weights = F.fold(weight.expand_as(patches.T)[None], size, side, stride=_CELL)
    inside = (total / weights)[:, :, _MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
    return F.interpolate(inside, content.shape[2:], mode="bilinear")
