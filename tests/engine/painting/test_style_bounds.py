"""A style whose features are far larger or smaller than most are is weighed down or up, to be as strong as others."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from painting_kit import levels, quick, random_weights
from torch import Tensor

from engine.painting import losses
from engine.painting.network.vgg import VGG
from engine.painting.targets import Masks, Targets
from engine.recipe.presets import preset
from engine.recipe.recipe import Recipe

NETWORK = VGG(random_weights(4, 0, torch.float64), pooling="average", device=torch.device("cpu"))
CONTENT, FAINT, STRONG = levels(24, 16, 1).double(), 128 + 0.02 * levels(24, 16, 2).double(), levels(24, 16, 3).double()
RECIPE = quick(beta=7.0)


def weights(recipe: Recipe, *styles: Tensor, masks: Masks | None = None) -> list[list[float]]:
    """By style, of each layer's loss."""
    targets = Targets(recipe, NETWORK, CONTENT, styles, octaves=1, masks=masks).styles[0]
    layers = len(recipe.style_layers)
    found = [float(target.weight) for target in targets]
    return [found[i : i + layers] for i in range(0, len(found), layers)]


def loss_of_nothing(style: Tensor) -> float:
    """Written out: the sum of weight * |A|^2 / (4 N^2)."""
    seen = NETWORK(style, RECIPE.style_layers)
    grams = [losses.moments(seen[layer]).product for layer in RECIPE.style_layers]
    parts = zip(grams, RECIPE.style_layer_weights, strict=True)
    return sum((weight * float(gram.square().sum()) / (4 * len(gram) ** 2) for gram, weight in parts), 0.0)


def plain(beta: float) -> list[float]:
    return [beta * weight for weight in RECIPE.style_layer_weights]


def test_a_style_above_it_is_weighed_down_to_it() -> None:
    ceiling = loss_of_nothing(STRONG) / 5
    (found,) = weights(dataclasses.replace(RECIPE, style_ceiling=ceiling), STRONG)
    assert found == pytest.approx(plain(7.0 / 5))


@pytest.mark.parametrize("ceiling", [0.0, 1.001])
def test_below_it_or_without_one_nothing_changes(ceiling: float) -> None:
    recipe = dataclasses.replace(RECIPE, style_ceiling=ceiling * loss_of_nothing(STRONG))
    assert weights(recipe, STRONG) == [pytest.approx(plain(7.0))]


def test_beta_still_says_how_strong_the_style_is() -> None:
    recipe = dataclasses.replace(RECIPE, style_ceiling=loss_of_nothing(STRONG) / 5)
    (once,), (twice,) = weights(recipe, STRONG), weights(dataclasses.replace(recipe, beta=14.0), STRONG)
    assert twice == pytest.approx([2 * weight for weight in once])


@pytest.mark.parametrize(("raised", "times"), [(3.0, 3.0), (1.0, 1.0), (0.5, 1.0), (9.0, 4.0)])
def test_a_style_below_the_floor_is_weighed_up_to_it_fourfold_at_most(raised: float, times: float) -> None:
    recipe = dataclasses.replace(RECIPE, style_floor=raised * loss_of_nothing(FAINT))
    assert weights(recipe, FAINT) == [pytest.approx(plain(7.0 * times))]


def test_between_floor_and_ceiling_nothing_changes() -> None:
    own = loss_of_nothing(STRONG)
    recipe = dataclasses.replace(RECIPE, style_floor=own / 2, style_ceiling=2 * own)
    assert weights(recipe, STRONG) == [pytest.approx(plain(7.0))]


def test_a_style_without_any_features_has_finite_weights() -> None:
    nothing = torch.full_like(STRONG, 128.0)
    recipe = dataclasses.replace(RECIPE, style_floor=loss_of_nothing(STRONG), style_ceiling=2 * loss_of_nothing(STRONG))
    (found,) = weights(recipe, nothing)
    assert found == pytest.approx(plain(7.0 * 4))


def test_of_styles_with_masks_each_is_held_to_it_alone() -> None:
    half = torch.zeros(1, 1, *CONTENT.shape[2:], dtype=torch.float64)
    half[..., :12] = 1
    recipe = dataclasses.replace(
        RECIPE, style_weights=(1.0, 1.0), style_ceiling=max(loss_of_nothing(FAINT), loss_of_nothing(STRONG) / 5)
    )
    assert loss_of_nothing(FAINT) < loss_of_nothing(STRONG) / 5
    faint, strong = weights(recipe, FAINT, STRONG, masks=Masks([half, 1 - half]))
    assert faint == pytest.approx(plain(7.0 / 2))
    assert strong == pytest.approx(plain(7.0 / 2 / 5))


@pytest.mark.parametrize(("field", "version"), [("style_ceiling", 5), ("style_floor", 7)])
def test_fine_has_both_and_older_recipes_have_none(field: str, version: int) -> None:
    assert getattr(preset("fine"), field) > 0
    assert {getattr(preset(name), field) for name in ("classic", "gatys")} == {0}
    older = {name: value for name, value in preset("fine").as_dict().items() if name != field}
    assert getattr(Recipe.from_dict(older | {"version": version}), field) == 0
