"""Sequences: one painting goes on from the one before, and what does not move does not flicker."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from painting_kit import photo, quick
from PIL import Image

from engine.painting.motion import ContentFrames
from engine.painting.painter import Painter
from engine.painting.pictures import pixels_sha256
from engine.painting.state import State
from engine.recipe.recipe import Recipe, RecipeError

STYLE = photo(30, 44, 10)
MOVING = quick(size=48, iterations=9, scales=2, frame_iterations=5, average=0.8, step_end=0.2, clamp=True)
RECIPES = {
    "adam, scales": MOVING,
    "lbfgs": quick(size=48, iterations=8, optimiser="lbfgs", step=1.0, start="noise", noise=1.0, frame_iterations=4),
    "the content's colours": quick(size=48, iterations=6, scales=2, frame_iterations=4, colours="content"),
}
recipes = pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)


def frames(count: int = 3) -> list[Image.Image]:
    """A patch that moves to the right over soft blobs."""
    pictures = [photo(48, 36, 1) for _ in range(count)]
    for number, picture in enumerate(pictures):
        picture.paste((230, 40, 20), (2 + 8 * number, 4, 8 + 8 * number, 10))
    return pictures


def paint_all(recipe: Recipe, contents: list[Image.Image]) -> list[Image.Image]:
    """One content after the other by a recipe for one."""
    recipe, (first, *further) = recipe.sequence(len(contents)), contents
    painter = Painter(recipe, first, [STYLE], frames=further)
    return [painter.picture(state) for state in painter.paint(painter.begin()) if state.iteration in recipe.frame_ends]


def levels(picture: Image.Image) -> NDArray[np.float64]:
    return np.asarray(picture, dtype=np.float64)


def flicker(paintings: list[Image.Image]) -> float:
    """Mean difference from one to the next in the lower half, where nothing moves."""
    return float(np.mean([np.abs(levels(a) - levels(b))[20:].mean() for a, b in pairwise(paintings)]))


@recipes
def test_what_does_not_move_stays_and_what_moves_is_painted_anew(recipe: Recipe) -> None:
    paintings = paint_all(recipe, frames())
    assert len(paintings) == 3
    assert {painting.size for painting in paintings} == {(48, 36)}
    assert flicker(paintings) == 0
    for number, (before, after) in enumerate(pairwise(paintings)):
        changed = np.abs(levels(before) - levels(after)).max(axis=2) > 0
        left, right = 2 + 8 * number, 16 + 8 * number
        assert changed[4:10, left:right].mean() > 0.9
        assert not changed[:, right + 8 :].any()
    alone = [paint_all(recipe, [picture])[0] for picture in frames()]
    assert pixels_sha256(paintings[0]) == pixels_sha256(alone[0])
    assert flicker(alone) > 0.05


@pytest.mark.long
@recipes
def test_a_sequence_that_is_cut_anywhere_ends_alike_bit_for_bit(recipe: Recipe) -> None:
    whole = paint_all(recipe, frames())
    moving = recipe.sequence(3)
    first, *further = frames()
    state: State | None = None
    for stop in range(2, moving.iterations + 1):
        painter = Painter(moving, first, [STYLE], frames=further)
        if state is None:
            state = painter.begin()
        else:
            tensors = {name: tensor.clone() for name, tensor in state.copy().tensors().items()}
            state = State.restore(moving, tensors, state.numbers(), torch.device("cpu"))
        for _ in painter.paint(state, stop):
            pass
        if stop in moving.frame_ends:
            painted = pixels_sha256(painter.picture(state))
            assert painted == pixels_sha256(whole[moving.frame_ends.index(stop)])


def test_a_slow_change_is_painted_once_it_is_seen_and_noise_never() -> None:
    def picture(level: int, spread: int = 0) -> Image.Image:
        shake = np.random.default_rng(level).integers(-spread, spread + 1, (24, 32, 3))
        return Image.fromarray((level + shake).astype(np.uint8))

    fading = ContentFrames([picture(100 + 2 * i) for i in range(8)], 32)
    assert [i for i in range(8) if fading.moved(i, (24, 32)).any()] == [0, 4]
    # Asked for in any order it is the same.
    assert bool(fading.moved(4, (12, 16)).all())
    shaking = ContentFrames([picture(100 + i % 2, spread=4) for i in range(6)], 32)
    assert not any(shaking.moved(i, (24, 32)).any() for i in range(1, 6))


def test_frames_of_another_shape_are_cut_to_the_first() -> None:
    odd = [photo(48, 36, 1), photo(100, 30, 2), photo(20, 60, 3)]
    paintings = paint_all(MOVING, odd)
    assert [painting.size for painting in paintings] == [(48, 36)] * 3
    assert flicker(paintings) > 5


@pytest.mark.parametrize(("count", "fields"), [(0, {}), (2, {}), (1, {"frames": 1})])
def test_contents_that_the_recipe_is_not_for_are_refused(count: int, fields: dict[str, Any]) -> None:
    recipe = quick(**({"frames": 2, "iterations": 60} | fields))
    with pytest.raises(RecipeError, match="frames, but"):
        Painter(recipe, photo(40, 30, 1), [STYLE], frames=[photo(40, 30, 2)] * count)
