"""Seconds per iteration of ours, of the plain loop, and of the two lower bounds."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from benchmarks.bench import Ours, Times, classic, freely_timed, interleave, plain_loop, ratio, square_pictures, timed
from benchmarks.lower_bounds import FORMATS, BareConvolutions, MatrixProducts
from benchmarks.report import Table, seconds
from engine.recipe import cost
from engine.recipe.vgg_layers import depth

_ITERATIONS = {128: 4, 256: 2}  # of one round; 1 for larger sizes


def speed(sides: Sequence[int], rounds: int) -> Table:
    """The table over these sizes; the largest gets fewer rounds."""
    measured = {side: measure(side, rounds if side < 512 else max(1, rounds - 2)) for side in sides}
    return Table(
        "speed",
        "Seconds per iteration (classic, random weights, square pictures)",
        ("size", "ours", "plain loop", "bare convs", "as products", "ours / plain", "ours / bare", "ours / products"),
        [_row(side, times) for side, times in measured.items()],
        "Contenders take turns within a round; times are medians over the rounds, ratios are medians of the rounds' "
        "ratios. Bare convs: the same convolutions forward and backward, nothing else, in the faster memory layout. "
        "As products: the same arithmetic at the rate of square fp32 matrix products.",
        {str(side): times for side, times in measured.items()},
    )


def measure(side: int, rounds: int) -> Times:
    """Seconds per iteration of `ours`, `reference`, `products` and `convs` (the faster layout of the two)."""
    recipe = classic(side)
    content, style = square_pictures(side)
    ours = Ours(recipe, content, style)
    plain = plain_loop(recipe, content, style, ours.state.pixels)
    layers = depth((*recipe.content_layers, *recipe.style_layers))
    bare = {name: BareConvolutions(side, layers, layout) for name, layout in FORMATS.items()}
    products = MatrixProducts(cost.flops_per_pixel(recipe) * side**2)
    count = _ITERATIONS.get(side, 1)
    times = interleave(
        {
            "ours": lambda: timed(ours.step, count),
            "reference": lambda: freely_timed(lambda: next(plain), count),
            **{name: lambda step=floor.step: freely_timed(step, count) for name, floor in bare.items()},  # type: ignore[misc]
            "products": products.seconds,
        },
        rounds,
    )
    faster = min(FORMATS, key=lambda name: statistics.median(times[name]))
    return times | {"convs": times[faster]}


def _row(side: int, times: Times) -> list[str]:
    columns = ("ours", "reference", "convs", "products")
    medians = [seconds(statistics.median(times[name])) for name in columns]
    return [f"{side} px", *medians, *(f"{ratio(times, 'ours', name):.2f}" for name in columns[1:])]
