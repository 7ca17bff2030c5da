"""The networks that a recipe looks with: the one whose weights are given, or random ones for the run's pictures."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from engine.painting.network import vgg
from engine.painting.network.calibration import calibrated
from engine.painting.network.random_weights import random_convs
from engine.recipe.recipe import Recipe, RecipeError
from engine.recipe.vgg_layers import conv_of, depth

CALIBRATION_SIDE = 256
"""Px of the pictures that random networks are calibrated on; enough positions for every channel's mean and variance."""


def networks_of(
    recipe: Recipe, convs: vgg.Convs | None, seen: tuple[Tensor, Sequence[Tensor]] | None, *, device: torch.device,
    dtype: torch.dtype | None,
) -> list[vgg.VGG]:  # fmt: skip
    """As many as the recipe says. `seen` is the content and the styles to calibrate random ones on.

    They are computed in `dtype`; by itself the fastest that the recipe bears. Raises `RecipeError` where the recipe
    needs weights and `convs` are none, or lack a layer.
    """
    wanted = (*recipe.content_layers, *recipe.style_layers)
    if seen is not None:
        content, styles = seen
        with torch.no_grad():
            drawn = [random_convs(i, depth(wanted), [content, *styles]) for i in range(recipe.networks)]
    elif convs is None:
        raise RecipeError(f"This recipe needs the weights {recipe.weights}, which were not given.")
    elif lacking := [layer for layer in wanted if conv_of(layer) not in convs]:
        raise RecipeError(
            f"The weights {recipe.weights} have no layer {', '.join(lacking)}; they have {', '.join(convs)}."
        )
    else:
        drawn = [{name: convs[name] for name in list(convs)[: depth(wanted, convs)]}]
    return [
        vgg.VGG(
            calibrated(network), pooling=recipe.pooling, gain=recipe.pooling_gain,
            replicate=recipe.padding == "replicate", device=device, dtype=dtype or _fastest(device, recipe),
        )
        for network in drawn
    ]  # fmt: skip


def _fastest(device: torch.device, recipe: Recipe) -> torch.dtype:
    """bfloat16 on CUDA, with moments, losses and pixels in float32; but L-BFGS would take rounding for curvature."""
    if device.type == "cuda" and recipe.optimiser == "adam" and torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.bfloat16
    return torch.float32
