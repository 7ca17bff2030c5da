"""Table 2: where an iteration of ours spends its time, by torch's profiler."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile, record_function

from benchmarks.bench import Ours, classic, square_pictures
from benchmarks.report import Table, seconds
from engine.painting.optimisers import Adam

_OPTIMISER = "bench: optimiser"
_PARTS = {
    "filling of fresh memory": ("aten::fill_", "aten::zero_"),
    "optimiser": (_OPTIMISER,),
    "convolutions": ("conv", "Winograd"),
    "relu": ("relu", "threshold", "clamp_min"),
    "pool": ("pool",),
    "Gram matrices and losses": ("GramLoss", "CovarianceLoss", "aten::mm", "aten::bmm", "addmm"),
    "additions and copies": ("aten::add", "aten::copy_"),
}
"""Part: words in the name of an operator, or of one that it was called by. The first part that fits counts."""
_BOTH_WAYS = ("convolutions", "relu", "pool")


class _MarkedAdam(Adam):
    def move(self, pixels: Tensor, gradient: Tensor, step: float, where: Tensor | None = None) -> None:
        with record_function(_OPTIMISER):
            super().move(pixels, gradient, step, where)


def breakdown(side: int, iterations: int) -> Table:
    """The shares at this size."""
    recipe = classic(side)
    ours = Ours(recipe, *square_pictures(side))
    ours.state.optimiser = _MarkedAdam(recipe)
    for _ in range(2):
        ours.step()
    with profile(activities=[ProfilerActivity.CPU]) as profiled, record_function("bench: Python"):
        for _ in range(iterations):
            ours.step()
    parts: dict[str, float] = defaultdict(float)
    for event in profiled.events() or ():
        parts[_part(event)] += event.self_cpu_time_total / 1e6 / iterations
    total = sum(parts.values())
    ordered = sorted(parts.items(), key=lambda part: -part[1])
    return Table(
        "breakdown",
        f"Where an iteration's time goes ({side} px)",
        ("part", "time", "share"),
        [[name, seconds(value), f"{value / total:.1%}"] for name, value in ordered],
        f"By torch.profiler over {iterations} iterations on {torch.get_num_threads()} threads; profiling adds some.",
        dict(ordered),
    )


def _part(event: Any) -> str:
    """The part that an operator's own time belongs to."""
    names = _names(event)
    for part, words in _PARTS.items():
        if any(word in name for name in names for word in words):
            backward = part in _BOTH_WAYS and any("ackward" in name for name in names)
            return f"{part}, backward" if backward else part
    return "everything else"


def _names(event: Any) -> list[str]:
    """The operator and those that it was called by."""
    names = []
    while event is not None:
        names.append(str(event.name))
        event = event.cpu_parent
    return names
