"""How near a painting is to its content and to its style, in numbers that do not depend on who painted it.

One network looks at every picture: average pooling, activations as large as those of the authors' Caffe network, and
Gatys et al.'s own losses (2016), each over that of a reference picture, so that it has no unit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import torch
from PIL import Image
from torch import Tensor

from benchmarks.peers import CONTENT_LAYER, STYLE_LAYERS
from engine.painting import losses, pictures
from engine.painting.network import vgg
from engine.painting.network.calibration import calibrated

LAYERS = (CONTENT_LAYER, *STYLE_LAYERS)
"""What a network must have to measure with."""
GREY = 127.5  # level
_HIGHEST = 1 - 1 / 8
"""Where the highest eighth of frequencies begins, in parts of the highest of all, half a cycle per pixel."""


class Measures(NamedTuple):
    """What was measured of one picture."""

    content_lost: float
    """0: nothing of the content's features at relu4_2 is lost; 1: as much as in a flat grey picture."""
    style_missing: tuple[float, ...]
    """At each of the style layers, 0: the style's own Gram matrix; 1: as far from it as the content photograph is."""
    grid: float
    """Energy in the finest detail, in parts of the style's: far above 1 where the picture has specks or a grid."""


class Measurer:
    """Measures pictures with one network, on the CPU."""

    def __init__(self, convs: vgg.Convs) -> None:
        """`convs` must lead to `LAYERS`."""
        self._network = vgg.VGG(calibrated(convs), pooling="average", device=torch.device("cpu"))

    def __call__(self, picture: Image.Image, content: Image.Image, style: Image.Image) -> Measures:
        """Of a picture, at its own size.

        The content is brought to exactly that size, and the style to one whose longest side is the picture's.
        """
        content = content.convert("RGB").resize(picture.size, Image.Resampling.LANCZOS)
        style = pictures.fit(style, max(picture.size))
        seen, wanted, aim = (self._features(pictures.to_tensor(shown)) for shown in (picture, content, style))
        grey = self._features(torch.full((1, 3, picture.height, picture.width), GREY))
        return Measures(
            content_lost=_over(_content_loss(seen, wanted), _content_loss(grey, wanted)),
            style_missing=tuple(
                _over(_style_loss(seen, aim, layer), _style_loss(wanted, aim, layer)) for layer in STYLE_LAYERS
            ),
            grid=_over(fine_energy(picture), fine_energy(style)),
        )

    def _features(self, pixels: Tensor) -> dict[str, Tensor]:
        return self._network(pixels, LAYERS)


def fine_energy(picture: Image.Image) -> float:
    """The share of a picture's energy that lies in the highest eighth of frequencies along either axis; 0 to 1.

    Of its luminance without the mean, under a Hann window, since the jump from one edge to the other is no detail.
    """
    grey = pictures.grey(pictures.to_tensor(picture))[0, 0].double()
    height, width = grey.shape
    window = torch.outer(
        torch.hann_window(height, periodic=False, dtype=grey.dtype),
        torch.hann_window(width, periodic=False, dtype=grey.dtype),
    )
    mean = (grey * window).sum() / window.sum()  # nothing of it is left
    energy = torch.fft.fft2((grey - mean) * window).abs().square()
    across, down = (torch.fft.fftfreq(side, dtype=grey.dtype).abs() * 2 for side in (width, height))
    highest = torch.maximum(down[:, None], across[None, :]) >= _HIGHEST
    return _over(float(energy[highest].sum()), float(energy.sum()))


def _content_loss(seen: dict[str, Tensor], content: dict[str, Tensor]) -> float:
    """Mean of (F - P)^2 / 4."""
    features = seen[CONTENT_LAYER]
    return float(losses.content_loss(features, content[CONTENT_LAYER], features.numel())[0])


def _style_loss(seen: dict[str, Tensor], style: dict[str, Tensor], layer: str) -> float:
    """E_l (eq. 4)."""
    return float(losses.gram_loss(losses.moments(seen[layer]), losses.moments(style[layer])))


def _over(value: float, reference: float) -> float:
    """The quotient; 0 of nothing is 0, and anything else of nothing is infinite."""
    if reference > 0:
        return value / reference
    return math.inf if value > 0 else 0.0


def lacking(names: Iterable[str]) -> list[str]:
    """The layers that a network with these convolutions cannot measure at."""
    known = set(names)
    return [layer for layer in LAYERS if f"conv{layer[-3:]}" not in known]
