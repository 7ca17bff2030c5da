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
    """The recipe's networks. `seen` are content and styles to calibrate random ones on; None: they are not random.

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
            replicate=recipe.padding == "replicate", device=device, dtype=dtype or fastest(device, recipe),
        )
        for network in drawn
    ]  # fmt: skip


def fastest(device: torch.device, recipe: Recipe) -> torch.dtype:
    """bfloat16, with moments, losses and pixels in float32, where the device multiplies it several times as fast.

    On CUDA not for L-BFGS, which nobody has looked at there. On processors that have AMX also for it: it ends as near;
    but not for random networks, which are to be the same on all of them.
    """
    if device.type == "cuda":
        fast = recipe.optimiser == "adam" and torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        fast = device.type == "cpu" and recipe.weights != "random" and _has_amx()
    return torch.bfloat16 if fast else torch.float32


def _has_amx() -> bool:
    """Whether the processor has tiles of bfloat16: Intel's, since Sapphire Rapids."""
    known: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()  # torch 2.11 need not have it
    return bool(known.get("amx_bf16", False))
