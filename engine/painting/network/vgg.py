"""VGG's convolutional trunk (Simonyan & Zisserman 2015), of any widths, cut after the deepest layer in use.

Layers are named as in `vgg_layers.py`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping

import torch
from torch import Tensor

from engine.painting.network.convolution import Convolution
from engine.painting.network.pooling import Pooling, relu_backward
from engine.recipe.recipe import PoolingKind
from engine.recipe.vgg_layers import NAMES, depth, named, relu_of, starts_block

Convs = Mapping[str, tuple[Tensor, Tensor]]
"""Each convolution by name, in the order of the network: weight (out, in, 3, 3) and bias (out), float32."""

# torchvision's ImageNet statistics, of RGB in [0, 1].
MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)


def architecture(convs: Convs) -> str:
    """What `vgg_layers.convs` calls the network with these weights."""
    return named((name, len(weight)) for name, (weight, _) in convs.items())


LayerGradient = Callable[[Tensor], Tensor]
"""From a layer's features (1, filters, h, w) to the loss's gradient towards them, in the same shape."""


@functools.lru_cache(16)
def _levels(values: tuple[float, ...], device: torch.device, dtype: torch.dtype) -> Tensor:
    """A number per channel as levels, (1, 3, 1, 1); kept, since to bring numbers to a device would stop it."""
    return torch.tensor(values, device=device, dtype=dtype).view(1, 3, 1, 1) * 255


def normalise(pixels: Tensor) -> Tensor:
    """Levels (0 to 255) to the network's input: (x / 255 - mean) / deviation, per channel."""
    return (pixels - _levels(MEAN, pixels.device, pixels.dtype)) / _levels(DEVIATION, pixels.device, pixels.dtype)


class VGG:
    """The trunk as a function of pixels, forward and backward; its weights take no gradient.

    Everything lies channels-last, which measures faster. With a `dtype` such as bfloat16 it is computed in that, from
    pixels and to a gradient in float32.
    """

    def __init__(
        self, convs: Convs, *, pooling: PoolingKind, gain: float = 1.0, replicate: bool = False, device: torch.device,
        dtype: torch.dtype | None = None,
    ) -> None:  # fmt: skip
        """What is pooled is multiplied by `gain`; with `replicate` the picture's edge goes on around it, not zeros."""
        self.pooling, self._dtype = Pooling(pooling, gain), dtype
        self.convs = {
            name: Convolution(weight.to(dtype), bias.to(dtype), device, replicate=replicate and name == NAMES[0])
            for name, (weight, bias) in convs.items()
        }

    @property
    def tensors(self) -> list[Tensor]:
        """The network's weights, as they lie on the device."""
        return [tensor for conv in self.convs.values() for tensor in conv.tensors]

    def names_to(self, layers: Iterable[str]) -> list[str]:
        """The convolutions that it takes to compute these layers, in order."""
        names = list(self.convs)
        return names[: depth(layers, names)]

    def __call__(self, pixels: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        """Feature maps (1, filters, h, w) of `layers` for pixels (1, 3, height, width) in levels."""
        wanted = set(layers)
        return {layer: x for layer, x in self._forward(pixels, wanted) if layer in wanted}

    def trace(self, pixels: Tensor, layers: Iterable[str]) -> Trace:
        """Feature maps of `layers` as of a call, with what it takes to carry gradients back to the pixels."""
        return Trace(self, dict(self._forward(pixels, set(layers))))

    @torch.no_grad()
    def _forward(self, pixels: Tensor, wanted: set[str]) -> Iterator[tuple[str, Tensor]]:
        """Every relu layer down to the deepest one wanted, and those conv layers that are wanted."""
        x = normalise(pixels).to(dtype=self._dtype, memory_format=torch.channels_last)
        for name in self.names_to(wanted):
            if starts_block(name):
                x = self.pooling(x)
            x = self.convs[name](x)
            if name in wanted:
                yield name, x
                x = x.clamp_min(0)
            else:
                x.clamp_min_(0)
            yield relu_of(name), x


class Trace:
    """One way through the trunk: its features, and the gradient towards its pixels (once: it frees what it held)."""

    def __init__(self, network: VGG, maps: dict[str, Tensor]) -> None:
        self._network, self._maps = network, maps

    def __getitem__(self, layer: str) -> Tensor:
        """The feature map (1, filters, h, w) of a layer that was asked for."""
        return self._maps[layer]

    @torch.no_grad()
    def backward(self, gradients: Mapping[str, LayerGradient]) -> Tensor:
        """The gradient (1, 3, height, width) towards pixels in levels, from the `gradients` towards some layers."""
        gradient: Tensor | None = None
        masked = False  # whether it is zero already where the rectified map is
        names = self._network.names_to(self._maps)
        for before, name in reversed(list(zip(["", *names], names, strict=False))):
            features = self._maps.pop(relu_of(name))
            if relu_of(name) in gradients:
                gradient, masked = _sum(gradient, gradients[relu_of(name)](features)), False
            if gradient is not None and not masked:
                relu_backward(gradient, features, out=gradient)
            if name in gradients:
                gradient = _sum(gradient, gradients[name](self._maps.pop(name)))
            if gradient is not None:
                gradient, masked = self._network.convs[name].backward(gradient), False
                if starts_block(name):
                    gradient = self._network.pooling.backward(gradient, self._maps[relu_of(before)])
                    masked = True
        if gradient is None:
            raise ValueError("No layer has a gradient.")
        gradient = gradient.to(torch.promote_types(gradient.dtype, torch.float32))
        return gradient / _levels(DEVIATION, gradient.device, gradient.dtype)


def _sum(gradient: Tensor | None, more: Tensor) -> Tensor:
    return more if gradient is None else more.add_(gradient)
