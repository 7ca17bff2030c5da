"""`python -m engine.worker.device_speed`: how fast this machine paints a recipe (JSON on standard input).

Prints {"device": …, "flops_per_second": …}, measured over a few real iterations on noise.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import sys
import time

import torch
from PIL import Image

from engine.contract.settings import SettingsError
from engine.painting.memory.allocator import keep_memory
from engine.painting.network.networks import fastest
from engine.painting.network.vgg import Convs
from engine.painting.painter import Painter
from engine.recipe import cost, vgg_layers
from engine.recipe.recipe import Recipe, RecipeError
from engine.worker.device import choose_device, describe

_SIDE = 256  # px; large enough that the convolutions dominate, as they do in the run itself
_COUNTED = 3


def measure_speed(recipe: Recipe, device: str) -> float:
    """Floating-point operations per second over a few iterations of the recipe, after a warm-up."""
    networks = 1 if recipe.weights != "random" else recipe.networks
    side = min(_SIDE, recipe.size)
    short = dataclasses.replace(
        recipe, networks=networks, size=side, start="noise", scales=1, frames=1, iterations=_COUNTED + 2, extra=0
    )
    convs = None if recipe.weights == "random" else _noise_filters(recipe.network)
    picture = Image.effect_noise((side, side), 64).convert("RGB")
    dtype = fastest(torch.device(device), recipe)
    painter = Painter(short, picture, [picture] * len(recipe.style_weights), convs=convs, device=device, dtype=dtype)
    state = painter.begin()
    for _ in painter.paint(state, 2):
        pass
    _settle(device)
    began = time.perf_counter()
    for _ in painter.paint(state):
        pass
    _settle(device)
    return cost.remaining_flops(short, 1.0, short.iterations - _COUNTED) / (time.perf_counter() - began)


def _noise_filters(architecture: str) -> Convs:
    """Weights as many and as wide as the architecture's: loading its own would take longer than the measurement."""
    generator = torch.Generator().manual_seed(0)
    return {
        conv.name: (
            torch.randn(conv.outputs, conv.inputs, 3, 3, generator=generator) * math.sqrt(2 / 9 / conv.inputs),
            torch.zeros(conv.outputs),
        ) for conv in vgg_layers.convs(architecture)
    }  # fmt: skip


def _settle(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)


def main() -> int:
    """Print how fast the device named by the first argument paints the recipe on standard input.

    The exit status is 78 where there cannot ever be such a device, and 1 where there is none now.
    """
    keep_memory()
    recipe = Recipe.from_dict(json.load(sys.stdin))
    try:
        device = choose_device(sys.argv[1])
    except (RecipeError, SettingsError) as error:
        print(error, file=sys.stderr)
        return os.EX_CONFIG if isinstance(error, SettingsError) else 1
    rate = measure_speed(recipe, device)
    print(json.dumps({"device": describe(torch.device(device)), "flops_per_second": rate}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
