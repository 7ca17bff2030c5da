"""What a painting is compared with: the content's features and the styles' statistics, computed once a scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.painting import losses
from engine.painting.losses import Moments, Target
from engine.painting.memory.strips import LEAST_ROWS, Strip, cut, margin
from engine.painting.network.vgg import VGG
from engine.painting.pyramid import pyramid
from engine.recipe.recipe import Recipe
from engine.recipe.vgg_layers import stride

_SMALL = 2**18
"""Pixels of a style that needs no strips, unless the painting does: it takes about a quarter of a gigabyte."""

_MOST_RAISED = 4
"""Times that a faint style may be weighed up: one of black alone has nothing to be brought to."""

STYLE_LOSS = {"gram": losses.gram_loss, "covariance": losses.covariance_loss, "wasserstein": losses.wasserstein_loss}


class ContentTarget:
    """The content's features, in a picture that is painted whole; else looked at again, strip by strip.

    `weights` are those of the layers in the loss; `counts` N M of each whole layer.
    """

    def __init__(self, network: VGG, picture: Tensor, layers: Sequence[str], *, alpha: float, rows: int | None) -> None:
        self._network, self._picture, self._layers = network, picture, layers
        strips = cut(picture.shape[2], rows, layers)
        self.counts = dict.fromkeys(layers, 0)
        squares = dict.fromkeys(layers, 0.0)
        for strip in strips:
            features = self._look(strip)
            for layer, own in features.items():
                squares[layer] += float(own.square().sum(dtype=torch.promote_types(own.dtype, torch.float32)))
                self.counts[layer] += own.numel()
        self._kept = features if len(strips) == 1 else None
        share = alpha / max(1, len(layers))
        self.weights = {layer: picture.new_tensor(share) for layer in layers}
        self.empty_loss = sum(share * squares[layer] / self.counts[layer] / 4 for layer in layers)
        """The loss of a picture without any features."""

    @property
    def tensors(self) -> list[Tensor]:
        """The target's tensors, as they lie on the device."""
        return [*self.weights.values(), *(self._kept or {"picture": self._picture}).values()]

    def at(self, strip: Strip) -> dict[str, Tensor]:
        """Features (1, N, h, w) by layer of the strip's own rows."""
        return self._look(strip) if self._kept is None else self._kept

    def _look(self, strip: Strip) -> dict[str, Tensor]:
        features = self._network(strip.of(self._picture), self._layers)
        return {layer: features[layer][:, :, strip.own(layer)] for layer in self._layers}


class StyleTarget(NamedTuple):
    """What one style layer is compared with: `layer` by number, its weight in the loss, the style's moments.

    `mask` (1, 1, h, w) says where in the painting's layer; None: everywhere.
    """

    layer: int
    weight: Tensor
    moments: Target
    mask: Tensor | None = None

    @property
    def tensors(self) -> list[Tensor]:
        """All tensors of the target that an iteration looks up."""
        own = [self.weight, *self.moments, self.moments.covariance]
        return own if self.mask is None else [*own, self.mask]


class Masks(NamedTuple):
    """Where each style applies in the painting, and which part of each style counts.

    Either none, or one for each style: (1, 1, height, width), 0 to 1, as large as the content or that style.
    """

    content: Sequence[Tensor] = ()
    styles: Sequence[Tensor] = ()

    def to(self, device: torch.device) -> Masks:
        """The masks on that device."""
        return Masks(*([mask.to(device) for mask in part] for part in self))


