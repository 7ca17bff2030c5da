"""What a draft is painted by, and what its finish is."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from support.pictures import CONTENT, STYLE, noise

from engine.painting.painter import Painter
from engine.painting.pictures import cut_to, to_picture
from engine.recipe.draft import ITERATIONS, SIZE, WEIGHTS, draft_recipe, finishing
from engine.recipe.presets import PRESETS, preset
from engine.recipe.recipe import RecipeError


@pytest.mark.parametrize("name", PRESETS)
def test_a_draft_is_the_same_recipe_small_short_and_by_the_starter(name: str) -> None:
    small = draft_recipe(name, size=1024, seed=7, strength=2.0, network="vgg16")
    usual = preset(name, weights=WEIGHTS, size=SIZE, seed=7, strength=2.0)
    assert small == dataclasses.replace(usual, iterations=min(ITERATIONS, usual.iterations))
    assert draft_recipe(name).size == SIZE
    assert draft_recipe(name, iterations=10**4).iterations == ITERATIONS


def test_what_is_smaller_than_a_draft_stays_so() -> None:
    assert draft_recipe("fine", size=96, iterations=12) == preset("fine", weights=WEIGHTS, size=96, iterations=12)


def test_what_the_starter_cannot_paint_has_no_draft() -> None:
    with pytest.raises(RecipeError, match="These weights have no layer relu3_4"):
        draft_recipe("classic", content_layers=("relu3_4",))


@pytest.mark.parametrize(
    ("size", "plan"),
    [
        (512, [(256, 45), (362, 45), (512, 45)]),
        (362, [(256, 45), (362, 45)]),
        (300, [(300, 45)]),  # 212 px would paint over the draft
        (256, [(256, 45)]),
        (96, [(96, 45)]),
    ],
)
def test_fine_goes_on_from_the_drafts_own_size(size: int, plan: list[tuple[int, int]]) -> None:
    full = preset("fine", size=size, weights="sha256:0123456789abcdef", network="vgg16", strength=2.0)
    recipe = finishing(full, min(SIZE, size))
    assert recipe.plan() == plan
    ours: dict[str, Any] = {"start": "picture", "noise": 0.0, "scales": len(plan), "iterations": 45 * len(plan)}
    assert recipe == dataclasses.replace(full, **ours)


@pytest.mark.parametrize("name", ["classic", "gatys"])
def test_what_has_one_scale_is_painted_whole_from_the_draft(name: str) -> None:
    assert finishing(preset(name), SIZE) == dataclasses.replace(preset(name), start="picture", noise=0.0)


def test_the_finish_begins_with_the_draft_and_nothing_else() -> None:
    recipe = finishing(preset("fine", weights="random", size=64), 48)
    draft = noise(3, 48)
    begun = Painter(recipe, CONTENT, [STYLE], canvas=draft).begin()
    assert to_picture(begun.pixels).tobytes() == cut_to(draft, (64, 64)).tobytes()
