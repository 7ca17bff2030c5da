"""What is minimised at one scale: targets computed once, then loss terms and gradient for any pixels.

**The balance.** The talk's 5 * content + 100 * style was set for the Caffe VGG19 on the 0-255 scale, whose activations
are many times torchvision's. Instead of a new pair of numbers for each file of weights we do what Gatys et al. (2016,
section 2) do to their network: rescale every layer so that its mean activation is one. Rectification and average
pooling commute with a positive factor, so that dividing features by their target's mean activation u is the same as
rescaling the filters, and folds into the loss weights: 1 / u^2 for content, 1 / u^4 for Gram matrices. The mean is
taken over the run's own pictures. Covariance losses are relative already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.painting import losses
from engine.painting.recipe import Recipe

Network = Callable[[Tensor, Iterable[str]], dict[str, Tensor]]
"""Pixels (1, 3, height, width) in levels, and the names of layers: their feature maps."""
_SMALLEST_OCTAVE = 24  # px of the shorter side; below, a statistic has too few positions to mean anything


class Objective:
    """L = alpha * content + beta * style + total_variation * TV at one scale (Gatys et al. 2016, eq. 7).

    Terms are float32 vectors named by `columns`: the total, the three weighted sums, then each layer's weighted part.
    """

    def __init__(self, recipe: Recipe, networks: Sequence[Network], content: Tensor, styles: Sequence[Tensor]) -> None:
        """Pictures are (1, 3, height, width) in levels, on the device of the networks."""
        self._recipe = recipe
        self._networks = networks
        self._octaves = _octaves([content, *styles], recipe.octaves)
        with torch.no_grad():
            self._targets = [_Targets(recipe, network, content, styles, self._octaves) for network in networks]

    @property
    def scale(self) -> float:
        """The loss of a picture without any features: what `exploded` is measured by."""
        return self._targets[0].energy

    def __call__(self, pixels: Tensor, iteration: int) -> tuple[Tensor, Tensor]:
        """(terms, gradient) at pixels (1, 3, height, width); networks take turns by `iteration`."""
        turn = iteration % len(self._networks)
        pixels = pixels.detach().requires_grad_()
        content, style, variation = self._parts(pixels, self._networks[turn], self._targets[turn])
        sums = [torch.stack(part).sum() if part else pixels.new_zeros(()) for part in (content, style)]
        total = sums[0] + sums[1] + variation
        (gradient,) = torch.autograd.grad(total, pixels)
        terms = torch.stack([total, *sums, variation, *content, *style]).detach()
        return terms, gradient

    def _parts(self, pixels: Tensor, network: Network, targets: _Targets) -> tuple[list[Tensor], list[Tensor], Tensor]:
        recipe, octave = self._recipe, pixels
        content: list[Tensor] = []
        style = [pixels.new_zeros(()) for _ in recipe.style_layers]
        for level, moments in enumerate(targets.moments):
            octave = halve(octave) if level else octave
            features = network(octave, layers_of(recipe, level))
            if level == 0:
                content = [
                    weight * losses.content_loss(features[layer], target)
                    for layer, (weight, target) in zip(recipe.content_layers, targets.content, strict=True)
                ]
            for i, layer in enumerate(recipe.style_layers):
                weight, target = moments[i]
                style[i] = style[i] + weight * _STYLE_LOSS[recipe.statistic](features[layer], target)
        if recipe.total_variation:
            variation = recipe.total_variation * losses.total_variation(pixels)
        else:
            variation = pixels.new_zeros(())
        return content, style, variation


_STATISTIC = {"gram": losses.gram, "covariance": losses.covariance}
_STYLE_LOSS = {"gram": losses.gram_loss, "covariance": losses.covariance_loss}


class _Targets:
    """What the painting's features are compared with, for one network; computed once.

    `content` holds (weight, features) for each content layer, `moments` (weight, style moments) for each octave and
    style layer, `energy` the total loss of a picture without features.
    """

    def __init__(
        self, recipe: Recipe, network: Network, content: Tensor, styles: Sequence[Tensor], octaves: int
    ) -> None:
        features = network(content, recipe.content_layers)
        self.content = [
            (recipe.alpha / len(recipe.content_layers) / _unit(features[layer]) ** 2, features[layer])
            for layer in recipe.content_layers
        ]
        self.moments: list[list[tuple[float, losses.Moments]]] = []
        for level in range(octaves):
            styles = [halve(style) if level else style for style in styles]
            self.moments.append(_style_targets(recipe, network, styles, recipe.beta / octaves))
        self.energy = sum(w * float(losses.content_loss(f, torch.zeros_like(f))) for w, f in self.content)
        self.energy += sum(
            w * (2.0 if recipe.statistic == "covariance" else float(m.product.square().mean()) / 4)
            for octave in self.moments
            for w, m in octave
        )


def _style_targets(
    recipe: Recipe, network: Network, styles: Sequence[Tensor], beta: float
) -> list[tuple[float, losses.Moments]]:
    """(weight, moments) for each style layer: the styles' moments mixed by their shares."""
    shares = [w / sum(recipe.style_weights) for w in recipe.style_weights]
    features = [network(style, recipe.style_layers) for style in styles]
    targets = []
    for layer, layer_weight in zip(recipe.style_layers, recipe.style_layer_weights, strict=True):
        moments = [_STATISTIC[recipe.statistic](f[layer]) for f in features]
        mean = sum(share * m.mean for share, m in zip(shares, moments, strict=True))
        product = sum(share * m.product for share, m in zip(shares, moments, strict=True))
        assert isinstance(mean, Tensor) and isinstance(product, Tensor)  # noqa: S101 - sum() starts from an int
        weight = beta * layer_weight
        if recipe.statistic == "gram":
            weight /= sum(share * _unit(f[layer]) for share, f in zip(shares, features, strict=True)) ** 4
        targets.append((weight, losses.Moments(mean, product)))
    return targets


def columns(recipe: Recipe) -> list[str]:
    """Names of the terms, in order."""
    parts = [f"content {layer}" for layer in recipe.content_layers]
    return [
        "total",
        "content",
        "style",
        "variation",
        *parts,
        *(f"style {layer}" for layer in recipe.style_layers),
    ]


def halve(pixels: Tensor) -> Tensor:
    """The next octave: blurred by the binomial [1 3 3 1] / 8 both ways, every second pixel kept."""
    taps = pixels.new_tensor((1.0, 3.0, 3.0, 1.0)) / 8
    kernel = torch.outer(taps, taps).expand(3, 1, 4, 4)
    return F.conv2d(F.pad(pixels, (1, 1, 1, 1), mode="replicate"), kernel, stride=2, groups=3)


def _octaves(pictures: Sequence[Tensor], most: int) -> int:
    shorter, octaves = min(side for picture in pictures for side in picture.shape[2:]), 1
    while octaves < most and shorter / 2 >= _SMALLEST_OCTAVE:
        shorter, octaves = shorter // 2, octaves + 1
    return octaves


def layers_of(recipe: Recipe, octave: int) -> tuple[str, ...]:
    """The layers that are looked at in that octave, 0 being the picture itself."""
    return recipe.style_layers if octave else (*recipe.content_layers, *recipe.style_layers)


def _unit(features: Tensor) -> float:
    """The mean activation (of its magnitude, where the layer is not rectified)."""
    return max(float(features.abs().mean()), 1e-8)
