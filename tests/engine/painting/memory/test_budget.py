"""The memory plan: whole where it fits, else strips as wide as fit, by the memory that is free."""

from __future__ import annotations

from typing import Literal

import pytest
import torch
from painting_kit import last, photo, quick, saved, until
from torch import Tensor

from engine.painting.errors import PaintingError
from engine.painting.memory import budget
from engine.painting.memory.allocator import kept_memory
from engine.painting.memory.strips import LEAST_ROWS, margin
from engine.painting.objective import Objective
from engine.painting.painter import Painter
from engine.process.memory_limits import MemoryLimit
from engine.recipe import cost
from engine.recipe.presets import preset
from engine.recipe.recipe import Recipe

GIB = 2**30
CLASSIC = preset("classic", weights="random")


def needed(recipe: Recipe, width: int, height: int) -> float:
    """Bytes to paint it whole."""
    parts = (cost.lasting_memory, cost.content_memory, cost.passing_memory)
    return sum(part(recipe, width * height) for part in parts)


def test_what_fits_is_painted_whole() -> None:
    assert budget.rows_for(CLASSIC, 512, 512, 1.2 * needed(CLASSIC, 512, 512)) is None
    assert budget.rows_for(CLASSIC, 512, 512, needed(CLASSIC, 512, 512)) is not None


@pytest.mark.parametrize("free", [8 * GIB, 12 * GIB, 20 * GIB])
def test_strips_with_their_margins_fit_and_are_as_wide_as_can_be(free: float) -> None:
    rows = budget.rows_for(CLASSIC, 4096, 4096, free)
    assert rows is not None and rows % 16 == 0
    edges = 2 * margin((*CLASSIC.content_layers, *CLASSIC.style_layers))
    taken = cost.lasting_memory(CLASSIC, 4096**2) + cost.passing_memory(CLASSIC, 4096 * (rows + edges))
    more = cost.passing_memory(CLASSIC, 4096 * 16)
    assert taken <= 0.9 * free < taken + more


def test_strips_are_never_all_margin() -> None:
    assert budget.rows_for(CLASSIC, 4096, 4096, 0) == LEAST_ROWS


def test_what_does_not_fit_even_in_strips_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """L-BFGS remembers forty pictures."""
    recipe = quick(size=256, optimiser="lbfgs", step=1.0)
    painter = Painter(recipe, photo(60, 256, 1), [photo(50, 40, 2)])
    taken = cost.lasting_memory(recipe, 60 * 256) + cost.saving_memory(recipe, 60 * 256)  # where it is saved
    monkeypatch.setattr(budget, "free_memory", lambda _: 0.9 * taken)
    with pytest.raises(PaintingError, match=r"60 x 256 px need more memory .* ask for a smaller size\."):
        painter.begin()


@pytest.mark.parametrize("optimiser", ["adam", "lbfgs"])
def test_a_state_that_is_saved_is_there_three_times_more(optimiser: Literal["adam", "lbfgs"]) -> None:
    recipe = quick(optimiser=optimiser, history=4, size=64, iterations=30, step=1.0)
    painter = Painter(recipe, photo(64, 48, 1), [photo(50, 40, 2)])
    state = last(painter)
    own = sum(tensor.nbytes for name, tensor in state.tensors().items() if name != "losses")
    assert 3 * own <= cost.saving_memory(recipe, 64 * 48) <= 4 * own


def test_more_memory_never_means_narrower_strips() -> None:
    found = [budget.rows_for(CLASSIC, 2048, 2048, gib * GIB) or 2048 for gib in range(2, 40)]
    assert found == sorted(found)
    assert found[-1] == 2048


def test_the_processors_free_memory_is_some_and_not_more_than_there_is() -> None:
    total = torch.empty(0)
    free = budget.free_memory(total.device)
    assert 2**26 < free < 2**46


def test_a_units_limit_counts_where_the_machine_has_more(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = kept_memory()
    monkeypatch.setattr(budget, "memory_limits", lambda: [MemoryLimit(2**30, 2**29), MemoryLimit(2**40, 0)])
    assert budget.free_memory(torch.device("cpu")) - kept == pytest.approx(2**29, abs=2**24)


def test_each_scale_is_planned_and_the_plan_is_kept_with_the_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second of two scales does not fit whole; who goes on with more memory keeps the strips, and the bits."""
    recipe = quick(size=256, scales=2, iterations=8, snapshots=())
    painter = Painter(recipe, photo(60, 256, 1), [photo(50, 40, 2)])
    looked: list[int | None] = []
    look = Objective.__call__

    def noted(self: Objective, pixels: Tensor, iteration: int) -> tuple[Tensor, Tensor]:
        looked.append(self._rows)
        return look(self, pixels, iteration)

    monkeypatch.setattr(Objective, "__call__", noted)
    monkeypatch.setattr(budget, "free_memory", lambda _: 1.2 * needed(recipe, 42, 181))
    whole = last(painter)
    rows = whole.rows
    assert rows is not None and looked == [None] * 4 + [rows] * 4

    cut = until(painter, 6)
    monkeypatch.setattr(budget, "free_memory", lambda _: 64.0 * GIB)
    other = Painter(recipe, photo(60, 256, 1), [photo(50, 40, 2)])
    assert saved(last(other, cut.copy()))[1] == saved(whole)[1]
    assert looked[-2:] == [rows, rows]
