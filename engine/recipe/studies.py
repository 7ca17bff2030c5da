"""Studies: one content, one style, one thing varied, the rest held; as data, which the terminal and the bot share."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from engine.recipe import vgg_layers
from engine.recipe.presets import AUTO
from engine.recipe.recipe import MIN_SIZE, Recipe, RecipeError

MOST_STYLES = 8
"""The most styles that a study of styles may have."""


class Change(StrEnum):
    """What is done to the pictures before one of a study's paintings."""

    NONE = ""
    SWAPPED = "swapped"
    """Content and first style change places."""
    TRIMMED = "trimmed"
    """The style's white margin is cut away."""
    HALF_TONED, TONED = "half toned", "toned"
    """The style's white is brought halfway, or wholly, to the mean colour of the rest."""
    MASKED = "masked"
    """The style's white does not count."""


@dataclass(frozen=True)
class Variant:
    """One of a study's paintings: what differs from what was asked for."""

    label: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    """The recipe's fields that are set over the ones asked for."""
    note: str = ""
    change: Change = Change.NONE
    style: int | None = None
    """The only one of the styles that is painted in; None: all of them."""


@dataclass(frozen=True)
class _Kind:
    title: str
    axis: str
    """What is varied, in words."""
    variants: Callable[[Recipe, Mapping[str, Any], Sequence[str]], Sequence[Variant]]
    sets: frozenset[str] = frozenset({"snapshots"})
    """The recipe's fields that are set in every painting, whatever was asked for."""


def variants(vary: str, base: Recipe, given: Mapping[str, Any], styles: Sequence[str]) -> tuple[Variant, ...]:
    """The paintings of the study that varies this; `base` is the recipe that comes of the fields `given`.

    `styles` are the styles' names. Raises `RecipeError` where there is nothing to vary.
    """
    if vary not in KINDS:
        raise RecipeError(f"There is no study of {vary}; there are studies of {', '.join(KINDS)}.")
    if base.frames > 1:
        raise RecipeError("A study is of one picture: give a still one as the content.")
    found = tuple(KINDS[vary].variants(base, given, styles))
    if len(found) < 2 and vary != ITERATIONS:
        raise RecipeError(f"A study of {vary} needs two paintings to compare, and here there is one.")
    return found


def fields_set(vary: str) -> frozenset[str]:
    """The recipe's fields that the study sets in every painting, whatever was asked for."""
    return KINDS[vary].sets


def file_name(number: int, label: str) -> str:
    """File name of a study's single picture, counted from 1: `02-style-x-0.1.png`."""
    words = re.sub(r"[^0-9a-z._]+", "-", label.lower().replace("×", "x").replace("%", " percent"))
    return f"{number:02d}-{words.strip('-.')[:60] or 'painting'}.png"


def _strength(base: Recipe, _given: Mapping[str, Any], _styles: Sequence[str]) -> list[Variant]:
    # The strength, a factor on beta, is in beta already.
    return [
        Variant(f"style × {factor:g}", {"beta": base.beta * factor, "strength": 1.0},
                f"α/β = {base.alpha / (base.beta * factor):.2g}" if base.beta else "")
        for factor in (0.01, 0.1, 1.0, 10.0, 100.0)
    ]  # fmt: skip


def _start(base: Recipe, _given: Mapping[str, Any], _styles: Sequence[str]) -> list[Variant]:
    mixed = [
        Variant("content" if not share else f"{share:.0%} noise", {"start": "content", "noise": share})
        for share in (0.0, 0.3, 0.6, 0.9)
    ]
    pictures = [
        Variant("style", {"start": "style", "noise": 0.0}), Variant("patches", {"start": "patches", "noise": 0.0})
    ]  # fmt: skip
    alone = [
        Variant("noise alone" if seed == base.seed else f"noise, seed {seed}",
                {"start": "noise", "noise": 1.0, "seed": seed}) for seed in range(base.seed, base.seed + 3)
    ]  # fmt: skip
    return [*mixed, *pictures, *alone]


def _layers(base: Recipe, _given: Mapping[str, Any], _styles: Sequence[str]) -> list[Variant]:
    """Each alone, then the first of them; fewer weigh more, so that the style's whole weight stays."""
    names, weights = base.style_layers, base.style_layer_weights
    count = len(names)
    alone = [_only(name, (name,), (weight * count,)) for name, weight in zip(names, weights, strict=True)]
    sums = [
        _only(f"the first {first}" if first < count else f"all {count}", names[:first],
              tuple(weight * count / first for weight in weights[:first])) for first in range(2, count + 1)
    ]  # fmt: skip
    return [*alone, *sums]


def _only(label: str, names: tuple[str, ...], weights: tuple[float, ...]) -> Variant:
    return Variant(label, {"style_layers": names, "style_layer_weights": weights})


_TAUGHT = ("relu1_1", "relu2_1", "relu3_1", "relu4_2", "relu5_1")
"""The layers of `starter` that see as its teacher's do, and are as loud: of each block one (docs/starter.md)."""


