"""What a recipe costs, by arithmetic alone: floating-point work and memory. No torch."""

from __future__ import annotations

import functools

from engine.painting.recipe import Recipe

_BLOCKS = ((1, 2, 64), (2, 2, 128), (3, 4, 256), (4, 4, 512), (5, 4, 512))
_CONVS = [
    (f"{block}_{i}", 3 if (block, i) == (1, 1) else (width // 2 if i == 1 and block < 5 else width), width, block - 1)
    for block, n, width in _BLOCKS
    for i in range(1, n + 1)
]  # fmt: skip
"""(name, filters in, filters out, poolings before) of each conv layer."""
_EACH_LOOK, _EACH_WEIGHT = 0.08e9, 900.0
"""Work that takes as long as what an iteration has to do for each layer on each octave, and for each weight, however
small the picture: measured on processors, with `fine` to conv2_1 and `classic` to conv5_1, from 64 to 256 px."""
_BYTES = 4
_BASE_MEMORY = 550 * 2**20  # an interpreter with torch, before any picture
_FRAGMENTS = 1.3  # what is taken of the system for each byte in use at the peak


@functools.lru_cache(4096)
def flops_per_pixel(recipe: Recipe) -> float:
    """Of one iteration: convolutions forward and backward (towards pixels only), and the Gram products."""
    content = _depth(recipe.content_layers)
    style = _depth(recipe.style_layers)
    work = 0.0
    for octave in range(recipe.octaves):
        layers = max(content, style) if octave == 0 else style
        convs = sum(2 * 9 * fin * out / 4**pools for _, fin, out, pools in _CONVS[:layers])
        grams = sum(
            2 * out**2 / 4**pools
            for name, _, out, pools in _CONVS
            if any(layer.endswith(name) for layer in recipe.style_layers)
        )
        work += 2 * (convs + grams) / 4**octave
    return work


def remaining_flops(recipe: Recipe, aspect: float, iteration: int = 0) -> float:
    """From `iteration` to the end, over all scales; `aspect` is the shorter side over the longer.

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
    """Of one iteration, besides its pixels: each layer on each octave, and the weights, which are gone through once."""
    content, style = _depth(recipe.content_layers), _depth(recipe.style_layers)
    looks = max(content, style) + (recipe.octaves - 1) * style
    return _EACH_LOOK * looks + _EACH_WEIGHT * _weights(recipe)


def peak_memory(recipe: Recipe, aspect: float) -> float:
    """Bytes at the largest scale where it is painted whole, with the program and the weights."""
    pixels = recipe.size**2 * aspect
    # Where the layers go by Winograd's algorithm, their filters take four times their place.
    weights = 4 * _weights(recipe) * recipe.networks
    lasting = lasting_memory(recipe, pixels) + content_memory(recipe, pixels)
    return _BASE_MEMORY + _BYTES * weights + lasting + passing_memory(recipe, pixels)


def lasting_memory(recipe: Recipe, pixels: float) -> float:
    """Bytes that the state of so many pixels takes from iteration to iteration."""
    # Colours: pixels, average, last good ones, gradient, the optimiser's memory, a copy for other threads, scratch.
    colours = 3 * (12 + (4 if recipe.optimiser == "adam" else 2 * recipe.history + 4))
    return float(_BYTES * colours * pixels)


def content_memory(recipe: Recipe, pixels: float) -> float:
    """Bytes of the content's features, which are kept where so many pixels are painted whole."""
    features = sum(
        out / 4**pools for name, _, out, pools in _CONVS for layer in recipe.content_layers if layer[-3:] == name
    )
    return float(_BYTES * features * recipe.networks * pixels)


def passing_memory(recipe: Recipe, pixels: float) -> float:
    """Bytes that a look at so many pixels takes while it lasts: features forward, gradients back."""
    deepest = max(_depth(recipe.content_layers), _depth(recipe.style_layers))
    features = sum(out / 4**pools for _, _, out, pools in _CONVS[:deepest])
    widest = max((out / 4**pools for _, _, out, pools in _CONVS[:deepest]), default=0)
    return float(_BYTES * _FRAGMENTS * (features + 3 * widest) * pixels)


def _weights(recipe: Recipe) -> int:
    """Of one network."""
    deepest = max(_depth(recipe.content_layers), _depth(recipe.style_layers))
    return sum(9 * fin * out for _, fin, out, _ in _CONVS[:deepest])


def _depth(layers: tuple[str, ...]) -> int:
    names = [name for name, *_ in _CONVS]
    return max((names.index(layer[-3:]) + 1 for layer in layers), default=0)
