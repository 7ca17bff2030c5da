"""Time grows as the number of pixels does: seconds per iteration from small to large, and the exponent of the fit."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Mapping, Sequence

from benchmarks.bench import Ours, given, square_pictures, stand_in, timed
from benchmarks.report import Table, seconds
from engine.recipe.recipe import MAX_ITERATIONS

SIDES = (128, 256, 512, 1024, 2048)


def sizes(sides: Sequence[int], rounds: int, device: str = "cpu", deadline: float = math.inf) -> Table:
    """The table over these sizes, px; none but the first two is begun past `deadline` (`time.monotonic`)."""
    measured: dict[int, float] = {}
    for side in sides:
        if len(measured) < 2 or time.monotonic() < deadline:
            measured[side] = _seconds(side, rounds, device)
    per_pixel = {side: value / side**2 for side, value in measured.items()}
    return Table(
        "sizes",
        f"Time by size (classic, {device}, one random network, square pictures)",
        ("size", "iteration", "a megapixel", "against the smallest, by pixel"),
        [
            [f"{side} px", seconds(measured[side]), seconds(own * 1e6), f"{own / per_pixel[min(measured)]:.2f}"]
            for side, own in per_pixel.items()
        ],
        f"Seconds grow as the number of pixels to the power of {exponent(measured):.2f} (least squares of the "
        f"logarithms); 1 is linear. Medians of {rounds} rounds after one to warm up.",
        {"seconds": {str(side): value for side, value in measured.items()}, "exponent": exponent(measured)},
    )  # fmt: skip


def exponent(measured: Mapping[int, float]) -> float:
    """e in seconds ~ pixels^e, by least squares of the logarithms, of seconds by side in px, two or more."""
    pixels = [2 * math.log(side) for side in measured]
    taken = [math.log(value) for value in measured.values()]
    return statistics.linear_regression(pixels, taken).slope


def _seconds(side: int, rounds: int, device: str) -> float:
    ours = Ours(given("classic", side, iterations=MAX_ITERATIONS), *square_pictures(side), stand_in(), device)
    count = 20 if device != "cpu" else 1
    ours.step()
    return statistics.median(timed(ours.step, count) for _ in range(rounds))
