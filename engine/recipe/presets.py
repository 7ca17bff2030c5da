"""The three named recipes: the talk's, the paper's, and the best picture per second; `preset` makes them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from typing import Any

from engine.recipe.recipe import Recipe, RecipeError
from engine.recipe.snapshot_spacing import evenly

STAND_INS = ("starter", "random")
"""Weights that every worker has without a download."""

_NETWORKS = {"starter": "24,24|64,64|128,128|320,320|384"}
"""Architectures of weights that are known by name, where they are not VGG19's."""

AUTO = "auto"
"""Among the snapshots that are asked of `preset`: where the picture changes, `AUTO_COUNT` times."""
AUTO_COUNT = 8
EVERY = "every:"
"""Among the snapshots that are asked of `preset` too, as in `every:50`: each fiftieth iteration."""

# The snapshots of the talk "Painting, Keras Style".
TALK_SNAPSHOTS = (100, 300, 3300, 6500, 30000)

_STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
_PER_ENTRY = tuple(1 / filters**2 for filters in (64, 128, 256, 512, 512))
"""1 / N^2 with VGG's own widths, by which some programs divide once more than Gatys' formula does."""

# The talk's code (log0/neural-style-painting): VGG19 with average pooling; start 0.6 * U(-20, 20) + 0.4 * content;
# content on relu4_2; style layers weighted 0.5, 1, 1.5, 3, 4; L = 5 * content + 100 * style; Adam with step 2.0 on
# the 0-255 scale; 5000 iterations.
_CLASSIC: dict[str, Any] = {
    "iterations": 5000, "snapshots": TALK_SNAPSHOTS,
    "start": "content", "noise": 0.6, "noise_range": 20.0,
    "content_layers": ("relu4_2",), "alpha": 5.0,
    "style_layers": _STYLE_LAYERS, "style_layer_weights": (0.5, 1.0, 1.5, 3.0, 4.0), "beta": 100.0,
    "pooling": "average", "optimiser": "adam", "step": 2.0,
}  # fmt: skip

# Gatys, Ecker, Bethge (2016): white noise start, L-BFGS; pooling and balance are those of the authors' own code
# (leongatys/PytorchNeuralStyleTransfer): mean (F - P)^2 + 1e3 / N^2 * mean (G - A)^2, in terms of our losses 4 times
# the content's and 4e3 / N^2 times E_l, on activations of Caffe's size, as the losses that it prints show.
_GATYS: dict[str, Any] = {
    "iterations": 500, "snapshots": (10, 30, 100, 300),
    "start": "noise", "noise": 1.0,
    "content_layers": ("relu4_2",), "alpha": 4.0,
    "style_layers": _STYLE_LAYERS, "style_layer_weights": _PER_ENTRY, "beta": 4000.0,
    "pooling": "max", "optimiser": "lbfgs", "step": 1.0,
}  # fmt: skip

# The default; docs/fine.md has the reasons. Of neural-style's balance (Johnson 2015), which is five times the mean of
# (F - P)^2 and a hundred times the mean of (G - A)^2 / N^2, with three times the content.
_FINE: dict[str, Any] = {
    "snapshots": (10, 30, 100, 200), "start": "content", "noise": 0.0,
    "content_layers": ("relu4_2",), "alpha": 60.0,
    "style_layers": _STYLE_LAYERS, "style_layer_weights": _PER_ENTRY, "beta": 400.0, "total_variation": 40.0,
    "pooling": "max", "optimiser": "lbfgs", "step": 1.0, "smoothing": 0.5, "padding": "replicate", "detail": 1.0,
    "start_colours": "style", "style_ceiling": 4.3e5, "style_floor": 6e4,
    "variation_ceiling": 450.0,
}  # fmt: skip

# Random filters tell little apart in deep layers; shallow ones on several octaves take their place.
_FINE_RANDOM: dict[str, Any] = {
    "networks": 3, "statistic": "covariance", "octaves": 4, "match_luminance": True, "noise": 0.05,
    "style_layers": ("relu1_1", "relu1_2", "relu2_1"), "style_layer_weights": (1.0, 1.0, 1.0), "beta": 12.0,
    "content_layers": ("conv2_1",), "alpha": 2e-5, "total_variation": 2.3e-4, "style_scale": 0.85, "pooling": "average",
    "optimiser": "adam", "step": 4.0, "step_end": 0.1, "beta2": 0.99, "clamp": True, "average": 0.9, "detail": 0.0,
    "start_colours": "content", "style_ceiling": 0.0, "style_floor": 0.0, "variation_ceiling": 0.0,
}  # fmt: skip

