"""A style that varies much weighs the total variation down: the painting may be as fine in detail as its style."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from painting_kit import levels, quick, random_weights
from torch import Tensor

from engine.painting.network.vgg import VGG
from engine.painting.objective import Objective
from engine.painting.targets import Masks
from engine.recipe.presets import preset
from engine.recipe.recipe import Recipe

NETWORK = VGG(random_weights(4, 0, torch.float64), pooling="average", device=torch.device("cpu"))
CONTENT, STYLE, CALM = levels(24, 16, 1).double(), levels(20, 28, 3).double(), 128 + 0.1 * levels(24, 16, 2).double()
RECIPE = quick(total_variation=3.0)


def mean_squared_difference(picture: Tensor) -> float:
    """Written out: over all neighbours of a pixel below and to its right."""
    total = 0.0
    for channel in picture[0].tolist():
        for y, row in enumerate(channel):
            for x, value in enumerate(row):
                total += (channel[y + 1][x] - value) ** 2 if y + 1 < len(channel) else 0.0
                total += (row[x + 1] - value) ** 2 if x + 1 < len(row) else 0.0
    return total / picture.numel()


def variation(recipe: Recipe, *styles: Tensor, masks: Masks | None = None) -> float:
    """The content's own, as it counts in the loss."""
    terms, _ = Objective(recipe, [NETWORK], CONTENT, styles, masks=masks)(CONTENT, 0)
    return float(terms[3])


PLAIN = 3.0 * mean_squared_difference(CONTENT)


def test_a_style_above_it_weighs_the_variation_down_by_as_much() -> None:
    recipe = dataclasses.replace(RECIPE, variation_ceiling=mean_squared_difference(STYLE) / 4)
    assert variation(recipe, STYLE) == pytest.approx(PLAIN / 4)


@pytest.mark.parametrize("ceiling", [0.0, 1.001])
def test_below_it_or_without_one_nothing_changes(ceiling: float) -> None:
    recipe = dataclasses.replace(RECIPE, variation_ceiling=ceiling * mean_squared_difference(STYLE))
    assert variation(recipe, STYLE) == pytest.approx(PLAIN)


def test_several_styles_count_by_their_weights() -> None:
    own = (3 * mean_squared_difference(STYLE) + mean_squared_difference(CALM)) / 4
    recipe = dataclasses.replace(RECIPE, style_weights=(3.0, 1.0), variation_ceiling=own / 2)
    assert variation(recipe, STYLE, CALM) == pytest.approx(PLAIN / 2)


def test_with_masks_each_style_counts_by_its_share_of_the_painting() -> None:
    recipe = dataclasses.replace(RECIPE, style_weights=(1.0, 1.0))
    corner = torch.zeros(1, 1, *CONTENT.shape[2:], dtype=torch.float64)
    corner[..., :4, :4] = 1
    own = (16 * mean_squared_difference(STYLE) + (24 * 16 - 16) * mean_squared_difference(CALM)) / (24 * 16)
    recipe = dataclasses.replace(recipe, variation_ceiling=own / 2)
    assert variation(recipe, STYLE, CALM, masks=Masks([corner, 1 - corner])) == pytest.approx(PLAIN / 2)
    nowhere = Masks([torch.zeros_like(corner)] * 2)
    assert variation(recipe, STYLE, CALM, masks=nowhere) == pytest.approx(PLAIN)


def test_of_a_style_with_a_mask_only_what_it_shows_counts() -> None:
    left = torch.zeros(1, 1, *STYLE.shape[2:], dtype=torch.float64)
    left[..., :9] = 1
    recipe = dataclasses.replace(RECIPE, variation_ceiling=mean_squared_difference(STYLE[..., :9]) / 2)
    noisy_elsewhere = torch.where(left > 0, STYLE, 255 * levels(20, 28, 5).double().gt(128))
    assert variation(recipe, noisy_elsewhere, masks=Masks(styles=[left])) == pytest.approx(PLAIN / 2)


def test_a_grey_mask_is_as_none() -> None:
    recipe = dataclasses.replace(RECIPE, variation_ceiling=mean_squared_difference(STYLE) / 2)
    grey = torch.full((1, 1, *STYLE.shape[2:]), 0.5, dtype=torch.float64)
    assert variation(recipe, STYLE, masks=Masks(styles=[grey])) == pytest.approx(PLAIN / 2)


def test_the_moves_follow_from_what_is_weighed_down() -> None:
    recipe = dataclasses.replace(RECIPE, alpha=0.0, beta=0.0)
    ceiling = dataclasses.replace(recipe, variation_ceiling=mean_squared_difference(STYLE) / 4)
    (_, plain), (_, less) = (Objective(one, [NETWORK], CONTENT, [STYLE])(CONTENT, 0) for one in (recipe, ceiling))
    torch.testing.assert_close(less, plain / 4)


def test_fine_has_one_and_older_recipes_have_none() -> None:
    assert preset("fine").variation_ceiling > 0
    others = [preset("classic"), preset("gatys"), preset("fine", weights="random")]
    assert {recipe.variation_ceiling for recipe in others} == {0}
    older = {name: value for name, value in preset("fine").as_dict().items() if name != "variation_ceiling"}
    assert Recipe.from_dict(older | {"version": 6}).variation_ceiling == 0
