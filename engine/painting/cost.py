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
    """From `iteration` to the end, over all scales; `aspect` is the shorter side over the longer."""
    work, left = 0.0, iteration
    for side, count in recipe.plan():
        done = min(left, count)
        work += (count - done) * side**2 * aspect
        left -= done
    return work * flops_per_pixel(recipe)


def peak_memory(recipe: Recipe, aspect: float) -> float:
    """Bytes at the largest scale where it is painted whole, with the program and the weights."""
    pixels = recipe.size**2 * aspect
    deepest = max(_depth(recipe.content_layers), _depth(recipe.style_layers))
    # Where the layers go by Winograd's algorithm, their filters take four times their place.
    weights = sum(4 * 9 * fin * out for _, fin, out, _ in _CONVS[:deepest]) * recipe.networks
    return _BASE_MEMORY + _BYTES * weights + lasting_memory(recipe, pixels) + passing_memory(recipe, pixels)


def lasting_memory(recipe: Recipe, pixels: float) -> float:
    """Bytes that so many pixels take from iteration to iteration: the state, and the content's features."""
    targets = sum(
        out / 4**pools for name, _, out, pools in _CONVS for layer in recipe.content_layers if layer[-3:] == name
    )
    # Colours: pixels, average, last good ones, gradient, the optimiser's memory, a copy for other threads, scratch.
    colours = 3 * (12 + (4 if recipe.optimiser == "adam" else 2 * recipe.history + 4))
    return float(_BYTES * (targets * recipe.networks + colours) * pixels)


def passing_memory(recipe: Recipe, pixels: float) -> float:
    """Bytes that a look at so many pixels takes while it lasts: features forward, gradients back."""
    deepest = max(_depth(recipe.content_layers), _depth(recipe.style_layers))
    features = sum(out / 4**pools for _, _, out, pools in _CONVS[:deepest])
    widest = max((out / 4**pools for _, _, out, pools in _CONVS[:deepest]), default=0)
    return float(_BYTES * _FRAGMENTS * (features + 3 * widest) * pixels)


def _depth(layers: tuple[str, ...]) -> int:
    names = [name for name, *_ in _CONVS]
    return max((names.index(layer[-3:]) + 1 for layer in layers), default=0)
