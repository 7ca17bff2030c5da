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
_BASE_MEMORY = 450 * 2**20  # an interpreter with torch, before any picture


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
    """Bytes at the largest scale: weights, features kept for the gradient, targets, the optimiser's memory."""
    pixels = recipe.size**2 * aspect
    deepest = max(_depth(recipe.content_layers), _depth(recipe.style_layers))
    features = sum(2.5 * out / 4**pools for _, _, out, pools in _CONVS[:deepest]) * pixels
    weights = sum(9 * fin * out for _, fin, out, _ in _CONVS[:deepest]) * recipe.networks
    remembered = (8 if recipe.optimiser == "adam" else 8 + 2 * recipe.history) * 3 * pixels
    # Winograd's tiles of the largest layer are 36/16 of it, there and back, in a few copies.
    features += 8 * 36 / 16 * 256 / 16 * pixels
    return float(_BASE_MEMORY + _BYTES * (features * 4 / 3 + weights + remembered))


def _depth(layers: tuple[str, ...]) -> int:
    names = [name for name, *_ in _CONVS]
    return max((names.index(layer[-3:]) + 1 for layer in layers), default=0)
