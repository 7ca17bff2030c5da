"""What a painting is compared with: the content's features and the styles' statistics, computed once a scale.

**The balance.** The talk's 5 * content + 100 * style was set for the Caffe VGG19 on the 0-255 scale, whose activations
are many times torchvision's. Instead of a new pair of numbers for each file of weights we do what Gatys et al. (2016,
section 2) do to their network: rescale every layer so that its mean activation is one. Rectification and average
pooling commute with a positive factor, so that dividing features by their target's mean activation u is the same as
rescaling the filters, and folds into the loss weights: 1 / u^2 for content, 1 / u^4 for Gram matrices. The mean is
taken over the run's own pictures. Covariance losses are relative already.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from engine.painting import losses
from engine.painting.losses import Moments
from engine.painting.pyramid import pyramid
from engine.painting.recipe import Recipe
from engine.painting.strips import cut
from engine.painting.vgg import VGG19

STYLE_LOSS = {"gram": losses.gram_loss, "covariance": losses.covariance_loss}


class ContentTarget(NamedTuple):
    """A content layer's weight in the loss, and the content's features (1, N, h, w)."""

    weight: float
    features: Tensor


class StyleTarget(NamedTuple):
    """A style layer's weight in the loss, and the style's moments."""

    weight: float
    moments: Moments


class Targets:
    """Of one network: `content` by content layer, `styles` by octave and style layer."""

    def __init__(
        self, recipe: Recipe, network: VGG19, content: Tensor, styles: Sequence[Tensor], *, octaves: int,
        rows: int | None = None,
    ) -> None:  # fmt: skip
        """Pictures are (1, 3, height, width) in levels, on the network's device; looked at in strips of `rows` px."""
        self._recipe, self._network, self._rows = recipe, network, rows
        self.content = self._content(content)
        shares = [weight / sum(recipe.style_weights) for weight in recipe.style_weights]
        pyramids = [pyramid(style, octaves) for style in styles]
        self.styles = [
            self._styles([levels[octave] for levels in pyramids], shares, recipe.beta / octaves)
            for octave in range(octaves)
        ]

    def energy(self) -> float:
        """The loss of a picture without any features."""
        loss = STYLE_LOSS[self._recipe.statistic]
        energy = sum(weight * float(features.square().mean()) / 4 for weight, features in self.content)
        for weight, moments in (target for octave in self.styles for target in octave):
            nothing = Moments(torch.zeros_like(moments.mean), torch.zeros_like(moments.product))
            energy += weight * float(loss(nothing, moments))
        return energy

    def _content(self, picture: Tensor) -> list[ContentTarget]:
        layers = self._recipe.content_layers
        found: dict[str, list[Tensor]] = {layer: [] for layer in layers}
        for strip in cut(picture.shape[2], self._rows, layers):
            features = self._network(strip.of(picture), layers)
            for layer in layers:
                found[layer].append(features[layer][:, :, strip.own(layer)])
        whole = [torch.cat(found[layer], 2) if len(found[layer]) > 1 else found[layer][0] for layer in layers]
        share = self._recipe.alpha / max(1, len(layers))
        return [ContentTarget(share / _unit(features) ** 2, features) for features in whole]

    def _styles(self, pictures: Sequence[Tensor], shares: Sequence[float], beta: float) -> list[StyleTarget]:
        """The styles' moments mixed by their shares, as if they lay side by side in one picture."""
        recipe = self._recipe
        seen = [self._statistics(picture) for picture in pictures]
        targets = []
        for layer, layer_weight in zip(recipe.style_layers, recipe.style_layer_weights, strict=True):
            mixed = losses.mixed([style[layer][0] for style in seen], shares)
            weight = beta * layer_weight
            if recipe.statistic == "gram":
                weight /= sum(share * style[layer][1] for share, style in zip(shares, seen, strict=True)) ** 4
            targets.append(StyleTarget(weight, mixed))
        return targets

    def _statistics(self, picture: Tensor) -> dict[str, tuple[Moments, float]]:
        """Of each style layer: the moments, and the mean activation."""
        layers = self._recipe.style_layers
        found: dict[str, list[tuple[Moments, float, int]]] = {layer: [] for layer in layers}
        for strip in cut(picture.shape[2], self._rows, layers):
            features = self._network(strip.of(picture), layers)
            for layer in layers:
                own = features[layer][:, :, strip.own(layer)]
                found[layer].append((losses.moments(own), _unit(own), own[0, 0].numel()))
        result = {}
        for layer in layers:
            moments, units, counts = zip(*found[layer], strict=True)
            shares = [count / sum(counts) for count in counts]
            unit = sum(share * unit for share, unit in zip(shares, units, strict=True))
            result[layer] = (losses.mixed(moments, shares), unit)
        return result


def _unit(features: Tensor) -> float:
    """The mean activation (of its magnitude, where the layer is not rectified)."""
    return max(float(features.abs().mean(dtype=torch.promote_types(features.dtype, torch.float32))), 1e-8)
