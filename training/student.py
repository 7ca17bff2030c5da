"""The student: a slim VGG, and the linear maps by which its features are compared with the teacher's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.painting.network import vgg
from engine.recipe.layers import starts_block

WIDTHS: Mapping[str, int] = {
    "conv1_1": 32, "conv1_2": 32, "conv2_1": 64, "conv2_2": 64, "conv3_1": 160, "conv3_2": 160, "conv4_1": 256,
    "conv4_2": 256, "conv5_1": 256,
}  # fmt: skip
"""Filters of each convolution, in order: half of VGG19's, more in the third block, which has most of a stroke."""
COMPARED = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv4_2", "conv5_1")
"""The layers whose features are compared with the teacher's: those that recipes ask for."""

SHALLOW = ("conv1_1", "conv2_1")
"""Those that are soon learned, and have most of all numbers to compare: a part of each batch is enough."""


class Student(nn.Module):
    """3 x 3 convolutions with rectification, average pooling between blocks, zero padding; no batch norm."""

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

    def forward(self, pixels: Tensor) -> dict[str, Tensor]:
        """The rectified features (n, filters, h, w) of every layer, for pixels (n, 3, height, width) in levels."""
        x = vgg.normalise(pixels).contiguous(memory_format=torch.channels_last)
        found = {}
        for name, conv in self.convs.items():
            if starts_block(name):
                x = F.avg_pool2d(x, 2)
            x = F.relu(conv(x))
            found[name] = x
        return found

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

    def forward(self, pixels: Tensor, shallow: int | None = None) -> dict[str, Tensor]:
        """The foretold features of the teacher (n, its filters, h, w), for pixels (n, 3, height, width) in levels.

        Those of `SHALLOW` layers only for the first `shallow` of the pixels, if that is given.
        """
        features = self.student(pixels)
        return {
            name: self.maps[name](features[name][:shallow] if name in SHALLOW else features[name])
            for name in self.compared
        }
