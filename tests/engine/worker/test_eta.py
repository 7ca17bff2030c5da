"""The time to go, on a clock that the test turns."""

from __future__ import annotations

import dataclasses
from itertools import accumulate

import pytest

from engine.recipe import cost
from engine.recipe.presets import preset
from engine.recipe.recipe import Recipe
from engine.worker.eta import Eta

SIZE = (256, 192)
FINE = preset("fine", weights="random", size=256)


def run(recipe: Recipe, speeds: list[float], ready: float = 0.0, first: int = 0) -> tuple[list[float], list[float]]:
    """(seconds foretold, seconds that it really took) from each iteration on, at these FLOP/s on the scales.

    The first iteration of all takes `ready` seconds longer.
    """
    left = [cost.remaining_flops(recipe, 0.75, i) for i in range(recipe.iterations + 1)]
    ends = list(accumulate(count for _, count in recipe.plan()))
    scales = [next(k for k, end in enumerate(ends) if i < end) for i in range(recipe.iterations)]
    now, clock = 1000.0, list[float]()
    eta, foretold = Eta(recipe, SIZE, first, now), list[float]()
    for i in range(first, recipe.iterations):
        now += (left[i] - left[i + 1]) / speeds[scales[i]] + (ready if i == first else 0.0)
        eta.tick(i + 1, scales[i], now)
        foretold.append(eta.seconds)
        clock.append(now)
    return foretold, [clock[-1] - at for at in clock]


def test_at_an_even_speed_it_is_known_from_the_second_iteration_on() -> None:
    for first in (0, 37, 139):
        foretold, real = run(FINE, [3e10] * FINE.scales, first=first)
        assert foretold[1:] == pytest.approx(real[1:])


def test_before_the_first_iteration_nothing_is_known() -> None:
    assert Eta(FINE, SIZE, 0, 5.0).seconds == 0


def test_the_first_iteration_in_which_much_is_got_ready_tells_nothing() -> None:
    foretold, real = run(FINE, [3e10] * FINE.scales, ready=5.0)
    assert foretold[0] == 0
    assert foretold[1:] == pytest.approx(real[1:])


def test_where_a_scale_has_one_iteration_the_next_one_soon_tells() -> None:
    last = next(count for _, count in FINE.plan()) - 1
    foretold, real = run(FINE, [3e10] * FINE.scales, first=last)
    assert foretold[:2] == [0, 0]
    assert foretold[2:] == pytest.approx(real[2:])


def test_each_scale_soon_has_its_own_speed() -> None:
    foretold, real = run(FINE, [2e10, 3e10, 4e10])
    assert foretold[-30:] == pytest.approx(real[-30:])
    begins = sum(count for _, count in FINE.plan()[:-1])
    new = slice(begins, begins + 4)  # where it is still taken to be the old one
    assert foretold[new] == pytest.approx([4 / 3 * seconds for seconds in real[new]])


def test_a_clock_that_stands_still_foretells_nothing() -> None:
    eta = Eta(dataclasses.replace(FINE, iterations=10), SIZE, 0, 5.0)
    for iteration in (1, 2):
        eta.tick(iteration, 0, 5.0)
    assert eta.seconds == 0
