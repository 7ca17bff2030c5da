"""What is minimised at one scale: loss terms and gradient for any pixels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from engine.painting import losses
from engine.painting.network.vgg import VGG
from engine.painting.octave_loss import OctaveLoss
from engine.painting.pyramid import octaves_of, pyramid
from engine.painting.targets import Masks, Targets
from engine.recipe.recipe import Recipe


class Objective:
    """L = alpha * content + beta * style + total_variation * TV at one scale (Gatys et al. 2016, eq. 7).

    Terms are float32 vectors named by `columns`: the total, the three weighted sums, then each layer's weighted part.
    """

    def __init__(
        self, recipe: Recipe, networks: Sequence[VGG], content: Tensor, styles: Sequence[Tensor],
        *, rows: int | None = None, masks: Masks | None = None,
    ) -> None:  # fmt: skip
        """Pictures are (1, 3, height, width) in levels, on the device of the networks.

        They are looked at in strips of `rows` px, to the same result within rounding; None: whole. `masks` are as
        large as the pictures.
        """
        self._recipe, self._networks, self._rows = recipe, networks, rows
        self._octaves = octaves_of([content, *styles], recipe.octaves if recipe.style_layers else 1)
        with torch.no_grad():
            self._targets = [
                Targets(recipe, network, content, styles, octaves=self._octaves, rows=rows, masks=masks)
                for network in networks
            ]
        self._variation = content.new_tensor(_variation_weight(recipe, styles, masks or Masks()))
        self.empty_loss = self._targets[0].empty_loss()
        """The loss of a picture without any features: what an explosion is measured by."""

    @property
    def tensors(self) -> list[Tensor]:
        """All that a call looks up, besides the pixels."""
        networks = [tensor for network in self._networks for tensor in network.tensors]
        return [*networks, self._variation, *(tensor for targets in self._targets for tensor in targets.tensors)]

    def __call__(self, pixels: Tensor, iteration: int) -> tuple[Tensor, Tensor]:
        """(terms, gradient) at pixels (1, 3, height, width); networks take turns by `iteration`."""
        recipe, turn = self._recipe, iteration % len(self._networks)
        octaves = pyramid(pixels.detach().requires_grad_(), self._octaves)
        seen = [
            OctaveLoss(recipe, self._networks[turn], self._targets[turn], octave.detach(), level=level, rows=self._rows)
            for level, octave in enumerate(octaves)
        ]
        content, style = seen[0].content, seen[0].style
        for octave in seen[1:]:
            style = [term + more for term, more in zip(style, octave.style, strict=True)]
        # What the octaves and the variation have to say about the pixels themselves.
        outputs, towards = octaves[1:], [octave.gradient for octave in seen[1:]]
        variation = pixels.new_zeros(())
        if recipe.total_variation:
            variation = self._variation * losses.total_variation(octaves[0])
            outputs, towards = [*outputs, variation], [*towards, torch.ones_like(variation)]
        gradient = seen[0].gradient
        if outputs:
            gradient = gradient + torch.autograd.grad(outputs, octaves[0], towards)[0]
        sums = [torch.stack(part).sum() if part else pixels.new_zeros(()) for part in (content, style)]
        terms = torch.stack([sums[0] + sums[1] + variation, *sums, variation, *content, *style]).detach()
        return terms, gradient


def _variation_weight(recipe: Recipe, styles: Sequence[Tensor], masks: Masks) -> float:
    """The total variation's weight: less where the styles (1, 3, height, width) vary more than the ceiling.

    Each style counts by its weight and its share of the painting, and no more of it than its own mask shows.
    """
    ceiling = recipe.variation_ceiling
    if not ceiling or not recipe.total_variation:
        return recipe.total_variation
    shares, own = list(recipe.style_weights), 0.0
    if masks.content:
        shares = [share * float(mask.mean()) for share, mask in zip(shares, masks.content, strict=True)]
    for i, (share, style) in enumerate(zip(shares, styles, strict=True)):
        own += share * float(losses.total_variation(style, masks.styles[i] if masks.styles else None))
    return recipe.total_variation * (ceiling / max(own / max(sum(shares), 1e-12), ceiling))


def columns(recipe: Recipe) -> list[str]:
    """Names of the terms, in order."""
    parts = [f"content {layer}" for layer in recipe.content_layers]
    return ["total", "content", "style", "variation", *parts, *(f"style {layer}" for layer in recipe.style_layers)]
