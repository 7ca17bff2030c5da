"""A style whose features are larger than any photograph's is weighed down, so that it does not outweigh the content."""

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


def test_fine_has_one_and_older_recipes_have_none() -> None:
    assert preset("fine").style_ceiling > 0
    assert {preset(name).style_ceiling for name in ("classic", "gatys")} == {0}
    older = {name: value for name, value in preset("fine").as_dict().items() if name != "style_ceiling"}
    assert Recipe.from_dict(older | {"version": 5}).style_ceiling == 0
