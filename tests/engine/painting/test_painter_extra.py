"""Going on after the end: up to there as without it, from there as uncut."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from painting_kit import assert_same, last, painter, quick, random_weights, restored, saved, until
from torch import Tensor

from engine.recipe.recipe import Recipe, RecipeError

PLANS: dict[str, Recipe] = {
    "adam, scales": quick(size=48, iterations=9, scales=2, average=0.8, step_end=0.2, snapshots=(4, 11, 25)),
    "lbfgs": quick(iterations=13, optimiser="lbfgs", step=1.0, noise=0.5, snapshots=(13,)),
    "a scale of one iteration": quick(size=48, iterations=3, scales=3, step_end=0.1),
    "adam, rolled back": quick(iterations=14, step=255.0, snapshots=(1, 5), average=0.7),
    "rolled back, scales": quick(iterations=16, step=20.0, snapshots=(1, 5), optimiser="lbfgs", scales=2, size=48),
}


@pytest.mark.parametrize("plan", PLANS)
def test_up_to_its_planned_end_a_continued_run_is_the_run_without_bit_for_bit(plan: str) -> None:
    recipe = PLANS[plan]
    ends = last(painter(recipe))
    goes_on = until(painter(recipe.continued(20)), recipe.iterations)
    assert_same(goes_on, ends)
    if "rolled back" in plan:
        assert ends.rollbacks, "this run is to have rollbacks"


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("after", [0, 4])  # the planned end, and so many iterations before it
def test_a_run_continued_from_its_checkpoint_is_the_uncut_longer_run(plan: str, after: int) -> None:
    recipe = PLANS[plan]
    longer = recipe.continued(17)
    uncut = last(painter(longer))
    checkpoint = saved(until(painter(recipe), max(0, recipe.iterations - after)))
    continued = last(painter(longer), restored(longer, checkpoint))
    assert continued.iteration == recipe.iterations + 17
    assert_same(continued, uncut)


@pytest.mark.parametrize("plan", ["adam, scales", "lbfgs"])
def test_a_run_can_be_continued_again_and_again(plan: str) -> None:
    """Also where it ended off the grid of inspections in between."""
    recipe = PLANS[plan]
    state = last(painter(recipe))
    for more in (4, 3, 8):
        recipe = recipe.continued(more)
        state = last(painter(recipe), restored(recipe, saved(state)))
    assert recipe.extra == 15
    assert_same(state, last(painter(recipe)))


def test_the_step_stays_where_the_plan_left_it() -> None:
    """Without memory Adam moves every pixel by exactly the step."""
    recipe = quick(iterations=5, step=4.0, step_end=0.25, beta1=0.0, beta2=0.0)
    lengths = {n: moves(recipe if n == 0 else recipe.continued(n)) for n in (0, 6)}
    assert lengths[6][:5] == lengths[0]
    assert lengths[6][4:] == pytest.approx([1.0] * 7, abs=1e-3)


def moves(recipe: Recipe) -> list[float]:
    own, lengths = painter(recipe), []
    before: Tensor = own.begin().pixels
    for state in own.paint(own.begin()):
        lengths.append(float((state.pixels - before).abs().median()))
        before = state.pixels.clone()
    return lengths


def test_the_last_picture_of_a_continued_run_is_looked_at_too() -> None:
    """It must not be one that is lost, wherever the run ends."""
    recipe = quick(iterations=13).continued(4)
    begun = until(painter(recipe), 16)
    begun.pixels.fill_(float("nan"))
    last(painter(recipe), begun)
    assert begun.rollbacks == [(17, "the loss was no longer a number")]
    assert torch.isfinite(begun.pixels).all()


@pytest.mark.long
@pytest.mark.parametrize(
    "recipe",
    [quick(iterations=6), quick(size=64, iterations=9, scales=3, average=0.8, step_end=0.2, snapshots=(4,))],
    ids=["one scale", "three scales"],
)
def test_a_draft_goes_on_to_twice_its_size_as_the_uncut_large_run(recipe: Recipe) -> None:
    """The random weights are those of 256 px and more, so a file's are taken here."""
    recipe = dataclasses.replace(recipe, weights="sha256:0123456789abcdef")
    convs = random_weights(5)
    large = recipe.enlarged()
    assert (large.size, large.plan()[: recipe.scales]) == (2 * recipe.size, recipe.plan())
    uncut = last(painter(large, convs))
    assert_same(until(painter(large, convs), recipe.iterations), last(painter(recipe, convs)))
    assert_same(last(painter(large, convs), restored(large, saved(last(painter(recipe, convs))))), uncut)


@pytest.mark.parametrize(
    ("recipe", "why"),
    [
        (quick(size=4000), "twice the size. The size must be"),
        (quick(size=64, iterations=10, scales=3), "scales are uneven"),
        (quick().continued(5), "gone on with"),
    ],
)
def test_what_cannot_be_enlarged_is_told_in_a_sentence(recipe: Recipe, why: str) -> None:
    with pytest.raises(RecipeError, match=why):
        recipe.enlarged()
