"""One 3x3 convolution, forward and backward towards its input, by whichever way is the fastest for its width."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.painting.network import padding, winograd

_WIDE = 128 * 256  # filters in times out; below, Winograd's transforms cost more than it saves


class Convolution:
    """y = weight * x + bias with zeros around x, or its own edge; nothing is learned, so that only x has a gradient."""

    def __init__(self, weight: Tensor, bias: Tensor, device: torch.device, *, replicate: bool = False) -> None:
        """Weight (out, in, 3, 3) and bias (out)."""
        self._replicate = replicate
        weight, self._bias = weight.detach().to(device), bias.detach().to(device)
        narrow = replicate or weight[:, :, 0, 0].numel() < _WIDE
        self.fast = (device.type, weight.dtype) == ("cpu", torch.float32) and not narrow
        """Whether the convolution goes by Winograd's algorithm: on the CPU, where it is most of the work."""
        if self.fast:
            self._transformed = winograd.transform(weight)
        else:
            self._weight = weight.contiguous(memory_format=torch.channels_last)
            # Backward is a convolution too, with each filter turned around: that measures faster than torch's own.
            self._turned = weight.flip(2, 3).transpose(0, 1).contiguous(memory_format=torch.channels_last)

    @property
    def tensors(self) -> list[Tensor]:
        """The tensors that the convolution holds, on the device."""
        return [self._transformed, self._bias] if self.fast else [self._weight, self._turned, self._bias]

    def __call__(self, x: Tensor) -> Tensor:
        """(1, in, h, w) to (1, out, h, w), both channels-last."""
        if self.fast:
            return winograd.forward(x, self._transformed, self._bias)
        if self._replicate:
            return F.conv2d(padding.pad_with_edge(x), self._weight, self._bias)
        return F.conv2d(x, self._weight, self._bias, padding=1)

    def backward(self, gradient: Tensor) -> Tensor:
        """The gradient (1, out, h, w) towards y, carried to x."""
        if self.fast:
            return winograd.backward(gradient, self._transformed)
        if self._replicate:
            return padding.pad_with_edge_backward(F.conv2d(gradient, self._turned, padding=2))
        return F.conv2d(gradient, self._turned, padding=1)
