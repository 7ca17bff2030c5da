"""The teacher: the convolutions of a pretrained VGG16 or VGG19, from a file with torchvision's names."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.painting.network import vgg
from engine.painting.network.pooling import Pooling
from engine.recipe.recipe import PoolingKind
from engine.recipe.vgg_layers import NAMES, starts_block

_VGG16 = (2, 2, 3, 3, 3)  # convolutions in each block
_VGG19 = (2, 2, 4, 4, 4)


class Teacher:
    """A frozen VGG as a function of pixels."""

    def __init__(self, convs: vgg.Convs) -> None:
        """`convs`: weight (out, in, 3, 3) and bias (out) of each layer, conv1_1 on, in order."""
        self.convs = {
            name: (weight.contiguous(memory_format=torch.channels_last), bias) for name, (weight, bias) in convs.items()
        }

    @property
    def widths(self) -> dict[str, int]:
        """Filters of each layer."""
        return {name: len(bias) for name, (_, bias) in self.convs.items()}

    def to(self, device: torch.device) -> Teacher:
        """The same on that device."""
        return Teacher({name: (weight.to(device), bias.to(device)) for name, (weight, bias) in self.convs.items()})

    @torch.no_grad()
    def __call__(self, pixels: Tensor, layers: Collection[str], pooling: PoolingKind = "average") -> dict[str, Tensor]:
        """Rectified features (n, filters, h, w) of these conv layers, for pixels (n, 3, height, width) in levels."""
        left, found, pool = set(layers), {}, Pooling(pooling)
        x = vgg.normalise(pixels).contiguous(memory_format=torch.channels_last)
        for name, (weight, bias) in self.convs.items():
            if not left:
                break
            if starts_block(name):
                x = pool(x)
            x = F.conv2d(x, weight, bias, padding=1).relu_()
            if name in left:
                found[name] = x
                left.remove(name)
        return found


def read_teacher(path: Path) -> dict[str, tuple[Tensor, Tensor]]:
    """Weight and bias of each convolution in a PyTorch file with torchvision's keys (`features.N.weight`).

    VGG16 is told from VGG19 by N: the former has a convolution at 17, the latter one at 16.
    """
    state = torch.load(path, map_location="cpu", weights_only=True)
    if "features.0.weight" not in state:
        raise ValueError(f"{path.name} has no features.0.weight: not a VGG with torchvision's names.")
    blocks = _VGG19 if "features.16.weight" in state else _VGG16
    convs, at = {}, 0
    for block, count in enumerate(blocks, 1):
        for i in range(1, count + 1):
            if f"features.{at}.weight" in state:
                weight, bias = state[f"features.{at}.weight"], state[f"features.{at}.bias"]
                convs[f"conv{block}_{i}"] = (weight.float(), bias.float())
            at += 2  # the convolution and its rectification
        at += 1  # the pooling
    return convs


def in_vgg19s_shape(convs: vgg.Convs) -> dict[str, tuple[Tensor, Tensor]]:
    """The same network with VGG19's layers: those that VGG16 lacks pass on what they get."""
    filled: dict[str, tuple[Tensor, Tensor]] = {}
    for name in NAMES:
        if name in convs:
            filled[name] = convs[name]
        elif filled:
            width = next(reversed(filled.values()))[0].shape[0]
            weight = torch.zeros(width, width, 3, 3)
            weight[range(width), range(width), 1, 1] = 1
            filled[name] = (weight, torch.zeros(width))
    return filled


def digest(path: Path) -> str:
    """The file's SHA-256, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
