"""How much of a GPU an iteration uses: against bare convolutions, and against the rate of matrix products in bf16."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from functools import partial

import torch

from benchmarks.bench import Ours, Times, freely_timed, given, interleave, ratio, square_pictures, stand_in, timed
from benchmarks.lower_bounds import FORMATS, BareConvolutions
from benchmarks.report import Table, seconds
from engine.recipe import cost
from engine.recipe.recipe import MAX_ITERATIONS
from engine.recipe.vgg_layers import depth

_GEMM_SIDE = {"cuda": 8192, "cpu": 512}
_TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


def rates(sides: Sequence[int], rounds: int, device: str, deadline: float = math.inf) -> Table:
    """The table over these sizes, px."""
    measured = {side: measure(side, rounds, device, deadline) for side in sides}
    return Table(
        "rates",
        f"An iteration against the least that the machine allows (classic, {device})",
        ("size", "ours", "bare convs, fp32", "bare convs, bf16", "ours / fp32", "ours / bf16", "ours", "bf16 products",
         "share"),
        [_row(side, times) for side, times in measured.items()],
        "Bare convs: the same convolutions forward and backward, nothing else, in the faster memory layout, torch as "
        "it comes (on CUDA fp32 convolutions may use TF32). Rates are of the iteration's arithmetic as cost.py counts "
        "it, and of square matrix products in bf16; the last column is the share that ours reaches of those.",
        {str(side): times for side, times in measured.items()},
    )  # fmt: skip


def measure(side: int, rounds: int, device: str, deadline: float) -> Times:
    """Seconds per iteration of ours and of the bare convolutions, and of an iteration's arithmetic as bf16 products."""
    recipe = given("classic", side, iterations=MAX_ITERATIONS)
    ours = Ours(recipe, *square_pictures(side), stand_in(), device)
    layers = depth((*recipe.content_layers, *recipe.style_layers))
    bare = {
        f"{kind}, {name}": BareConvolutions(side, layers, layout, device, dtype).step
        for kind, dtype in _TYPES.items() for name, layout in FORMATS.items()
    }  # fmt: skip
    n = _GEMM_SIDE[torch.device(device).type]
    matrix = torch.rand(n, n, device=device).bfloat16()
    product = partial(torch.mm, matrix, matrix, out=torch.empty_like(matrix))
    count = 10 if device != "cpu" else 1
    times = interleave(
        {
            "ours": partial(timed, ours.step, count),
            **{name: partial(freely_timed, step, count) for name, step in bare.items()},
            "products": lambda: freely_timed(product, count) * _flops(side) / (2 * n**3),
        },
        rounds,
        deadline,
    )
    for kind in _TYPES:
        times[kind] = min((times[f"{kind}, {name}"] for name in FORMATS), key=statistics.median)
    return times


def _flops(side: int) -> float:
    return cost.flops_per_pixel(given("classic", side)) * side**2


def _row(side: int, times: Times) -> list[str]:
    medians = [seconds(statistics.median(times[name])) for name in ("ours", "fp32", "bf16")]
    speeds = [f"{_flops(side) / statistics.median(times[name]) / 1e12:.3g} TFLOP/s" for name in ("ours", "products")]
    ratios = [f"{ratio(times, 'ours', name):.2f}" for name in ("fp32", "bf16")]
    return [f"{side} px", *medians, *ratios, *speeds, f"{ratio(times, 'products', 'ours'):.1%}"]
