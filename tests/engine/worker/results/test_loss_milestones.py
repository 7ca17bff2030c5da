from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.worker.results.loss_milestones import breakouts, extremes, first_decade, scale_starts


def falling(count: int) -> NDArray[np.float64]:
    return np.asarray(1e6 / np.arange(1, count + 1, dtype=np.float64) ** 0.7)


@given(st.integers(1, 400), st.integers(0, 2**32 - 1))
def test_a_loss_that_falls_and_rustles_keeps_to_its_course(count: int, seed: int) -> None:
    rustling = falling(count) * np.exp(np.random.default_rng(seed).uniform(-0.05, 0.05, count))
    assert breakouts(rustling) == []


def test_a_spike_breaks_out_at_its_peak_and_two_that_touch_are_one() -> None:
    losses = falling(500)
    losses[[99, 100, 101, 106]] *= [2, 6, 3, 2]
    losses[299] *= 1.5
    (first, second) = breakouts(losses)
    assert (first.iteration, second.iteration) == (101, 300)
    assert first.factor == pytest.approx(6, rel=0.1)
    assert second.factor == pytest.approx(1.5, rel=0.05)


def test_what_swings_wide_already_must_break_out_further() -> None:
    swinging = falling(300) * np.where(np.arange(300) % 3 == 0, 2.0, 1.0)
    assert breakouts(swinging) == []
    swinging[200] *= 20
    assert [one.iteration for one in breakouts(swinging)] == [201]


def test_another_scale_is_another_loss() -> None:
    losses = np.concatenate([falling(60), 50 * falling(60)])
    assert [one.iteration for one in breakouts(losses)] == [61]
    assert scale_starts([(256, 60), (512, 60)]) == [61]
    assert breakouts(losses, scale_starts([(256, 60), (512, 60)])) == []


def test_gaps_and_runs_of_nothing_have_no_breakouts() -> None:
    losses = falling(200)
    losses[50:80] = math.nan
    losses[120] *= 3
    assert [one.iteration for one in breakouts(losses)] == [121]
    for nothing in (np.zeros(0), np.full(40, math.nan), np.ones(5)):
        assert breakouts(nothing) == []
        assert first_decade(nothing) is None


def test_the_first_decade_counts_from_the_first_loss_that_is_known() -> None:
    assert first_decade(np.array([100.0, 50, 10.1, 30, 10.0, 5])) == 5
    assert first_decade(np.array([math.nan, 50, 10.1, 30, 10.0, 5])) == 6
    assert first_decade(np.array([100.0, 50])) is None


@given(st.lists(st.tuples(st.integers(0, 9), st.floats(0, 1)), min_size=1))
def test_no_spike_is_lost_where_many_iterations_share_a_column(points: list[tuple[int, float]]) -> None:
    columns = np.array(sorted(column for column, _ in points))
    values = np.array([value for _, value in points])
    kept = extremes(columns, values)
    for column in set(columns.tolist()):
        own, drawn = values[columns == column], values[kept[columns[kept] == column]]
        assert (own.min(), own.max(), own[0], own[-1]) == (drawn.min(), drawn.max(), drawn[0], drawn[-1])
        assert len(drawn) <= 4
