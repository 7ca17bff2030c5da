"""The best iterate is kept, and belongs to the checkpoint; what has turned into nearly one colour is told."""

from __future__ import annotations

import json
import math

import pytest
import torch
from painting_kit import assert_same, last, painter, photo, quick, restored, saved, until
from PIL import Image

from engine.painting.flatness import spread_of
from engine.recipe.recipe import Recipe

EVERYWHERE = tuple(range(1, 60))
SPIKING = quick(iterations=30, step=160.0, snapshots=EVERYWHERE)
FADING = quick(alpha=0.0, beta=0.0, total_variation=1.0, iterations=400, step=4.0, snapshots=EVERYWHERE)
"""Nothing but smoothness: it ends as one colour, with less loss than ever."""


def test_it_is_what_had_the_least_loss_of_all_that_were_inspected() -> None:
    own = painter(SPIKING)
    state = own.begin()
    before, seen, worse = state.pixels.clone(), [], 0
    for _ in own.paint(state):
        seen.append((float(state.losses[state.iteration - 1, 0]), before))
        least = min(range(len(seen)), key=lambda i: seen[i][0])
        assert (state.best_at, state.best_loss) == (least + 1, seen[least][0])
        assert state.best is not None
        assert torch.equal(state.best, seen[least][1])
        before, worse = state.pixels.clone(), worse + (state.best_at < state.iteration)
    assert worse, "this run is to be worse at times than it was"


@pytest.mark.parametrize("recipe", [quick(iterations=25, snapshots=EVERYWHERE, average=0.9)], ids=["averaged"])
def test_it_is_what_was_shown(recipe: Recipe) -> None:
    own = painter(recipe)
    shown = {}
    for state in own.paint(own.begin()):
        shown[state.iteration] = own.picture(state).tobytes()
    best = own.best_readback(state)
    assert best is not None
    assert best.read().picture.tobytes() == shown[state.best_at]
    assert best.read().loss == pytest.approx(state.best_loss)


def test_another_scale_has_its_own() -> None:
    recipe = quick(iterations=24, scales=2, size=48, snapshots=EVERYWHERE)
    own = painter(recipe)
    state = until(own, 12)
    assert state.best_at > 0
    state = until(own, 14, state)
    assert state.best_at in (13, 14)
    assert state.best is not None
    assert state.best.shape == state.pixels.shape


@pytest.mark.long
def test_it_belongs_to_the_checkpoint() -> None:
    uncut = last(painter(SPIKING))
    for cut in (1, 11, 23):
        tensors, numbers = saved(until(painter(SPIKING), cut))
        assert "best" in tensors
        resumed = last(painter(SPIKING), restored(SPIKING, (tensors, numbers)))
        assert_same(resumed, uncut)
        assert resumed.best_at == uncut.best_at


def test_a_checkpoint_from_before_there_was_one_goes_on() -> None:
    tensors, numbers = saved(until(painter(SPIKING), 7))
    old = {name: tensor for name, tensor in tensors.items() if name != "best"}
    words = json.loads(numbers)
    for name in ("best_loss", "best_at"):
        del words[name]
    state = restored(SPIKING, (old, json.dumps(words)))
    assert (state.best, state.best_loss, state.best_at) == (None, math.inf, 0)
    assert torch.equal(last(painter(SPIKING), state).pixels, last(painter(SPIKING)).pixels)


@pytest.mark.long
def test_goo_is_told_and_never_the_best_however_small_its_loss() -> None:
    own = painter(FADING)
    state = own.begin()
    assert not own.is_goo(state)
    state = last(own, state)
    assert own.is_goo(state)
    best = own.best_readback(state)
    assert best is not None
    assert state.best_at < FADING.iterations
    assert float(state.losses[-1, 0]) < state.best_loss
    assert spread_of(best.read().picture) > 2 * spread_of(own.picture(state))


def test_how_far_colours_lie_apart() -> None:
    grain = Image.effect_noise((256, 256), 40).convert("RGB")
    assert spread_of(Image.new("RGB", (90, 60), "#808080")) == 0
    assert spread_of(grain) < 15
    assert spread_of(photo(90, 60, 3)) > 40
