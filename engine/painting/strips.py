"""For pictures that do not fit into memory whole: the trunk looks at one strip of rows after the other.

A strip is taken with as many rows above and below as its features can see, so that they are those of the whole picture,
but for rounding. The statistics are summed over the strips first; from them follows what each position's features weigh
in the loss, and each strip's gradient by itself: exact, at the price of one more forward pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.painting import losses, vgg
from engine.painting.objective import Objective, halve, layers_of
from engine.painting.vgg import VGG19

LEAST = 64
"""Rows of a strip, px: narrower ones are nearly all margin."""


@dataclass(frozen=True)
class Part:
    """One strip: its pixels with their margins, and the features of its own rows."""

    pixels: Tensor
    top: int
    """The first row of `pixels` in the whole picture, px."""
    own: dict[str, Tensor]
    """Layer -> (1, N, own rows, w)."""
    first: dict[str, int]
    """Layer -> where those rows begin in the whole feature map."""


class Strips:
    """A network that takes pictures in strips of `rows` px; called, it gives whole feature maps, without gradient."""

    def __init__(self, network: VGG19, rows: int) -> None:
        self._network, self._rows = network, rows

    def __call__(self, pixels: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        """As the network itself."""
        wanted = tuple(layers)
        with torch.no_grad():
            found = [part.own for part in self.parts(pixels, wanted)]
        return {layer: torch.cat([own[layer] for own in found], 2) for layer in wanted}

    def parts(self, pixels: Tensor, layers: Iterable[str]) -> Iterator[Part]:
        """From top to bottom; the features know their gradient towards `Part.pixels` where that is recorded."""
        wanted = tuple(layers)
        margin, step = _reach(wanted)
        height, rows = pixels.shape[2], max(step, self._rows // step * step)
        for start in range(0, height, rows):
            end = min(start + rows, height)
            top = max(0, start - margin)
            strip = pixels[:, :, top : min(height, end + margin)].detach().requires_grad_(torch.is_grad_enabled())
            features = self._network(strip, wanted)
            own, first = {}, {}
            for layer in wanted:
                scale = _scale(layer)
                skip, last = (start - top) // scale, end == height
                count = features[layer].shape[2] - skip if last else (end - start) // scale
                own[layer], first[layer] = features[layer][:, :, skip : skip + count], start // scale
            yield Part(strip, top, own, first)


class ObjectiveInStrips(Objective):
    """The same terms and gradient, to within rounding, in less memory."""

    def __call__(self, pixels: Tensor, iteration: int) -> tuple[Tensor, Tensor]:
        """As for `Objective`."""
        recipe, turn = self._recipe, iteration % len(self._networks)
        strips, targets = self._networks[turn], self._targets[turn]
        assert isinstance(strips, Strips)  # noqa: S101 - it is made with them
        octaves = [pixels.detach().requires_grad_()]
        while len(octaves) < len(targets.moments):
            octaves.append(halve(octaves[-1]))
        content = [pixels.new_zeros(()) for _ in recipe.content_layers]
        style = [pixels.new_zeros(()) for _ in recipe.style_layers]
        gradients = []
        for level, octave in enumerate(octaves):
            weighed = _Weighed(self, strips, octave.detach(), level, turn)
            gradients.append(weighed.gradient)
            style = [sum_ + term for sum_, term in zip(style, weighed.style, strict=True)]
            content = weighed.content or content
        gradient = gradients[0]
        if len(octaves) > 1:
            gradient = gradient + torch.autograd.grad(octaves[1:], octaves[0], gradients[1:])[0]
        variation = pixels.new_zeros(())
        if recipe.total_variation:
            variation = recipe.total_variation * losses.total_variation(octaves[0])
            gradient = gradient + torch.autograd.grad(variation, octaves[0])[0]
        sums = [torch.stack(part).sum() if part else pixels.new_zeros(()) for part in (content, style)]
        terms = torch.stack([sums[0] + sums[1] + variation, *sums, variation, *content, *style]).detach()
        return terms, gradient


class _Weighed:
    """One octave's terms, and their gradient towards its pixels."""

    def __init__(self, objective: ObjectiveInStrips, strips: Strips, pixels: Tensor, level: int, turn: int) -> None:
        self._recipe, self._targets = objective._recipe, objective._targets[turn]
        self._layers = layers_of(self._recipe, level)
        self.content: list[Tensor] = []
        with torch.no_grad():
            moments, counts = self._moments(strips, pixels)
        self.style: list[Tensor] = []
        self._slopes: list[tuple[Tensor, Tensor]] = []
        weigh = {"gram": losses.gram_slope, "covariance": losses.covariance_slope}[self._recipe.statistic]
        for (weight, target), seen, count in zip(self._targets.moments[level], moments, counts, strict=True):
            loss, slope, constant = weigh(seen, target, count)
            self.style.append(weight * loss)
            self._slopes.append((weight * slope, weight * constant))
        if level == 0:
            self.content = [pixels.new_zeros(()) for _ in self._recipe.content_layers]
        self.gradient = torch.zeros_like(pixels)
        for part in strips.parts(pixels, self._layers):
            rows = slice(part.top, part.top + part.pixels.shape[2])
            self.gradient[:, :, rows] += self._towards(part)

    def _moments(self, strips: Strips, pixels: Tensor) -> tuple[list[losses.Moments], list[int]]:
        """Of each style layer, over all strips."""
        layers = self._recipe.style_layers
        sums: dict[str, list[Tensor]] = {}
        counts = dict.fromkeys(layers, 0)
        for part in strips.parts(pixels, layers):
            for layer in layers:
                seen = losses.gram(part.own[layer])
                count = part.own[layer].shape[2] * part.own[layer].shape[3]
                counts[layer] += count
                weighted = [count * seen.mean.double(), count * seen.product.double()]
                known = sums.get(layer)
                sums[layer] = weighted if known is None else [a + b for a, b in zip(known, weighted, strict=True)]
        found = []
        for layer in layers:
            mean, product = (total / counts[layer] for total in sums[layer])
            if self._recipe.statistic == "covariance":
                product = product - torch.outer(mean, mean)
            found.append(losses.Moments(mean.to(pixels.dtype), product.to(pixels.dtype)))
        return found, [counts[layer] for layer in layers]

    def _towards(self, part: Part) -> Tensor:
        """The gradient towards the strip's pixels; counts the content's terms on the way."""
        outputs, slopes = [], []
        for layer, (slope, constant) in zip(self._recipe.style_layers, self._slopes, strict=True):
            outputs.append(part.own[layer])
            slopes.append(losses.along(part.own[layer].detach(), slope, constant))
        for i in range(len(self.content)):
            layer, (weight, target) = self._recipe.content_layers[i], self._targets.content[i]
            own = part.own[layer]
            shift = own.detach() - target[:, :, part.first[layer] : part.first[layer] + own.shape[2]]
            self.content[i] = self.content[i] + weight * shift.square().sum() / (4 * target.numel())
            outputs.append(own)
            slopes.append(shift * (weight / (2 * target.numel())))
        return torch.autograd.grad(outputs, part.pixels, slopes)[0]


def _scale(layer: str) -> int:
    """Pixels to a row of the layer's feature map."""
    return 1 << (int(layer[4]) - 1)


def _reach(layers: Sequence[str]) -> tuple[int, int]:
    """How many rows beyond its own a strip needs, and what its rows must be a multiple of, px."""
    names = vgg.NAMES[: vgg.depth(layers)]
    step = _scale(names[-1]) if names else 1
    reach = sum(_scale(name) for name in names)
    return -(-reach // step) * step, step
