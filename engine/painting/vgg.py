"""VGG19's convolutional trunk (Simonyan & Zisserman 2015), cut after the deepest layer in use.

Layers are named convB_I before and reluB_I after the rectification.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.painting import winograd

Convs = Mapping[str, tuple[Tensor, Tensor]]
"""Name of each conv layer, conv1_1 on: its weight (out, in, 3, 3) and bias (out), float32."""

# torchvision's ImageNet statistics, of RGB in [0, 1].
MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)

_BLOCKS = ((1, 2, 64), (2, 2, 128), (3, 4, 256), (4, 4, 512), (5, 4, 512))
CHANNELS = {f"conv{block}_{i}": width for block, n, width in _BLOCKS for i in range(1, n + 1)}
"""Filters of each conv layer, in order."""

NAMES = tuple(CHANNELS)

_WIDE = 128 * 256  # filters in times out; below, Winograd's transforms cost more than it saves


def conv_of(layer: str) -> str:
    """The conv layer that a feature map comes from: relu4_2 -> conv4_2."""
    return "conv" + layer[-3:]


def depth(layers: Iterable[str]) -> int:
    """How many conv layers it takes to compute all of `layers`."""
    return max((NAMES.index(conv_of(layer)) + 1 for layer in layers), default=0)


def starts_block(name: str) -> bool:
    """Whether a pooling stands before this conv layer."""
    return name.endswith("_1") and name != NAMES[0]


def normalise(pixels: Tensor) -> Tensor:
    """Levels (0 to 255) to the network's input: (x / 255 - mean) / deviation, per channel."""
    mean = pixels.new_tensor(MEAN).view(1, 3, 1, 1) * 255
    deviation = pixels.new_tensor(DEVIATION).view(1, 3, 1, 1) * 255
    return (pixels - mean) / deviation


class VGG19:
    """The trunk as a function of pixels; its weights take no gradient.

    Weights and features lie channels-last, which measures faster; on the CPU the wide layers, most of the
    work, go by Winograd's algorithm (see `make bench`).
    """

    def __init__(self, convs: Convs, *, pooling: Literal["average", "max"], device: torch.device) -> None:
        self._pool = F.avg_pool2d if pooling == "average" else F.max_pool2d
        self._convs = {
            name: (
                weight.detach().to(device).contiguous(memory_format=torch.channels_last),
                bias.detach().to(device),
            )
            for name, (weight, bias) in convs.items()
        }
        self._transformed = {
            name: winograd.transform(weight)
            for name, (weight, _) in self._convs.items()
            if (device.type, weight.dtype) == ("cpu", torch.float32) and weight.shape[0] * weight.shape[1] >= _WIDE
        }

    @property
    def fast_layers(self) -> tuple[str, ...]:
        """The conv layers that are computed by Winograd's algorithm."""
        return tuple(self._transformed)

    def __call__(self, pixels: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        """Feature maps (1, filters, h, w) of `layers` for pixels (1, 3, height, width) in levels."""
        wanted = set(layers)
        features: dict[str, Tensor] = {}
        x = normalise(pixels).contiguous(memory_format=torch.channels_last)
        for name in NAMES[: depth(wanted)]:
            if starts_block(name):
                x = self._pool(x, 2)
            weight, bias = self._convs[name]
            transformed = self._transformed.get(name)
            x = F.conv2d(x, weight, bias, padding=1) if transformed is None else winograd.conv2d(x, transformed, bias)
            if name in wanted:
                features[name] = x
            # The conv's own result is not needed again, unless it is asked for: rectify it where it lies.
            x = F.relu(x, inplace=name not in wanted)
            relu = name.replace("conv", "relu")
            if relu in wanted:
                features[relu] = x
        return features
