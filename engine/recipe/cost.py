"""What a recipe costs, by arithmetic alone: floating-point work and memory. No torch."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence

from engine.recipe import vgg_layers
from engine.recipe.recipe import Recipe

_EACH_LOOK, _EACH_WEIGHT = 0.08e9, 900.0
"""Work that takes as long as what an iteration has to do for each layer on each octave, and for each weight, however
small the picture: measured on processors, with `fine` to conv2_1 and `classic` to conv5_1, from 64 to 256 px."""
_BYTES = 4
_BASE_MEMORY = 550 * 2**20  # an interpreter with torch, before any picture
_FRAGMENTS = 1.3  # what is taken of the system for each byte in use at the peak


@functools.lru_cache(4096)
def flops_per_pixel(recipe: Recipe) -> float:
    """Work of one iteration per pixel: convolutions forward and backward (towards pixels only), and Gram products."""
    grams = sum(2 * conv.outputs**2 / 4**conv.poolings for conv in _looked_at(recipe, recipe.style_layers))
    work = 0.0
    for octave in range(recipe.octaves):
        seen = recipe.style_layers if octave else (*recipe.content_layers, *recipe.style_layers)
        convs = sum(2 * 9 * conv.inputs * conv.outputs / 4**conv.poolings for conv in _needed(recipe, seen))
        work += 2 * (convs + grams) / 4**octave
    return work


def remaining_flops(recipe: Recipe, aspect: float, iteration: int = 0) -> float:
    """Work from `iteration` to the end, over all scales; `aspect` is the shorter side over the longer.

    What takes time whatever the size is counted as the work that takes as long on a processor. At the start of a scale
    contents and styles are looked at once by every network, forward only; of styles the content's shape is assumed.
    """
    work, left, fixed = 0.0, iteration, fixed_flops(recipe)
    seen = recipe.networks * (1 + len(recipe.style_weights)) / 2
    seen_pixels = recipe.networks * (1 + len(recipe.style_weights) * recipe.style_scale**2) / 2
    for side, count in recipe.plan():
        done = min(left, count)
        flops = side**2 * aspect * flops_per_pixel(recipe)
        work += (count - done) * (flops + fixed)
        if not done:
            work += seen_pixels * flops + seen * fixed
        left -= done
    return work


@functools.lru_cache(4096)
def fixed_flops(recipe: Recipe) -> float:
    """Work of one iteration whatever its pixels: for each layer on each octave, and for the weights, once."""
    looks = len(_needed(recipe)) + (recipe.octaves - 1) * len(_needed(recipe, recipe.style_layers))
    return _EACH_LOOK * looks + _EACH_WEIGHT * _weights(recipe)


def peak_memory(recipe: Recipe, aspect: float) -> float:
    """Bytes at the largest scale where it is painted whole, with the program and the weights."""
    pixels = recipe.size**2 * aspect
    # Where the layers go by Winograd's algorithm, their filters take four times their place.
    weights = 4 * _weights(recipe) * recipe.networks
    lasting = lasting_memory(recipe, pixels) + content_memory(recipe, pixels)
    passing = max(passing_memory(recipe, pixels), saving_memory(recipe, pixels))
    return _BASE_MEMORY + _BYTES * weights + lasting + passing


def lasting_memory(recipe: Recipe, pixels: float) -> float:
    """Bytes that the state of so many pixels takes from iteration to iteration."""
    # Colours: pixels, average, good and best ones, gradient, the optimiser's memory, a copy for other threads, scratch.
    colours = 3 * (14 + (4 if recipe.optimiser == "adam" else 2 * recipe.history + 4))
    return float(_BYTES * colours * pixels)


def saving_memory(recipe: Recipe, pixels: float) -> float:
    """Bytes of a processor that it takes to save the state of so many pixels: a copy of it, and its bytes twice."""
    colours = 3 * (5 + (2 if recipe.optimiser == "adam" else 2 * recipe.history + 2))
    return float(3 * _BYTES * colours * pixels)


def content_memory(recipe: Recipe, pixels: float) -> float:
    """Bytes of the content's features, which are kept where so many pixels are painted whole."""
    features = sum(conv.outputs / 4**conv.poolings for conv in _looked_at(recipe, recipe.content_layers))
    return float(_BYTES * features * recipe.networks * pixels)


def passing_memory(recipe: Recipe, pixels: float) -> float:
    """Bytes that a look at so many pixels takes while it lasts: features forward, gradients back."""
    maps = [conv.outputs / 4**conv.poolings for conv in _needed(recipe)]
    return float(_BYTES * _FRAGMENTS * (sum(maps) + 3 * max(maps, default=0)) * pixels)


def _weights(recipe: Recipe) -> int:
    """How many weights one network of the recipe has, down to the deepest layer in use."""
    return sum(9 * conv.inputs * conv.outputs for conv in _needed(recipe))


def _needed(recipe: Recipe, names: Sequence[str] | None = None) -> Sequence[vgg_layers.Conv]:
    """The convolutions that it takes to compute these layers, or all that the recipe looks at."""
    convs = vgg_layers.convs(recipe.network)
    looked_at = (*recipe.content_layers, *recipe.style_layers) if names is None else names
    return convs[: vgg_layers.depth(looked_at, [conv.name for conv in convs])]


def _looked_at(recipe: Recipe, names: Sequence[str]) -> Iterator[vgg_layers.Conv]:
    """The convolution of each of these layers."""
    by_name = {conv.name: conv for conv in vgg_layers.convs(recipe.network)}
    return (by_name[vgg_layers.conv_of(name)] for name in names)
