"""The student: a slim VGG, and the linear maps by which its features are compared with the teacher's."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.painting.network import vgg
from engine.painting.network.pooling import Pooling
from engine.recipe.recipe import PoolingKind
from engine.recipe.vgg_layers import convs, starts_block

NETWORK = "24,24|64,64|128,128|320,320|384"
"""Filters of each convolution, block by block."""
WIDTHS: Mapping[str, int] = {conv.name: conv.outputs for conv in convs(NETWORK)}
"""The same by name, in order."""
COMPARED = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv4_2", "conv5_1")
"""The layers whose features are compared with the teacher's: those that recipes ask for."""
_SHALLOW = ("conv1_1", "conv2_1")


def enough(features: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The features (n, filters, h, w), of the two shallowest layers those of a quarter of the picture.

    They have most of all numbers to compare, and are soon learned.
    """
    return {
        name: x[..., : (x.shape[2] + 1) // 2, : (x.shape[3] + 1) // 2] if name in _SHALLOW else x
        for name, x in features.items()
    }


class Student(nn.Module):
    """3 x 3 convolutions with rectification, pooling between blocks, zero padding; no batch norm."""

    def __init__(self, widths: Mapping[str, int] = WIDTHS) -> None:
        """`widths`: name and number of filters of each convolution, conv1_1 on, in order."""
        super().__init__()
        self.convs = nn.ModuleDict()
        inputs = 3
        for name, width in widths.items():
            conv = nn.Conv2d(inputs, width, 3, padding=1)
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
            nn.init.zeros_(conv.bias)  # type: ignore[arg-type]
            self.convs[name] = conv
            inputs = width

    def forward(self, pixels: Tensor, pooling: PoolingKind = "average") -> dict[str, Tensor]:
        """The rectified features (n, filters, h, w) of every layer, for pixels (n, 3, height, width) in levels."""
        x = vgg.normalise(pixels).contiguous(memory_format=torch.channels_last)
        found, pool = {}, Pooling(pooling)
        for name, conv in self.convs.items():
            if starts_block(name):
                x = pool(x)
            x = F.relu(conv(x))
            found[name] = x
        return found

    @torch.no_grad()
    def widen(self, convs: vgg.Convs, pixels: Tensor) -> None:
        """Take the filters of a slimmer or shallower student; others stay, and are not yet heard.

        A convolution that `convs` lacks passes on what it gets. The function is kept (Net2Net, Chen et al. 2016) but
        for a factor of each layer, by which its features of `pixels` have a mean square of one.
        """
        x, before, pool = vgg.normalise(pixels), 1.0, Pooling("max")
        for name, conv in ((name, cast(nn.Conv2d, conv)) for name, conv in self.convs.items()):
            x = pool(x) if starts_block(name) else x
            taken = convs.get(name)
            if taken is None:
                width = min(conv.weight.shape[:2])
                taken = (nn.init.dirac_(torch.empty(width, width, 3, 3)), torch.zeros(width))
            (outputs, inputs), bias = taken[0].shape[:2], cast(Tensor, conv.bias)
            conv.weight[:outputs] = 0
            conv.weight[:outputs, :inputs] = taken[0] * before
            bias[:outputs] = taken[1]
            x = F.relu(conv(x))
            before = float(x[:, :outputs].square().mean().sqrt())
            conv.weight[:outputs] /= before
            bias[:outputs] /= before
            x[:, :outputs] /= before

    def tensors(self) -> dict[str, tuple[Tensor, Tensor]]:
        """Weight (out, in, 3, 3) and bias (out) of each layer, float32, on the CPU; copies."""
        convs = {name: cast(nn.Conv2d, conv) for name, conv in self.convs.items()}
        return {
            name: (conv.weight.detach().cpu().clone(), cast(Tensor, conv.bias).detach().cpu().clone())
            for name, conv in convs.items()
        }


class Learner(nn.Module):
    """A student, and for each layer compared a 1 x 1 map without bias from its features to the teacher's.

    Without bias a map takes Gram matrices to Gram matrices: what the student's hold, the mapped ones hold.
    """

    def __init__(self, teacher_widths: Mapping[str, int], widths: Mapping[str, int] = WIDTHS) -> None:
        """`teacher_widths`: the teacher's filters in each of its layers; those in `COMPARED` that both have count."""
        super().__init__()
        self.student = Student(widths)
        self.compared = [name for name in COMPARED if name in widths and name in teacher_widths]
        self.maps = nn.ModuleDict({
            name: nn.Conv2d(widths[name], teacher_widths[name], 1, bias=False) for name in self.compared
        })  # fmt: skip
        for one in self.maps.values():
            nn.init.zeros_(cast(nn.Conv2d, one).weight)  # Gram matrices of chance would be far too large

    @torch.no_grad()
    def fit(self, pixels: Tensor, wanted: Mapping[str, Tensor]) -> None:
        """The maps that foretell the teacher's features of these pixels best, by least squares."""
        features = self.student(pixels, "max")
        for name in self.compared:
            x, y = (f[name].transpose(0, 1).flatten(1).double() for f in (features, wanted))
            square = x @ x.T
            square.diagonal().add_(1e-3 * square.diagonal().mean())
            found = torch.linalg.solve(square, x @ y.T).T
            cast(nn.Conv2d, self.maps[name]).weight.copy_(found[:, :, None, None])

    def forward(
        self,
        pixels: Tensor,
        pooling: PoolingKind = "average",
        *,
        factors: Mapping[str, float] = MappingProxyType({}),
        part: bool = False,
    ) -> dict[str, Tensor]:
        """The foretold features of the teacher (n, its filters, h, w), for pixels (n, 3, height, width) in levels.

        What a map foretells is multiplied by its layer's factor, if there is one. With `part` no more than `enough`.
        """
        features, foretold = self.student(pixels, pooling), {}
        features = enough(features) if part else features
        for name in self.compared:
            weight = cast(nn.Conv2d, self.maps[name]).weight
            foretold[name] = F.conv2d(features[name], weight * factors.get(name, 1.0))
        return foretold
