"""VGG19's trunk to be trained: batch norm behind each convolution, average pooling, and heads at several depths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.painting import vgg

DEPTHS = ("conv2_2", "conv3_1", "conv3_4", "conv4_1", "conv5_1")
"""Where heads look at the (rectified) features, as far down as there are any: each depth must be good for something."""
_LOUDEST = 100  # how many times the variance of the strongest pattern may exceed what the weakest are taken for
_PROJECTED, _EMBEDDED = 24, 64


class Trunk(nn.Module):
    """The convolutions down to `last`, with batch norm while they are trained."""

    def __init__(self, last: str) -> None:
        super().__init__()
        self.layers = vgg.NAMES[: vgg.NAMES.index(last) + 1]
        self.convs = nn.ModuleDict()
        self.norms = nn.ModuleDict()
        inputs = 3
        for name in self.layers:
            self.convs[name] = nn.Conv2d(inputs, vgg.CHANNELS[name], 3, padding=1, bias=False)
            self.norms[name] = nn.BatchNorm2d(vgg.CHANNELS[name])
            inputs = vgg.CHANNELS[name]

    def at(self, name: str) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
        """That layer's convolution and its norm."""
        return cast(nn.Conv2d, self.convs[name]), cast(nn.BatchNorm2d, self.norms[name])

    def forward(self, pixels: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        """The rectified features of these layers, for pixels (n, 3, height, width) in levels."""
        x = vgg.normalise(pixels).contiguous(memory_format=torch.channels_last)
        found = {}
        for name in self.layers:
            if vgg.starts_block(name):
                x = F.avg_pool2d(x, 2)
            x = F.relu(self.norms[name](self.convs[name](x)), inplace=True)
            if name in layers:
                found[name] = x
        return found


class Head(nn.Module):
    """Features to a direction: their mean, and the covariance of a few projections, as in a style loss."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.project = nn.Conv2d(channels, _PROJECTED, 1, bias=False)
        self.norm = nn.BatchNorm1d(channels + _PROJECTED * (_PROJECTED + 1) // 2)
        self.embed = nn.Linear(self.norm.num_features, _EMBEDDED, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """(n, channels, height, width) to (n, 64), of length one."""
        few = self.project(features).flatten(2)
        few = few - few.mean(2, keepdim=True)
        covariance = few @ few.transpose(1, 2) / few.shape[2]
        upper = torch.triu_indices(_PROJECTED, _PROJECTED)
        return F.normalize(self.embed(self.norm(torch.cat(
            [features.mean((2, 3)), covariance[:, upper[0], upper[1]]], 1
        ))))  # fmt: skip


@torch.no_grad()
def whiten(trunk: Trunk, pixels: Tensor) -> None:
    """Have the first layer see all that patches differ in about equally, colours as well as edges.

    Trained it would learn to see light and shade, which tell more of what is shown, but less of how it is painted.
    Filters come in pairs of opposite sign, so that rectification loses nothing (Jordan 2024 begins in the same way).
    """
    conv, _ = trunk.at(vgg.NAMES[0])
    patches = F.unfold(vgg.normalise(pixels), 3).transpose(1, 2).flatten(0, 1)
    variances, patterns = torch.linalg.eigh(torch.cov(patches.T))
    patterns = patterns / (variances + variances.max() / _LOUDEST).sqrt()
    mixed = nn.init.orthogonal_(torch.empty(conv.weight.shape[0] // 2, len(variances))).to(pixels) @ patterns.T
    conv.weight.copy_(torch.cat([mixed, -mixed]).view_as(conv.weight))


@torch.no_grad()
def begin_from(trunk: Trunk, convs: vgg.Convs, pixels: Tensor) -> None:
    """Have the trunk compute what `folded` weights compute, as deep as they go, for batches that are like `pixels`."""
    x = vgg.normalise(pixels)
    for name in filter(convs.__contains__, trunk.layers):
        if vgg.starts_block(name):
            x = F.avg_pool2d(x, 2)
        weight, bias = (t.to(pixels) for t in convs[name])
        x = F.conv2d(x, weight, padding=1)
        variance, mean = torch.var_mean(x, (0, 2, 3), correction=0)
        conv, norm = trunk.at(name)
        conv.weight.copy_(weight)
        norm.weight.copy_((variance + norm.eps).sqrt())
        norm.bias.copy_(mean + bias)
        x = F.relu(x + bias.view(1, -1, 1, 1))


@torch.no_grad()
def folded(trunk: Trunk, pixels: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    """Weight and bias of each layer, without batch norm, on the CPU.

    The norms' means and variances are taken anew over `pixels`, which should be larger than the crops: there are
    fewer borders in a picture. Each layer is then scaled as a whole to a mean activation of one; scaling channel by
    channel would make rare ones loud, and speckles of them.
    """
    x = vgg.normalise(pixels)
    convs = {}
    for name in trunk.layers:
        if vgg.starts_block(name):
            x = F.avg_pool2d(x, 2)
        conv, norm = trunk.at(name)
        x = conv(x)
        variance, mean = torch.var_mean(x, (0, 2, 3), correction=0)
        gain = norm.weight / (variance + norm.eps).sqrt()
        bias = norm.bias - mean * gain
        x = F.relu(x * gain.view(1, -1, 1, 1) + bias.view(1, -1, 1, 1))
        unit = x.mean()
        x = x / unit
        # The layer's input was divided by the unit of the one before, and so was what `mean` was taken of.
        convs[name] = ((conv.weight * (gain / unit).view(-1, 1, 1, 1)).cpu().contiguous(), (bias / unit).cpu())
    return convs