PRESETS: Mapping[str, dict[str, Any]] = {"classic": _CLASSIC, "gatys": _GATYS, "fine": _FINE}
ALIASES: Mapping[str, str] = {"talk": "classic"}
"""Names that people look for presets under, and the presets' own."""
_FOR_WEIGHTS: Mapping[tuple[str, str], dict[str, Any]] = {
    ("fine", "random"): _FINE_RANDOM,
    # It sees relu3_1 much as its teacher does, relu4_2 roughly: with relu4_2 alone faces and edges are lost.
    ("fine", "starter"): {"content_layers": ("relu3_1", "relu4_2"), "alpha": 10.0},
}

_COARSEST, _PER_SCALE = 128, 45
"""For `fine`: the longest side of the coarsest scale, px, and the iterations of each scale."""


def preset(name: str, *, weights: str = "imagenet", strength: float = 1.0, **fields: Any) -> Recipe:
    """The named recipe for these weights, with `fields` set over it; `strength` multiplies the style's weight.

    The name may be one of the `ALIASES`. The field `network` is the weights' architecture. The snapshots may be `AUTO`,
    some of `EVERY` and iterations, and all of those are shown. Raises `RecipeError` for an unknown preset or field, or
    a value out of range.
    """
    name = ALIASES.get(name, name)
    if name not in PRESETS:
        raise RecipeError(f"There is no recipe called {name}; choose one of {', '.join(PRESETS)}.")
    values = PRESETS[name] | _FOR_WEIGHTS.get((name, weights), {})
    known = {f.name for f in dataclasses.fields(Recipe)}
    for field in fields:
        if field not in known:
            raise RecipeError(f"A recipe has no field {field}; it has {', '.join(sorted(known))}.")
    values |= {"name": name, "weights": weights, "network": _NETWORKS.get(weights, "vgg19"), **fields}
    values["beta"] *= strength
    if "start" in fields and "noise" not in fields:
        _set_noise(values, PRESETS[name]["start"])
    if name == "fine":
        _set_scales(values)
    asked = values.pop("snapshots")
    recipe = Recipe(**values, snapshots=tuple(i for i in asked if not isinstance(i, str)))
    if len(recipe.snapshots) == len(asked):
        return recipe
    return dataclasses.replace(recipe, snapshots=tuple(sorted(snapshots_of(recipe, asked))))


def snapshots_of(recipe: Recipe, asked: Iterable[int | str]) -> set[int]:
    """The iterations of this recipe that snapshots mean, asked for as of `preset`. Raises `RecipeError`."""
    return {i for one in asked for i in (_in_numbers(one, recipe) if isinstance(one, str) else (one,))}


def preset_name(recipe: Recipe) -> str:
    """The preset that the recipe came from; `fine` where its name, which is a label, is none's."""
    return recipe.name if recipe.name in PRESETS else "fine"


def strength_of(recipe: Recipe) -> float:
    """Factor by which the style weighs more than in the preset."""
    return recipe.beta / preset(preset_name(recipe), weights=recipe.weights).beta


def _in_numbers(words: str, recipe: Recipe) -> tuple[int, ...]:
    if words == AUTO:
        return evenly(recipe, AUTO_COUNT)
    step = words.removeprefix(EVERY)
    if step == words or not step.isdecimal() or not int(step):
        raise RecipeError(f"{words} are no snapshots: give iterations, {AUTO}, or {EVERY}50 for each fiftieth.")
    return tuple(range(int(step), recipe.iterations + 1, int(step)))


def _set_noise(values: dict[str, Any], usual: str) -> None:
    """All noise for `noise`; none for a picture where the preset begins with noise, which would leave nothing of it."""
    if values["start"] == "noise":
        values["noise"] = 1.0
    elif usual == "noise":
        values["noise"] = 0.0


def _set_scales(values: dict[str, Any]) -> None:
    """Set as many scales as lead from `_COARSEST` to the size, so that strokes don't hang on it, and the iterations."""
    size, iterations = values.get("size", Recipe.size), values.get("iterations")
    scales = 1 + max(0, round(2 * math.log2(max(size, 1) / _COARSEST)))
    values.setdefault("scales", scales if iterations is None else max(1, min(scales, iterations)))
    values.setdefault("iterations", _PER_SCALE * values["scales"])
