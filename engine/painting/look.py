"""One look at one octave of the painting: features, what they cost, and the way back to the pixels.

Every style loss is a function of a layer's moments alone. So the way is: features, their moments, the losses and their
slopes towards the moments, and from those the gradient at every position. In strips the moments are summed over all of
them first: exact, at the price of one more forward pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from engine.painting import losses, vgg
from engine.painting.losses import Moments
from engine.painting.recipe import Recipe
from engine.painting.strips import Strip, cut
from engine.painting.targets import STYLE_LOSS, StyleTarget, Targets
from engine.painting.vgg import VGG19, Trace


class Look:
    """`content` and `style`: the weighted terms by layer. `gradient`: (1, 3, height, width), of their sum."""

    @torch.no_grad()
    def __init__(
        self, recipe: Recipe, network: VGG19, targets: Targets, pixels: Tensor, *, level: int, rows: int | None
    ) -> None:
        """`pixels` (1, 3, height, width) are those of the octave `level`; the content is looked at in the first."""
        self._recipe, self._network, self._pixels, self._rows = recipe, network, pixels, rows
        self._content = [] if level else list(zip(recipe.content_layers, targets.content, strict=True))
        self.content = [pixels.new_zeros(()) for _ in self._content]
        layers = (*(layer for layer, _ in self._content), *recipe.style_layers)
        strips = cut(pixels.shape[2], rows, layers)
        trace = network.trace(pixels, layers) if len(strips) == 1 else None
        self.style, self._slopes = self._weigh(self._moments(trace), targets.styles[level])
        self.gradient = torch.zeros_like(pixels)
        for strip in strips:
            trace = trace or network.trace(strip.of(pixels), layers)
            towards = trace.backward({layer: partial(self._slope, layer, strip) for layer in layers})
            self.gradient[:, :, strip.top : strip.bottom] += towards
            trace = None

    def _moments(self, trace: Trace | None) -> list[Moments]:
        """Of each style layer: from the trace of the whole picture, else strip by strip."""
        layers = self._recipe.style_layers
        if trace is not None:
            return [losses.moments(trace[layer]) for layer in layers]
        found: list[list[Moments]] = [[] for _ in layers]
        counts: list[list[int]] = [[] for _ in layers]
        for strip in cut(self._pixels.shape[2], self._rows, layers):
            features = self._network(strip.of(self._pixels), layers)
            for i, layer in enumerate(layers):
                own = features[layer][:, :, strip.own(layer)]
                found[i].append(losses.moments(own))
                counts[i].append(own[0, 0].numel())
        return [losses.mixed(parts, count) for parts, count in zip(found, counts, strict=True)]

    def _weigh(
        self, seen: Sequence[Moments], targets: Sequence[StyleTarget]
    ) -> tuple[list[Tensor], dict[str, Moments]]:
        """Each style layer's term, and by layer the slope of their sum towards the moments."""
        slopes: dict[str, Moments] = {}
        if not seen:
            return [], slopes
        loss = STYLE_LOSS[self._recipe.statistic]
        flat = [part.requires_grad_() for moments in seen for part in moments]
        with torch.enable_grad():
            terms = [target.weight * loss(own, target.moments) for own, target in zip(seen, targets, strict=True)]
            found = torch.autograd.grad(terms, flat, [torch.ones_like(t) for t in terms], materialize_grads=True)
        for layer, mean, product in zip(self._recipe.style_layers, found[::2], found[1::2], strict=True):
            known = slopes.get(layer, Moments(torch.zeros_like(mean), torch.zeros_like(product)))
            slopes[layer] = Moments(known.mean + mean, known.product + product)
        return [term.detach() for term in terms], slopes

    def _slope(self, layer: str, strip: Strip, features: Tensor) -> Tensor:
        """The gradient towards a layer's features of one strip; adds up the content's terms on the way."""
        own = features[:, :, strip.own(layer)]
        towards = []
        if layer in self._slopes:
            height, width = (side // vgg.scale(layer) for side in self._pixels.shape[2:])
            towards.append(losses.pull(own, self._slopes[layer], height * width))
        for i, (name, (weight, target)) in enumerate(self._content):
            if name == layer:
                loss, slope = losses.content_loss(own, target[:, :, strip.place(layer, own.shape[2])], target.numel())
                self.content[i] = self.content[i] + weight * loss
                towards.append(weight * slope)
        together = towards[0] if len(towards) == 1 else torch.stack(towards).sum(0)
        if own.shape == features.shape:
            return together
        whole = torch.zeros_like(features)
        whole[:, :, strip.own(layer)] = together
        return whole
