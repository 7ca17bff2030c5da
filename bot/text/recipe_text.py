"""A recipe in a line of words."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from bot.text.formatting import count, joined
from bot.text.sanitise import plain
from bot.text.translation import N_, _, listed, ngettext
from engine.recipe.presets import preset, preset_name
from engine.recipe.recipe import Recipe

_STARTS = {
    "noise": N_("from a flat colour"), "content": N_("from the content"), "style": N_("from the style"),
    "picture": N_("from a given picture"), "statistics": N_("from the style's spectrum"),
    "patches": N_("from patches of the style"),
}  # fmt: skip
_COLOURS = {"style": "", "content": N_("content's colours"), "matched": N_("style in the content's colours")}
_OPTIMISERS = {"adam": "Adam", "lbfgs": "L-BFGS"}
# What `recipe_in_words` tells in words of its own, and what is no choice of the painter's.
_TOLD = {"name", "weights", "size", "iterations", "extra", "beta", "colours", "style_weights", "start", "noise"} | {
    "optimiser", "style_scale", "version", "network", "snapshots", "seed", "frames",
}  # fmt: skip

PRESET_WORDS = {
    "fine": N_("coarse to fine: the best picture"),
    "classic": N_("the talk's own: Adam on one scale"),
    "gatys": N_("the paper's: L-BFGS from noise"),
}
"""The presets in a few words."""


def recipe_in_words(recipe: Recipe) -> str:
    """The preset, iterations and size, then what differs from the preset, in at most 200 characters."""
    usual = preset(preset_name(recipe), weights=recipe.weights, network=recipe.network, size=recipe.size)
    iterations = count(recipe.iterations, "iteration")
    added = _("{iterations} ({extra:,} of them added)", iterations=iterations, extra=recipe.extra)
    length, scale, optimiser = added if recipe.extra else iterations, recipe.style_scale, _OPTIMISERS[recipe.optimiser]
    told = [
        recipe.name,
        ngettext("a film of {n} frame", "a film of {n} frames", recipe.frames) if recipe.frames > 1 else "",
        _("{iterations} at {size} px", iterations=length, size=recipe.size),
        _strength(recipe.beta / usual.beta),
        _(_COLOURS[recipe.colours]),
        _styles(recipe.style_weights),
        _start(recipe) if (recipe.start, recipe.noise) != (usual.start, usual.noise) else "",
        _("style at {share:.0%} of its size", share=scale) if scale != usual.style_scale else "",
        _("with {optimiser}", optimiser=optimiser) if recipe.optimiser != usual.optimiser else "",
        _rest(recipe, usual),
    ]
    return plain(joined(told), 200)


def _strength(ratio: float) -> str:
    if math.isclose(ratio, 1):
        return ""
    usual = {0.5: N_("half the usual strength"), 2.0: N_("twice the usual strength")}.get(round(ratio, 6))
    return _(usual) if usual else _("{times:.3g} times the usual strength", times=ratio)


def _styles(weights: Sequence[float]) -> str:
    if len(weights) == 1:
        return ""
    styles = count(len(weights), "style")
    shares = " : ".join(f"{100 * weight / sum(weights):.0f}" for weight in weights)
    return styles if len(set(weights)) == 1 or len(weights) > 4 else f"{styles} {shares}"


def _start(recipe: Recipe) -> str:
    if recipe.noise == 1 or (recipe.start == "noise" and recipe.noise):
        return _("from noise")
    start = _(_STARTS[recipe.start])
    return _("{start} with {share:.0%} noise", start=start, share=recipe.noise) if recipe.noise else start


def _rest(recipe: Recipe, usual: Recipe) -> str:
    told = _TOLD | ({"scales"} if recipe.start == "picture" else set())  # the coarse ones are left out, as they must
    names = {field.name for field in dataclasses.fields(Recipe)} - told
    own = sorted(name.replace("_", " ") for name in names if getattr(recipe, name) != getattr(usual, name))
    if len(own) > 2:
        return ngettext("{n} other setting", "{n} other settings", len(own))
    return _("own {settings}", settings=listed(own)) if own else ""