def _depth(base: Recipe, _given: Mapping[str, Any], _styles: Sequence[str]) -> list[Variant]:
    """A layer of each block, the second where there is one, as Gatys et al. (2016) show them."""
    if base.weights == "starter":
        return [Variant(name, {"content_layers": (name,)}) for name in _TAUGHT]
    blocks: dict[str, list[str]] = {}
    for conv in vgg_layers.convs(base.network):
        blocks.setdefault(conv.name[4], []).append(conv.name)
    chosen = [vgg_layers.relu_of(block[1] if len(block) > 1 else block[0]) for block in blocks.values()]
    return [Variant(name, {"content_layers": (name,)}) for name in chosen]


def _optimiser(base: Recipe, _given: Mapping[str, Any], _styles: Sequence[str]) -> list[Variant]:
    adam = [Variant(f"Adam, step {step:g}", {"optimiser": "adam", "step": step}) for step in (0.5, 1.0, 2.0, 5.0, 20.0)]
    one = {"networks": 1, "step_end": 1.0} if base.networks > 1 else {}  # networks that take turns have no one loss
    return [*adam, Variant("L-BFGS", {"optimiser": "lbfgs", "step": 1.0, **one})]


def _size(base: Recipe, _given: Mapping[str, Any], _styles: Sequence[str]) -> list[Variant]:
    """Up to the size that was asked for, each with twice the pixels of the one before, and as many iterations."""
    sides = sorted({max(MIN_SIZE, round(base.size * 2 ** (-k / 2))) for k in range(5)})
    held = {"iterations": base.iterations, "scales": base.scales}
    return [Variant(f"{side} px", {"size": side, **held}) for side in sides]


def _iterations(_base: Recipe, given: Mapping[str, Any], _styles: Sequence[str]) -> list[Variant]:
    """One painting, looked at again and again."""
    return [Variant("the painting", {"snapshots": given.get("snapshots") or (AUTO,)})]


def _white(_base: Recipe, _given: Mapping[str, Any], _styles: Sequence[str]) -> list[Variant]:
    return [
        Variant("the style as it is"),
        Variant("margin trimmed", change=Change.TRIMMED),
        Variant("white toned by half", change=Change.HALF_TONED),
        Variant("white toned down", change=Change.TONED),
        Variant("white left out", change=Change.MASKED),
    ]


def _swap(_base: Recipe, _given: Mapping[str, Any], _styles: Sequence[str]) -> list[Variant]:
    return [Variant("as asked for"), Variant("swapped", change=Change.SWAPPED)]


REPEATS = 3
"""How many paintings a study of flicker has with one seed, and as many with others."""
_SOME_NOISE = 0.6
"""Share of noise in the start, as the talk has it: without any there is nothing that a seed could change."""


def _flicker(base: Recipe, _given: Mapping[str, Any], _styles: Sequence[str]) -> list[Variant]:
    noise = {} if base.noise else {"noise": _SOME_NOISE}
    same = [
        Variant(f"seed {base.seed}", noise), Variant(f"seed {base.seed}, again", noise),
        Variant(f"seed {base.seed}, once more", noise),
    ]  # fmt: skip
    others = [
        Variant(f"seed {seed}", {"seed": seed, **noise}) for seed in range(base.seed + 1, base.seed + REPEATS + 1)
    ]
    return [*same, *others]


def _style(_base: Recipe, _given: Mapping[str, Any], styles: Sequence[str]) -> list[Variant]:
    if len(styles) > MOST_STYLES:
        raise RecipeError(f"There may be {MOST_STYLES} styles, and these are {len(styles)}.")
    return [Variant(name, {"style_weights": (1.0,)}, style=number) for number, name in enumerate(styles)]


ITERATIONS, SIZE, FLICKER, STYLE = "iterations", "size", "flicker", "style"
"""Studies that have more than a sheet: a strip of one painting, the time against the pixels, two films side by side;
and the one that takes several styles."""

KINDS: Mapping[str, _Kind] = {
    "strength": _Kind("Style against content", "the weight of the style", _strength),
    "start": _Kind("What it begins with", "the start", _start, frozenset({"snapshots", "start", "noise"})),
    "layers": _Kind("The layers of the style", "the layers that the style is compared on", _layers),
    "depth": _Kind(
        "The depth of the content", "the layer that holds the content", _depth,
        frozenset({"snapshots", "content_layers"}),
    ),
    "optimiser": _Kind(
        "The optimiser", "how each step is chosen, with equally many of them", _optimiser,
        frozenset({"snapshots", "optimiser", "step"}),
    ),
    SIZE: _Kind("The size", "the longest side", _size),
    ITERATIONS: _Kind("As it grows", "the iterations", _iterations, frozenset()),
    "white": _Kind("How much white", "the white of the style", _white),
    "swap": _Kind("Both ways round", "which picture is the content", _swap),
    FLICKER: _Kind("Flicker", "the seed: one three times over, then three others", _flicker),
    STYLE: _Kind("One picture, many styles", "the style", _style, frozenset({"snapshots", "style_weights"})),
}  # fmt: skip
"""The kinds of studies, by what is varied."""
