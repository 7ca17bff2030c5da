"""A recipe in a line of words."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from bot.text.formatting import count, listed
from bot.text.sanitise import plain
from engine.recipe.presets import PRESETS, preset
from engine.recipe.recipe import Recipe

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_STARTS = {
    "noise": "a flat colour", "content": "the content", "style": "the style", "picture": "a given picture",
    "statistics": "the style's spectrum", "patches": "patches of the style",
}  # fmt: skip
_OPTIMISERS = {"adam": "Adam", "lbfgs": "L-BFGS"}
# What `recipe_in_words` tells in words of its own, and what is no choice of the painter's.
_TOLD = {"name", "weights", "size", "iterations", "extra", "beta", "colours", "style_weights", "start", "noise"} | {
    "optimiser", "style_scale", "version", "network", "snapshots", "seed", "frames",
}  # fmt: skip

PRESET_WORDS = {
    "fine": "coarse to fine: the best picture",
    "classic": "the talk's own: Adam on one scale",
    "gatys": "the paper's: L-BFGS from noise",
}
"""The presets in a few words."""


def recipe_in_words(recipe: Recipe) -> str:
    """The preset, iterations and size, then what differs from the preset, in at most 200 characters."""
    name = recipe.name if recipe.name in PRESETS else "fine"
    usual = preset(name, weights=recipe.weights, network=recipe.network, size=recipe.size)
    added = f" ({recipe.extra:,} of them added)" if recipe.extra else ""
    told = [
        recipe.name,
        f"a film of {recipe.frames} frames" if recipe.frames > 1 else "",
        f"{count(recipe.iterations, 'iteration')}{added} at {recipe.size} px",
        _strength(recipe.beta / usual.beta),
        {"style": "", "content": "content's colours", "matched": "style in the content's colours"}[recipe.colours],
        _styles(recipe.style_weights),
        _start(recipe) if (recipe.start, recipe.noise) != (usual.start, usual.noise) else "",
        f"style at {recipe.style_scale:.0%} of its size" if recipe.style_scale != usual.style_scale else "",
        f"with {_OPTIMISERS[recipe.optimiser]}" if recipe.optimiser != usual.optimiser else "",
        _rest(recipe, usual),
    ]
    return plain(", ".join(filter(None, told)), 200)


def _strength(ratio: float) -> str:
    if math.isclose(ratio, 1):
        return ""
    times = {0.5: "half", 2.0: "twice"}.get(round(ratio, 6), f"{ratio:.3g} times")
    return f"{times} the usual strength"


def _styles(weights: Sequence[float]) -> str:
    if len(weights) == 1:
        return ""
    number = _NUMBERS[len(weights)] if len(weights) < len(_NUMBERS) else str(len(weights))
    shares = " : ".join(f"{100 * weight / sum(weights):.0f}" for weight in weights)
    return f"{number} styles" if len(set(weights)) == 1 or len(weights) > 4 else f"{number} styles {shares}"


def _start(recipe: Recipe) -> str:
    if recipe.noise == 1 or (recipe.start == "noise" and recipe.noise):
        return "from noise"
    return f"from {_STARTS[recipe.start]}" + (f" with {recipe.noise:.0%} noise" if recipe.noise else "")


def _rest(recipe: Recipe, usual: Recipe) -> str:
    told = _TOLD | ({"scales"} if recipe.start == "picture" else set())  # the coarse ones are left out, as they must
    names = {field.name for field in dataclasses.fields(Recipe)} - told
    own = sorted(name.replace("_", " ") for name in names if getattr(recipe, name) != getattr(usual, name))
    if len(own) > 2:
        return f"{len(own)} other settings"
    return f"own {listed(own)}" if own else ""