class Targets:
    """What one network compares a painting with: `content`, and `styles` by octave and style layer."""

    def __init__(
        self, recipe: Recipe, network: VGG, content: Tensor, styles: Sequence[Tensor], *, octaves: int,
        rows: int | None = None, masks: Masks | None = None,
    ) -> None:  # fmt: skip
        """Pictures are (1, 3, height, width) in levels, on the network's device; looked at in strips of `rows` px."""
        self._recipe, self._network, self._rows = recipe, network, rows
        self.content = ContentTarget(network, content, recipe.content_layers, alpha=recipe.alpha, rows=rows)
        self._size = content.shape[2:]
        masks = masks or Masks()
        pyramids = [pyramid(style, octaves) for style in styles]
        self.styles = [
            self._styles([levels[octave] for levels in pyramids], masks, octave, recipe.beta / octaves)
            for octave in range(octaves)
        ]

    @property
    def tensors(self) -> list[Tensor]:
        """All tensors of the targets, as they lie on the device."""
        return [*self.content.tensors, *(tensor for octave in self.styles for t in octave for tensor in t.tensors)]

    def empty_loss(self) -> float:
        """The loss of a picture without any features."""
        targets = [target for octave in self.styles for target in octave]
        return self.content.empty_loss + sum(float(target.weight) * self._empty(target.moments) for target in targets)

    def _styles(self, pictures: Sequence[Tensor], masks: Masks, octave: int, beta: float) -> list[StyleTarget]:
        """Without masks of the content all styles are one: mixed by their weights, as if side by side in one picture.

        With them every style is a target of its own. It weighs by the share of the painting that is its own: at each
        position the style is then as strong, compared with the content, as it is without masks.
        """
        weights = self._recipe.style_weights
        seen = [
            self._statistics(picture, masks.styles[i] if masks.styles else None) for i, picture in enumerate(pictures)
        ]
        if not masks.content:
            return self._region(seen, weights, None, octave, beta)
        usual = sum(weights) / len(weights)
        return [
            target
            for own, weight, mask in zip(seen, weights, masks.content, strict=True)
            for target in self._region([own], [weight], mask, octave, beta * weight / usual * float(mask.mean()))
        ]

    def _region(
        self, seen: Sequence[dict[str, Moments]], weights: Sequence[float], mask: Tensor | None,
        octave: int, beta: float,
    ) -> list[StyleTarget]:  # fmt: skip
        """A target for each style layer, of the styles mixed by their weights."""
        recipe, shares = self._recipe, [weight / sum(weights) for weight in weights]
        moments = [Target(*losses.mixed([style[layer] for style in seen], shares)) for layer in recipe.style_layers]
        beta *= self._balance(moments)
        targets = []
        for i, (layer, layer_weight) in enumerate(zip(recipe.style_layers, recipe.style_layer_weights, strict=True)):
            height, width = (side // stride(layer) >> octave for side in self._size)
            own = None if mask is None else shrunk(mask, height, width)
            targets.append(StyleTarget(i, moments[i].mean.new_tensor(beta * layer_weight), moments[i], own))
        return targets

    def _balance(self, moments: Sequence[Target]) -> float:
        """The factor that brings a style of these moments, by layer, between `style_floor` and `style_ceiling`."""
        recipe = self._recipe
        if not recipe.style_ceiling and not recipe.style_floor:
            return 1.0
        layers = zip(recipe.style_layer_weights, moments, strict=True)
        own = sum(weight * self._empty(layer) for weight, layer in layers)
        if own < recipe.style_floor:
            return recipe.style_floor / max(own, recipe.style_floor / _MOST_RAISED)
        return recipe.style_ceiling / max(own, recipe.style_ceiling) if recipe.style_ceiling else 1.0

    def _empty(self, moments: Target) -> float:
        """The loss of a layer without any features."""
        nothing = Moments(torch.zeros_like(moments.mean), torch.zeros_like(moments.product))
        return float(STYLE_LOSS[self._recipe.statistic](nothing, moments))

    def _statistics(self, picture: Tensor, mask: Tensor | None) -> dict[str, Moments]:
        """The picture's moments by style layer, over the mask if there is one."""
        layers = self._recipe.style_layers
        sizes = ([side // stride(layer) for side in picture.shape[2:]] for layer in layers)
        masks = [None if mask is None else shrunk(mask, *size) for size in sizes]
        rows = self._rows_of(picture)
        found = moments_in_strips(self._network, picture, list(zip(layers, masks, strict=True)), layers, rows)
        return dict(zip(layers, found, strict=True))

    def _rows_of(self, style: Tensor) -> int | None:
        """Height of the strips, px, in which a look at the style takes no more memory than is planned for the painting.

        Nothing is kept for a way back, so that as much holds twice the pixels. None: whole, if the painting is; where
        that is in strips, every style is in strips that are no higher.
        """
        (height, width), margins = self._size, 2 * margin(self._recipe.style_layers)
        planned = height if self._rows is None else self._rows + margins
        most = max(_SMALL, 2 * planned * width) // style.shape[3]  # rows at once, with margins
        if style.shape[2] <= most:
            return self._rows
        rows = max(LEAST_ROWS, most - margins)
        return rows if self._rows is None else min(rows, self._rows)


def moments_in_strips(
    network: VGG, picture: Tensor, wanted: Sequence[tuple[str, Tensor | None]], layers: Sequence[str], rows: int | None
) -> list[Moments]:
    """The moments of each layer in `wanted`, over its mask if there is one, summed over strips of `rows` px."""
    found: list[list[Moments]] = [[] for _ in wanted]
    counts: list[list[float]] = [[] for _ in wanted]
    for strip in cut(picture.shape[2], rows, layers):
        features = network(strip.of(picture), layers)
        for i, (layer, mask) in enumerate(wanted):
            own = features[layer][:, :, strip.own(layer)]
            part = None if mask is None else strip.part(mask, layer, own)
            found[i].append(losses.moments(own, part))
            counts[i].append(own[0, 0].numel() if part is None else float(part.sum()))
    return [losses.mixed(parts, count) for parts, count in zip(found, counts, strict=True)]


def shrunk(mask: Tensor, height: int, width: int) -> Tensor:
    """The mask (1, 1, height, width) at a layer's size, by the mean of what each position stands for."""
    return F.adaptive_avg_pool2d(mask, (height, width))
