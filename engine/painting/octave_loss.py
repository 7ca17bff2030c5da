"""The loss of one octave of the painting, and its gradient: features, moments, losses, and the way back to pixels.

Every style loss is a function of a layer's moments alone. So the way is: features, their moments, the losses and their
gradients towards the moments, and from those the gradient at every position. In strips the moments are summed over all
of them first: exact, at the price of one more forward pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from engine.painting import losses
from engine.painting.losses import Moments
from engine.painting.memory.strips import Strip, cut
from engine.painting.network.vgg import VGG, Trace
from engine.painting.targets import STYLE_LOSS, Targets, moments_in_strips
from engine.recipe.recipe import Recipe
from engine.recipe.vgg_layers import stride


class OctaveLoss:
    """`content` and `style`: the weighted terms by layer. `gradient`: (1, 3, height, width), of their sum."""

    @torch.no_grad()
    def __init__(
        self, recipe: Recipe, network: VGG, targets: Targets, pixels: Tensor, *, level: int, rows: int | None
    ) -> None:
        """`pixels` (1, 3, height, width) are those of the octave `level`; the content counts in the first."""
        self._recipe, self._network, self._pixels, self._rows = recipe, network, pixels, rows
        self._targets, self._content = targets.styles[level], None if level else targets.content
        content_layers = () if level else recipe.content_layers
        self._terms = {layer: pixels.new_zeros(()) for layer in content_layers}
        layers = (*content_layers, *recipe.style_layers)
        strips = cut(pixels.shape[2], rows, layers)
        trace = network.trace(pixels, layers) if len(strips) == 1 else None
        self.style, grads = self._style_losses(self._moments(trace))
        self._grads = self._by_layer(grads)
        self.gradient = torch.zeros_like(pixels)
        for strip in strips:
            content = {} if self._content is None else self._content.at(strip)
            trace = trace or network.trace(strip.of(pixels), layers)
            gradients = {layer: partial(self._layer_gradient, layer, strip, content.get(layer)) for layer in layers}
            self.gradient[:, :, strip.top : strip.bottom] += trace.backward(gradients)
            trace = None
        self.content = list(self._terms.values())

    def _moments(self, trace: Trace | None) -> list[Moments]:
        """What each style target looks at: from the trace of the whole picture, else strip by strip."""
        layers = self._recipe.style_layers
        wanted = [(layers[target.layer], target.mask) for target in self._targets]
        if trace is not None:
            return [losses.moments(trace[layer], mask) for layer, mask in wanted]
        return moments_in_strips(self._network, self._pixels, wanted, layers, self._rows)

    def _style_losses(self, seen: Sequence[Moments]) -> tuple[list[Tensor], list[Moments]]:
        """Each style layer's term, and each target's gradient towards the moments."""
        loss = STYLE_LOSS[self._recipe.statistic]
        terms = [self._pixels.new_zeros(()) for _ in self._recipe.style_layers]
        if not seen:
            return terms, []
        flat = [part.requires_grad_() for moments in seen for part in moments]
        with torch.enable_grad():
            for own, target in zip(seen, self._targets, strict=True):
                terms[target.layer] = terms[target.layer] + target.weight * loss(own, target.moments)
            found = torch.autograd.grad(terms, flat, [torch.ones_like(t) for t in terms], materialize_grads=True)
        grads = [Moments(mean, product) for mean, product in zip(found[::2], found[1::2], strict=True)]
        return [term.detach() for term in terms], grads

    def _by_layer(self, grads: Sequence[Moments]) -> dict[str, list[tuple[Moments, float | Tensor, Tensor | None]]]:
        """What counts for each layer: gradient towards the moments, count of positions and mask of every target."""
        found: dict[str, list[tuple[Moments, float | Tensor, Tensor | None]]] = {}
        for target, grad in zip(self._targets, grads, strict=True):
            layer = self._recipe.style_layers[target.layer]
            height, width = (side // stride(layer) for side in self._pixels.shape[2:])
            count = height * width if target.mask is None else target.mask.sum()
            found.setdefault(layer, []).append((grad, count, target.mask))
        return found

    def _layer_gradient(self, layer: str, strip: Strip, content: Tensor | None, features: Tensor) -> Tensor:
        """The gradient towards a layer's features of one strip; adds up the content's terms on the way.

        `content` are the content's features of its own rows, where the layer is one of the content's.
        """
        own = features[:, :, strip.own(layer)]
        towards = []
        for grad, count, whole_mask in self._grads.get(layer, ()):
            mask = None if whole_mask is None else strip.part(whole_mask, layer, own)
            towards.append(losses.moments_backward(own, grad, count, mask))
        if self._content is not None and content is not None:
            weight = self._content.weights[layer]
            loss, gradient = losses.content_loss(own, content, self._content.counts[layer])
            self._terms[layer] = self._terms[layer] + weight * loss
            towards.append(weight * gradient)
        together = towards[0] if len(towards) == 1 else torch.stack(towards).sum(0)
        if own.shape == features.shape:
            return together
        whole = torch.zeros_like(features)
        whole[:, :, strip.own(layer)] = together
        return whole
