"""What is to be seen in a curve of losses: where it breaks out, when it has fallen by a decade, what must not be lost
where it is drawn with fewer points than it has."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

WINDOW = 10
"""Iterations whose median a loss is held against."""
_LEAST = math.log(1.25)
"""A loss breaks out by a quarter at least, however quiet the iterations before it were."""
_DEVIATIONS = 3 * 1.4826
"""Hampel's three standard deviations, of which a normal distribution's median absolute deviation is 1 / 1.4826."""


class Breakout(NamedTuple):
    """The peak of one: its iteration, counted from 1, and how many times the median before it."""

    iteration: int
    factor: float


def breakouts(losses: Array, starts: Sequence[int] = ()) -> list[Breakout]:
    """Where the loss breaks out of its course upwards: the spikes of the talk.

    By Hampel's identifier (Hampel 1974, "The influence curve and its role in robust estimation"; Davies and Gather
    1993, "The identification of multiple outliers"), on logarithms, since losses fall by factors: a loss that lies
    above the median of the ten iterations before it by more than three times 1.4826 of their median absolute
    deviations, and by a quarter at least, and above each of them, since losses swing where networks take turns.
    Iterations so near to each other that one is in the other's window are one breakout, told at its peak.

    `losses` may have gaps (NaN); `starts` are the first iterations of scales, where it is another loss and so without
    a course yet.
    """
    found: list[Breakout] = []
    for first, end in pairwise(sorted({1, *starts, len(losses) + 1})):
        part = np.log(losses[first - 1 : end - 1])
        if len(part) <= WINDOW:
            continue
        before = np.lib.stride_tricks.sliding_window_view(part[:-1], WINDOW)
        median = np.median(before, axis=1)
        spread = np.median(np.abs(before - median[:, None]), axis=1)
        above = part[WINDOW:] - median
        bound = np.maximum(np.maximum(_LEAST, _DEVIATIONS * spread), before.max(axis=1) - median)
        outside = np.flatnonzero(above > bound)
        for group in np.split(outside, np.flatnonzero(np.diff(outside) > WINDOW) + 1) if len(outside) else ():
            peak = int(group[part[WINDOW:][group].argmax()])
            found.append(Breakout(first + WINDOW + peak, math.exp(float(above[peak]))))
    return found


def first_decade(losses: Array) -> int | None:
    """The first iteration whose loss is a tenth of the run's first one, or less; None where there is none."""
    known = np.flatnonzero(np.isfinite(losses))
    if not len(known):
        return None
    fallen = known[losses[known] <= losses[known[0]] / 10]
    return int(fallen[0]) + 1 if len(fallen) else None


def scale_starts(scales: Sequence[tuple[int, int]]) -> list[int]:
    """The first iteration of each scale but the first, of pairs of (side in px, iterations)."""
    return [done + 1 for done in accumulate(count for _, count in scales)][:-1]


def extremes(columns: NDArray[np.int64], values: Array) -> NDArray[np.int64]:
    """Which points, in order, to draw of those that share a column: the first, last, lowest and highest of each."""
    bounds = np.flatnonzero(np.diff(columns, prepend=columns[0] - 1, append=columns[-1] + 1))
    kept = set[int]()
    for first, end in pairwise(bounds.tolist()):
        part = values[first:end]
        kept |= {first, end - 1, first + int(part.argmin()), first + int(part.argmax())}
    return np.array(sorted(kept), dtype=np.int64)
