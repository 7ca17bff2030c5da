"""Ours against the peers: iterations per second of the whole loop, all of them with one network."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from functools import partial

from benchmarks.bench import (
    Ours,
    Times,
    freely_timed,
    given,
    interleave,
    ratio,
    square_pictures,
    stand_in,
    timed,
    torch_as_it_comes,
)  # fmt: skip
from benchmarks.peers import NeuralStyle, Wasserstein
from benchmarks.report import Table
from engine.painting import pictures
from engine.recipe.recipe import MAX_ITERATIONS

OURS = ("classic", "fine", "gatys")
PEERS = ("style-transfer-pytorch", "neural-style-pt, Adam", "neural-style-pt, L-BFGS")
_PAIRS = ((OURS[0], PEERS[1]), (OURS[1], PEERS[0]), (OURS[2], PEERS[2]))
"""What does the like by each: Adam on Gram matrices, coarse to fine (at its finest scale), L-BFGS."""


def contest(sides: Sequence[int], rounds: int, device: str = "cpu", deadline: float = float("inf")) -> Table:
    """The table over these sizes, px."""
    measured = {side: measure(side, rounds, device, deadline) for side in sides}
    return Table(
        "peers",
        f"Iterations per second against others' loops ({device}, one random network for all, square pictures)",
        ("contender", *(f"{side} px" for side in sides)),
        [
            *([name, *(_rate(times[name]) for times in measured.values())] for name in (*OURS, *PEERS)),
            *(
                [f"{ours} / {peer}", *(f"{ratio(times, peer, ours):.2f}" for times in measured.values())]
                for ours, peer in _PAIRS
            ),
        ],
        "The peers are written anew from their published settings, and run in torch as it comes. `fine` paints its "
        "finest scale. Contenders take turns within a round; rates are medians over the rounds, ratios of rates are "
        "medians of the rounds' ratios.",
        {str(side): times for side, times in measured.items()},
    )


def measure(side: int, rounds: int, device: str, deadline: float) -> Times:
    """Seconds per iteration of each contender."""
    content, style = square_pictures(side)
    steps: dict[str, Callable[[], object]] = {}
    for name in OURS:
        recipe = given(name, side, scales=1, iterations=MAX_ITERATIONS)
        steps[name] = Ours(recipe, content, style, stand_in(), device).step
    convs = {name: (weight.to(device), bias.to(device)) for name, (weight, bias) in stand_in().items()}
    photo, painting = (pictures.to_tensor(picture).to(device) for picture in (content, style))
    with torch_as_it_comes():
        steps |= {
            PEERS[0]: Wasserstein(convs, photo, painting).step,
            PEERS[1]: NeuralStyle(convs, photo, painting, "adam").step,
            PEERS[2]: NeuralStyle(convs, photo, painting, "lbfgs").step,
        }
    count = 20 if device != "cpu" else 1
    turns = {name: partial(timed if name in OURS else freely_timed, step, count) for name, step in steps.items()}
    return interleave(turns, rounds, deadline)


def _rate(times: list[float]) -> str:
    return f"{1 / statistics.median(times):.3g}"
