"""What input a network's weights expect, told from their numbers, and Caffe's kind converted to torchvision's.

Torchvision's networks take RGB in [0, 1], less ImageNet's mean and divided by its deviation: numbers of the order of
one. Caffe's, from which neural-style's files were converted, take BGR from 0 to 255 less (103.939, 116.779, 123.68).
"""

from __future__ import annotations

import math
import statistics
from typing import Literal

import torch
from torch import Tensor

from engine.painting.network.vgg import DEVIATION, MEAN, Convs

Input = Literal["torchvision", "caffe"]

IN_WORDS: dict[Input, str] = {
    "torchvision": "torchvision's input (RGB, normalised)",
    "caffe": "Caffe's input (BGR, 0 to 255)",
}

_CAFFE_MEAN = (123.68, 116.779, 103.939)  # levels, of R, G and B

_HASHES: dict[str, Input] = {
    "dcbb9e9d": "torchvision", "397923af": "torchvision", "d01eb7cb": "caffe", "00b39a1b": "caffe",
}  # fmt: skip
"""The start of a file's SHA-256, which is a part of its published name: VGG19 and VGG16, of each kind."""

# The authors trained VGG16 and VGG19 on from their shallowest network, and both have the biases of its first layer.
_AUTHORS_BIASES = (0.7302, 0.0649, 0.0343, 0.8260)
_ROUNDED = 4e-3  # as in bfloat16

# Gains, as `_gain` counts them. First layer: Caffe's VGG16 0.76, torchvision's about 1.1; our own starter network 6.4;
# Caffe's folded for torchvision's input 44; Caffe's scaled to a mean activation of one, as in Gatys's PyTorch code,
# about 0.03. Later layers: Caffe's 0.34 to 0.72, 0.42 in the middle, for they bring activations of the order of 100
# down to scores of the order of 10; torchvision's 0.8 to 1, near its start at random.
_SURELY_NORMALISED, _SURELY_LEVELS, _SHRINKING = 2.0, 0.1, 0.6
# The root mean square of first biases over that of first filters: Caffe's 2.9; torchvision's about 1.8; a network whose
# activations were made smaller 0.06; PyTorch's own start at random, whose gain is 0.41 in all layers, 1.0.
_BIASES = 2.0


def guess(convs: Convs, name: str = "") -> Input:
    """The input that these weights expect, as they come from a file called `name`.

    The numbers decide: filters for levels are some sixty times smaller than others that answer as strongly. Where a
    network's activations are themselves some sixty times larger, as the authors' are, the first layer looks like any
    other, and either its published biases give it away, or later layers that shrink what they get.
    """
    weight, bias = convs["conv1_1"]
    first, later = _gain(weight), [_gain(convs[name][0]) for name in list(convs)[1:]]
    middle = statistics.median(later) if later else 1.0
    if first > _SURELY_NORMALISED:
        return "torchvision"
    for hash_, known in _HASHES.items():
        if hash_ in name:
            return known
    published = bias[: len(_AUTHORS_BIASES)]
    if torch.allclose(published, torch.tensor(_AUTHORS_BIASES)[: len(bias)], rtol=0, atol=_ROUNDED):
        return "caffe"
    if 0 < first < _SURELY_LEVELS and middle > 3 * first:
        return "caffe"
    authors = [len(pair[0]) for pair in convs.values()][:2] == [64, 64]
    return "caffe" if authors and middle < _SHRINKING and _rms(bias) > _BIASES * _rms(weight) else "torchvision"


def for_torchvision(weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """A first layer for Caffe's input, (out, 3, height, width) and (out), as one that takes torchvision's instead.

    Its answers stay the same within rounding, but for those at the picture's border: the zeros around it are
    torchvision's mean colour and not Caffe's, half a level apart.
    """
    mean, deviation = (255 * torch.tensor(values, dtype=torch.float64) for values in (MEAN, DEVIATION))
    caffe = torch.tensor(_CAFFE_MEAN, dtype=torch.float64)
    filters = weight.double().flip(1)
    shifted = bias.double() + filters.sum((2, 3)) @ (mean - caffe)
    return (filters * deviation[:, None, None]).float(), shifted.float()


def _rms(tensor: Tensor) -> float:
    return float(tensor.square().mean().sqrt())


def _gain(weight: Tensor) -> float:
    """By how much such filters change the size of what they get, in a network of rectified layers (He et al. 2015)."""
    return _rms(weight) * math.sqrt(weight[0].numel() / 2)
