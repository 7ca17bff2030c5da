"""How large a network's activations are: brought to one size, so that a recipe's weights mean the same for any network.

The talk's 5 * content + 100 * style was set for the authors' Caffe network, whose activations are some fifty times as
large as those of torchvision's training; losses grow with their square (content) and fourth power (Gram matrices).
Rectification and every pooling here commute with a positive factor, so that filters can be rescaled without changing
what a network sees. The factors come from a picture of our own, never from those that are painted: they belong to the
network.
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from engine.painting import pictures
from engine.painting.network import vgg
from engine.recipe.vgg_layers import starts_block

CAFFE = {
    "conv1_1": 27.20, "conv1_2": 137.5, "conv2_1": 170.8, "conv2_2": 215.7, "conv3_1": 196.9, "conv3_2": 202.5,
    "conv3_3": 151.2, "conv4_1": 72.10, "conv4_2": 41.44, "conv4_3": 10.73, "conv5_1": 5.802, "conv5_2": 2.073,
    "conv5_3": 0.2570,
}  # fmt: skip
"""Mean activation of each rectified layer of the authors' VGG16 as Caffe has it, over our picture, average pooling."""

_PICTURE = Path(__file__).with_name("calibration.png")
_TILE = 96
_ALIKE = 3.0


@torch.no_grad()
def calibrated(convs: vgg.Convs) -> vgg.Convs:
    """The network with its weights scaled so that each layer has the mean activation that `CAFFE` says, on the CPU.

    Layers that are not listed there keep the factor of the one before. A network whose every mean is there already,
    to a factor of three, is left as it is, to the last bit: so are Caffe's own VGG16 and VGG19.
    """
    means = _means(convs)
    # Of weights so large that a mean is no number nothing can be told: what they paint is no number either.
    finite = {name: mean for name, mean in means.items() if name in CAFFE and math.isfinite(mean)}
    ratios = {name: CAFFE[name] / max(mean, 1e-12) for name, mean in finite.items()}
    if all(1 / _ALIKE < ratio < _ALIKE for ratio in ratios.values()):
        return convs
    found, before = {}, 1.0
    for name, (weight, bias) in convs.items():
        factor = ratios.get(name, before)
        found[name] = (weight * (factor / before), bias * factor)
        before = factor
    return found


def _means(convs: vgg.Convs) -> dict[str, float]:
    """The mean activation of each convolution, rectified, over our picture; with average pooling."""
    x, found = vgg.normalise(_tiles()), {}
    for name, (weight, bias) in convs.items():
        if starts_block(name):
            x = F.avg_pool2d(x, 2)
        x = F.conv2d(x, weight, bias, padding=1).clamp_min_(0)
        found[name] = float(x.mean())
    return found


def _tiles() -> Tensor:
    """Our picture's square parts, (parts, 3, side, side) in levels."""
    whole = pictures.to_tensor(Image.open(_PICTURE))
    tiles = whole.unfold(2, _TILE, _TILE).unfold(3, _TILE, _TILE)
    return tiles.permute(0, 2, 3, 1, 4, 5).reshape(-1, 3, _TILE, _TILE)
