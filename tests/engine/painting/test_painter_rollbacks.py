"""A loss that is lost: back to the last good pixels with half the step, three times at most."""

from __future__ import annotations

import math

import pytest
import torch
from painting_kit import last, painter, quick, random_weights, until
from torch import Tensor

from engine.painting.errors import PaintingError
from engine.painting.painter import EXPLOSION
from engine.painting.state import State
from engine.recipe.recipe import Recipe

LOST = {"step": 255.0, "iterations": 60}
NAN_OR_EXPLODED = {"the loss was no longer a number", "the loss exploded"}


def painted(recipe: Recipe) -> tuple[State, dict[int, Tensor]]:
    """The finished painting, and the pixels after each rollback."""
    own, after = painter(recipe), {}
    for state in own.paint(own.begin()):
        if state.rollbacks and state.rollbacks[-1][0] == state.iteration:
            after[state.iteration] = state.pixels.clone()
            assert torch.equal(state.pixels, state.good)
            assert state.averaged == 0
            assert torch.equal(state.shown(recipe.average), state.good)
            assert not any(tensor.any() for tensor in state.optimiser.tensors.values())
            assert state.step_factor == 0.5 ** len(state.rollbacks)
    return state, after


def test_a_step_far_too_long_is_halved_until_the_loss_falls() -> None:
    state, after = painted(quick(**LOST))
    assert after
    assert {reason for _, reason in state.rollbacks} <= NAN_OR_EXPLODED
    assert state.iteration == 60
    totals = state.losses[:, 0]
    assert math.isfinite(float(totals[-1]))
    assert float(totals[-1]) < float(totals[0])


@pytest.mark.long
def test_a_rollback_returns_to_pixels_whose_loss_was_good() -> None:
    """Not to those that the lost step led to: the next loss is the good one again."""
    for snapshots in ((), (1,), (1, 5)):
        state, after = painted(quick(**LOST, snapshots=snapshots))
        for iteration in after:
            good = min(float(loss) for loss in state.losses[:iteration, 0] if math.isfinite(loss))
            assert float(state.losses[iteration, 0]) <= EXPLOSION * max(good, float(state.losses[0, 0]))


def test_an_explosion_before_the_first_look_is_seen() -> None:
    own = painter(quick(step=255.0))
    state = until(own, 10)
    worst = float(state.losses[9, 0])
    assert math.isfinite(worst)
    assert worst > 100 * float(state.losses[0, 0])
    assert state.rollbacks == [(10, "the loss exploded")]
    assert torch.equal(state.pixels, own.begin().pixels)


def test_a_good_inspection_keeps_the_pixels_whose_loss_it_saw() -> None:
    own = painter(quick(iterations=25))
    before = own.begin().pixels
    for state in own.paint(own.begin()):
        if state.iteration in (10, 20, 25):
            assert torch.equal(state.good, before)
            assert state.good_loss == float(state.losses[state.iteration - 1, 0])
        before = state.pixels.clone()


def test_the_loss_is_looked_at_where_a_scale_ends() -> None:
    """Otherwise the next scale would go on from lost pixels and take them for good ones."""
    recipe = quick(size=48, scales=2, iterations=29, step=255.0, optimiser="lbfgs")
    first = recipe.plan()[0][1]
    assert first % 10, "the end of the scale is off the grid"
    own = painter(recipe)
    state = until(own, first)
    assert state.rollbacks[-1][0] == first
    until(own, first + 1, state)
    assert torch.isfinite(state.good).all()


def test_the_painting_breaks_off_after_three_rollbacks() -> None:
    """Weights so large that no loss is a number; the last good pixels are the start."""
    convs = {name: (weight * 1e30, bias) for name, (weight, bias) in random_weights(3).items()}
    own = painter(quick(weights="sha256:0123456789abcdef", iterations=50), convs)
    state = own.begin()
    start, seen = state.pixels.clone(), []
    with pytest.raises(PaintingError) as error:
        for _ in own.paint(state):
            seen.append(state.iteration)
            if state.iteration % 10 == 0:
                assert torch.equal(state.pixels, start)
                assert state.step_factor == 0.5 ** (state.iteration // 10)
    assert seen == list(range(1, 40))
    assert str(error.value) == (
        "The painting broke off at iteration 40: the loss was no longer a number, even after 3 smaller steps; "
        "try a smaller step or a lower strength."
    )
    assert [iteration for iteration, _ in state.rollbacks] == [10, 20, 30, 40]


def test_pixels_that_are_no_numbers_are_caught_though_the_loss_is_one() -> None:
    """The last step of all, after which no loss is taken."""
    own = painter(quick(iterations=10))
    state = until(own, 9)
    state.optimiser.tensors["mean"][0, 0, 0, 0] = math.nan
    state = last(own, state)
    assert state.rollbacks == [(10, "the loss was no longer a number")]
    assert torch.isfinite(state.pixels).all()


def test_an_ordinary_painting_is_never_rolled_back() -> None:
    # From this seed's noise L-BFGS, which has no line search, never leaps so far that the last bits decide how it ends.
    for optimiser, step in (("adam", 2.0), ("adam", 10.0), ("lbfgs", 1.0)):
        recipe = quick(
            optimiser=optimiser, step=step, iterations=30, snapshots=(1, 2, 3), noise=1.0, start="noise", seed=1
        )
        assert last(painter(recipe)).rollbacks == []
