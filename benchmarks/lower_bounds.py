"""The least an iteration can take: its convolutions and nothing else, or its arithmetic as matrix products."""

from __future__ import annotations

import time

import torch
import torch.nn.functional as F

from engine.recipe.vgg_layers import convs, starts_block

FORMATS = {"channels-last": torch.channels_last, "NCHW": torch.contiguous_format}
"""The memory layouts of which bare convolutions take the faster one."""
_GEMM_SIDE = 2048
_GEMMS = 2


class BareConvolutions:
    """Every conv of the trunk forward and backward to its input, on inputs of the right shapes; nothing in between."""

    def __init__(
        self, side: int, layers: int, memory_format: torch.memory_format, device: str = "cpu",
        dtype: torch.dtype = torch.float32, *, network: str = "vgg19",
    ) -> None:  # fmt: skip
        generator = torch.Generator().manual_seed(0)
        self._convs = []
        width = 3
        for name, _, out, _ in convs(network)[:layers]:
            side = side // 2 if starts_block(name) else side
            shapes = (1, width, side, side), (out, width, 3, 3), (1, out, side, side)
            x, weight, gradient = (
                torch.rand(shape, generator=generator).to(device, dtype, memory_format=memory_format)
                for shape in shapes
            )
            self._convs.append((x, weight, torch.zeros_like(weight[:, 0, 0, 0]), gradient))
            width = out

    def step(self) -> None:
        """One iteration's convolutions; what they return is thrown away at once."""
        for x, weight, bias, _ in self._convs:
            F.conv2d(x, weight, bias, padding=1)
        for x, weight, _, gradient in reversed(self._convs):
            torch.ops.aten.convolution_backward(
                gradient, x, weight, None, [1, 1], [1, 1], [1, 1], False, [0, 0], 1, [True, False, False]
            )


class MatrixProducts:
    """The rate of large square products, and how long an iteration's arithmetic would take at it."""

    def __init__(self, flops: float) -> None:
        self._flops = flops
        self._a, self._b = (torch.rand(_GEMM_SIDE, _GEMM_SIDE) for _ in range(2))
        self._out = torch.empty(_GEMM_SIDE, _GEMM_SIDE)

    def seconds(self) -> float:
        """Seconds for the iteration's operations, measured now."""
        began = time.perf_counter()
        for _ in range(_GEMMS):
            torch.mm(self._a, self._b, out=self._out)
        return (time.perf_counter() - began) / _GEMMS / (2 * _GEMM_SIDE**3) * self._flops
