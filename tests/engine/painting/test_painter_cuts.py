"""A run that is cut anywhere and resumed from its checkpoint equals the uncut run bit for bit."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from painting_kit import assert_same, last, painter, quick, restored, saved, until

from engine.recipe.presets import preset
from engine.recipe.recipe import Recipe

SHRUNK: dict[str, Any] = {"weights": "random", "size": 32, "iterations": 5}

RUNS: dict[str, Recipe] = {
    "classic": preset("classic", **SHRUNK),
    "gatys": preset("gatys", **SHRUNK),
    "fine": preset("fine", **(SHRUNK | {"size": 48, "iterations": 7, "scales": 3})),
    "adam, averaged, scales": quick(size=48, iterations=9, scales=2, average=0.8, step_end=0.2),
    "lbfgs, averaged, scales": quick(size=48, iterations=9, scales=2, average=0.8, optimiser="lbfgs", step=1.0),
    "lbfgs, short history": quick(iterations=9, optimiser="lbfgs", step=0.7, history=3, noise=0.5),
    "networks in turns": quick(iterations=7, networks=3, noise=1.0, start="noise"),
    "inspected everywhere": quick(iterations=12, snapshots=tuple(range(1, 12))),
    "adam, rolled back": quick(iterations=14, step=255.0, snapshots=(1, 5), average=0.7),
    "lbfgs, rolled back": quick(iterations=14, step=20.0, snapshots=(1, 5), optimiser="lbfgs"),
    "rolled back, scales": quick(iterations=16, step=20.0, snapshots=(1, 5), optimiser="lbfgs", scales=2, size=48),
}


@pytest.mark.parametrize("run", RUNS)
def test_a_run_cut_anywhere_equals_the_uncut_run(run: str) -> None:
    recipe = RUNS[run]
    uncut = painter(recipe)
    state = uncut.begin()
    checkpoints = [saved(state)] + [saved(state) for state in uncut.paint(state)]
    if "rolled back" in run:
        assert state.rollbacks, "this run is to have rollbacks"
    resuming = painter(recipe)
    for k, checkpoint in enumerate(checkpoints):
        resumed = last(resuming, restored(recipe, checkpoint))
        assert resumed.iteration == recipe.iterations, k
        assert_same(resumed, state)
        assert resumed.rollbacks == state.rollbacks
    assert uncut.picture(state).tobytes() == resuming.picture(resumed).tobytes()


@pytest.mark.parametrize("run", ["fine", "lbfgs, averaged, scales", "rolled back, scales"])
def test_a_run_cut_after_every_iteration_equals_the_uncut_run(run: str) -> None:
    recipe = RUNS[run]
    uncut, own = last(painter(recipe)), painter(recipe)
    state = own.begin()
    while state.iteration < recipe.iterations:
        state = restored(recipe, saved(state))
        (state,) = own.paint(state, stop=state.iteration + 1)
    assert_same(state, uncut)


@pytest.mark.parametrize("optimiser", ["adam", "lbfgs"])
def test_a_copy_is_not_touched_by_the_going_painting(optimiser: str) -> None:
    recipe = quick(optimiser=optimiser, step=1.0, average=0.5)
    own = painter(recipe)
    state = until(own, 5)
    copy, before = state.copy(), saved(state)
    last(own, state)
    assert copy.iteration == 5
    assert_same(copy, restored(recipe, before))
    assert_same(restored(recipe, saved(copy)), restored(recipe, before))


@pytest.mark.parametrize("optimiser", ["adam", "lbfgs"])
def test_a_copy_can_be_painted_on(optimiser: str) -> None:
    recipe = quick(optimiser=optimiser, step=1.0)
    own = painter(recipe)
    state = until(own, 5)
    copy = state.copy()
    assert_same(last(own, copy), last(own, state))


def test_a_checkpoint_without_a_part_is_refused() -> None:
    recipe = quick()
    tensors, numbers = saved(painter(recipe).begin())
    for missing in ("pixels", "average", "good", "losses"):
        parts = {name: tensor for name, tensor in tensors.items() if name != missing}
        with pytest.raises(KeyError, match=missing):
            restored(recipe, (parts, numbers))


def test_a_checkpoint_holds_only_the_losses_so_far() -> None:
    recipe = quick()
    state = until(painter(recipe), 5)
    tensors, _ = saved(state)
    assert len(tensors["losses"]) == 5
    back = restored(recipe, saved(state))
    assert len(back.losses) == recipe.iterations
    assert torch.equal(back.losses[:5], state.losses[:5])
