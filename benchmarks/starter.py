"""The network that ships beside VGG19. `python -m benchmarks.starter WHO SIDE` measures the memory of one of them."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial

from benchmarks.bench import ROOT, Ours, Times, freely_timed, given, interleave, square_pictures, stand_in, timed
from benchmarks.bench import ratio as ratio_of
from benchmarks.lower_bounds import FORMATS, BareConvolutions
from benchmarks.memory import peak, peak_of_child
from benchmarks.report import Table, seconds
from engine.recipe.presets import preset
from engine.recipe.recipe import MAX_ITERATIONS
from engine.recipe.vgg_layers import convs, depth
from engine.worker.weights.named_weights import load_weights

SIDES = (256, 512, 1024)
_ITERATIONS = {128: 8, 256: 4, 512: 2}  # of one round; 1 for larger sizes
_PAINTED = 512  # px: a larger picture by VGG19 would take a quarter of an hour


def starter(sides: Sequence[int], rounds: int) -> Table:
    """The table over these sizes, px."""
    rates = {side: measure(side, rounds) for side in sides}
    painted = {
        side: {who: _painted(who, side) for who in _WHO if side <= _PAINTED or who == "starter"} for side in sides
    }
    peaks = {side: {who: peak_of_child("benchmarks.starter", who, side) for who in _WHO} for side in sides}
    return Table(
        "starter",
        "The network that ships beside VGG19 (square pictures)",
        ("size", "iterations/s, starter", "VGG19", "times as many", "starter / its bare convs", "picture, starter",
         "VGG19", "MiB, starter", "VGG19"),
        [_row(side, rates[side], painted[side], peaks[side]) for side in sides],
        "Iterations are those of `classic`, pictures those of `fine` with its defaults, from the weights in memory to "
        "the last iteration. VGG19's weights are random ones to relu5_1, which take as long as the pretrained ones. "
        "Contenders take turns within a round; medians over the rounds. Memory: VmHWM of a fresh process after three "
        "iterations, the libraries included.",
        {str(side): {"rates": rates[side], "painted": painted[side], "MiB": peaks[side]} for side in sides},
    )  # fmt: skip


def measure(side: int, rounds: int) -> Times:
    """Seconds per iteration of `starter`, `vgg19`, and of the starter's bare `convs` (the faster layout of the two)."""
    own, vgg19 = (make("classic", side, iterations=MAX_ITERATIONS) for make in _WHO.values())
    recipe = own.painter.recipe
    layers = depth((*recipe.content_layers, *recipe.style_layers), [conv.name for conv in convs(recipe.network)])
    bare = {name: BareConvolutions(side, layers, layout, network=recipe.network) for name, layout in FORMATS.items()}
    count = _ITERATIONS.get(side, 1)
    times = interleave(
        {
            "starter": partial(timed, own.step, count),
            "vgg19": partial(timed, vgg19.step, max(1, count // 2)),
            **{name: partial(freely_timed, floor.step, count) for name, floor in bare.items()},
        },
        rounds,
    )
    faster = min(FORMATS, key=lambda name: statistics.median(times[name]))
    return times | {"convs": times[faster]}


def _with_starter(name: str, side: int, **fields: int) -> Ours:
    weights = load_weights("starter", ROOT)
    recipe = preset(name, weights="starter", network=weights.network, size=side, **fields)
    return Ours(recipe, *square_pictures(side), weights.convs)


def _with_vgg19(name: str, side: int, **fields: int) -> Ours:
    return Ours(given(name, side, **fields), *square_pictures(side), stand_in())


_WHO: dict[str, Callable[..., Ours]] = {"starter": _with_starter, "vgg19": _with_vgg19}


def _painted(who: str, side: int) -> float:
    """Seconds of a whole painting."""
    began = time.perf_counter()
    ours = _WHO[who]("fine", side)
    for _ in range(ours.painter.recipe.iterations):
        ours.step()
    return time.perf_counter() - began


def _row(side: int, rates: Times, painted: dict[str, float], peaks: dict[str, float]) -> list[str]:
    per_second = [f"{1 / statistics.median(rates[who]):.3g}" for who in _WHO]
    ratios = [f"{ratio_of(rates, *pair):.2f}" for pair in (("vgg19", "starter"), ("starter", "convs"))]
    pictures = [seconds(painted[who]) if who in painted else "" for who in _WHO]
    return [f"{side} px", *per_second, *ratios, *pictures, *(f"{peaks[who]:.0f}" for who in _WHO)]


if __name__ == "__main__":
    measured = _WHO[sys.argv[1]]("classic", int(sys.argv[2]))
    for _ in range(3):
        measured.step()
    print(peak())
