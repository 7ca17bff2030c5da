"""The three named recipes: the talk's, the paper's, and the best picture per second; `preset` makes them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from engine.painting.pace import evenly
from engine.painting.recipe import Recipe, RecipeError

STAND_INS = ("starter", "random")
"""Weights that every worker has without a download."""

AUTO = "auto"
"""Among the snapshots that are asked of `preset`: where the picture changes, `AUTO_COUNT` times."""
AUTO_COUNT = 8

# The snapshots of the talk "Painting, Keras Style".
TALK_SNAPSHOTS = (100, 300, 3300, 6500, 30000)

# The talk's code (log0/neural-style-painting): VGG19 with average pooling; start 0.6 * U(-20, 20) + 0.4 * content;
# content on relu4_2; style layers weighted 0.5, 1, 1.5, 3, 4; L = 5 * content + 100 * style; Adam with step 2.0 on
# the 0-255 scale; 5000 iterations. How 5 and 100 carry over from the Caffe network: see `targets.py`.
_CLASSIC: dict[str, Any] = {
    "iterations": 5000, "snapshots": TALK_SNAPSHOTS,
    "start": "content", "noise": 0.6, "noise_range": 20.0,
    "content_layers": ("relu4_2",), "alpha": 5.0,
    "style_layer_weights": (0.5, 1.0, 1.5, 3.0, 4.0), "beta": 100.0,
    "pooling": "average", "optimiser": "adam", "step": 2.0,
}  # fmt: skip

# Gatys, Ecker, Bethge (2016): white noise start, average pooling, L-BFGS; the balance is that of the authors' own code
# (leongatys/PytorchNeuralStyleTransfer): mean (F - P)^2 + 1e3 / N_l^2 * mean (G - A)^2, in terms of our losses 4 times
# the content's and 4e3 / N_l^2 times E_l. Its network, like ours, is scaled to a mean activation of one.
_GATYS: dict[str, Any] = {
    "iterations": 500, "snapshots": (10, 30, 100, 300),
    "start": "noise", "noise": 1.0,
    "content_layers": ("relu4_2",), "alpha": 4.0,
    "style_layer_weights": (64**-2, 128**-2, 256**-2, 512**-2, 512**-2), "beta": 4000.0,
    "pooling": "average", "optimiser": "lbfgs", "step": 1.0,
}  # fmt: skip

# Coarse to fine with averaged iterates: the best picture per second.
_FINE: dict[str, Any] = {
    "iterations": 300, "snapshots": (10, 30, 100, 200),
    "start": "content", "noise": 0.05,
    "content_layers": ("relu4_2",), "alpha": 1.0,
    "style_layer_weights": (0.5, 1.0, 1.5, 3.0, 4.0), "beta": 60.0, "total_variation": 2.0,
    "optimiser": "adam", "step": 5.0, "step_end": 0.1, "beta2": 0.99, "clamp": True,
    "scales": 5, "average": 0.9, "padding": "replicate",
}  # fmt: skip

# Without pretrained weights, shallow layers times octaves replace the deep layers, which give mush.
_FINE_RANDOM: dict[str, Any] = {
    "iterations": 140, "networks": 3,
    "statistic": "covariance", "octaves": 4, "match_luminance": True,
    "style_layers": ("relu1_1", "relu1_2", "relu2_1"), "style_layer_weights": (1.0, 1.0, 1.0), "beta": 12.0,
    "content_layers": ("conv2_1",), "alpha": 2.0, "total_variation": 15.0, "style_scale": 0.85,
    "step": 4.0, "scales": 4,
}  # fmt: skip

# The starter network ends at conv4_1. Without the total variation it paints speckles; with longer steps, mush.
_FINE_STARTER: dict[str, Any] = {
    "iterations": 80,
    "statistic": "covariance", "octaves": 3, "match_luminance": True,
    "style_layers": ("relu1_1", "relu2_1", "relu3_1", "relu4_1"), "style_layer_weights": (0.5, 1.0, 1.0, 1.0),
    "beta": 8.0, "content_layers": ("conv2_2",), "alpha": 2.0, "total_variation": 30.0, "style_scale": 0.85,
    "step": 4.0, "scales": 4,
}  # fmt: skip
_SHALLOWER: dict[str, Any] = {
    "content_layers": ("relu3_1",), "style_layers": ("relu1_1", "relu2_1", "relu3_1", "relu4_1"),
}  # fmt: skip

PRESETS: Mapping[str, dict[str, Any]] = {"classic": _CLASSIC, "gatys": _GATYS, "fine": _FINE}
_FOR_WEIGHTS: Mapping[tuple[str, str], dict[str, Any]] = {
    ("fine", "random"): _FINE_RANDOM,
    ("fine", "starter"): _FINE_STARTER,
    ("classic", "starter"): _SHALLOWER | {"style_layer_weights": (0.5, 1.0, 1.5, 3.0)},
    ("gatys", "starter"): _SHALLOWER | {"style_layer_weights": (64**-2, 128**-2, 256**-2, 512**-2)},
}


def preset(name: str, *, weights: str = "imagenet", strength: float = 1.0, **fields: Any) -> Recipe:
    """The named recipe for these weights, with `fields` set over it; `strength` multiplies the style's weight.

    The snapshots may be `AUTO` and iterations, which then are shown too. Raises `RecipeError` for an unknown preset or
    field, or a value out of range.
    """
    if name not in PRESETS:
        raise RecipeError(f"There is no recipe called {name}; choose one of {', '.join(PRESETS)}.")
    values = dict(PRESETS[name])
    values |= _FOR_WEIGHTS.get((name, weights), {})
    known = {f.name for f in dataclasses.fields(Recipe)}
    for field in fields:
        if field not in known:
            raise RecipeError(f"A recipe has no field {field}; it has {', '.join(sorted(known))}.")
    values |= {"name": name, "weights": weights, **fields}
    values["beta"] *= strength
    asked = values.pop("snapshots")
    recipe = Recipe(**values, snapshots=tuple(i for i in asked if i != AUTO))
    if AUTO not in asked:
        return recipe
    return dataclasses.replace(recipe, snapshots=tuple(sorted({*recipe.snapshots, *evenly(recipe, AUTO_COUNT)})))
