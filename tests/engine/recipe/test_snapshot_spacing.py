"""Where to look at a painting: by arithmetic alone, and as it is really seen to change."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from painting_kit import painter

from engine.recipe.presets import AUTO, AUTO_COUNT, PRESETS, preset
from engine.recipe.recipe import Recipe, RecipeError
from engine.recipe.snapshot_spacing import evenly

RECIPES = st.builds(
    Recipe,
    iterations=st.integers(12, 500),
    scales=st.integers(1, 12),
    step_end=st.sampled_from((0.1, 1.0)),
    optimiser=st.sampled_from(("adam", "lbfgs")),
)


@given(RECIPES, st.integers(1, 200))
def test_what_is_looked_at_rises_to_the_last_iteration(recipe: Recipe, count: int) -> None:
    chosen = evenly(recipe, count)
    assert chosen[0] >= 1
    assert chosen[-1] == recipe.iterations
    assert all(a < b for a, b in pairwise(chosen))
    assert len(chosen) == min(count, recipe.iterations)


def test_one_looks_often_where_it_changes_fast() -> None:
    still, *moving = (
        evenly(Recipe(iterations=1000, scales=k, step_end=e), 60) for k, e in ((1, 1), (1, 0.1), (4, 0.1))
    )
    assert still[:3] == (1, 2, 3)
    gaps = np.diff(still)
    assert (np.diff(gaps) >= -1).all()
    assert gaps[-1] > 50
    # The step falls towards the end of a scale, and so does the change; a new scale begins with the whole step.
    assert moving[0][-10] < still[-10]
    before, after = (sum(low < i <= low + 50 for i in moving[1]) for low in (200, 250))
    assert before < after


@pytest.mark.parametrize("name", PRESETS)
def test_auto_is_evenly_and_what_was_asked_for_besides(name: str) -> None:
    recipe = preset(name, snapshots=(AUTO, 77, 100_000), iterations=150)
    usual = preset(name, iterations=150)
    assert set(recipe.shown) == {*evenly(usual, AUTO_COUNT), 77}
    assert preset(name, snapshots=(AUTO,), iterations=5).shown == (1, 2, 3, 4, 5)
    assert Recipe.from_dict(recipe.as_dict()) == recipe


def test_every_so_many_iterations_besides_what_was_asked_for() -> None:
    assert preset("fine", snapshots=("every:50", 77), iterations=150).shown == (50, 77, 100, 150)
    assert preset("fine", snapshots=("every:200",), iterations=150).shown == (150,)
    for words in ("every:", "every:0", "every:-1", "every:many", "often"):
        with pytest.raises(RecipeError, match=f"^{words} are no snapshots"):
            preset("fine", snapshots=(words,))


def test_between_looks_a_painting_really_changes_about_evenly() -> None:
    recipe = preset("fine", weights="random", size=40, iterations=40, networks=1)
    own = painter(recipe)
    state = own.begin()
    seen = [np.asarray(own.picture(state).resize((24, 18)), dtype=np.float64) for _ in own.paint(state)]

    def spread(looks: tuple[int, ...]) -> float:
        pairs = [(seen[a - 1], seen[b - 1]) for a, b in pairwise(looks)]
        changes: NDArray[np.float64] = np.array([np.sqrt(np.mean((b - a) ** 2)) for a, b in pairs])
        return float(changes.std() / changes.mean())

    assert spread(evenly(recipe, 5)) < 0.25 < spread((8, 16, 24, 32, 40))
