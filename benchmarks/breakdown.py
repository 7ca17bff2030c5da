"""Where an iteration of ours spends its time: a clock around each of its parts, which stands still in parts within."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import torch

from benchmarks.bench import Ours, classic, square_pictures
from benchmarks.report import Table, seconds
from engine.painting import losses
from engine.painting.iteration import Iteration
from engine.painting.network import vgg
from engine.painting.network.convolution import Convolution
from engine.painting.network.pooling import Pooling
from engine.painting.octave_loss import OctaveLoss

_PARTS: list[tuple[str, Any, str]] = [
    ("convolutions, forward", Convolution, "__call__"),
    ("convolutions, backward", Convolution, "backward"),
    ("poolings, forward", Pooling, "__call__"),
    ("poolings and rectifications, backward", Pooling, "backward"),
    ("poolings and rectifications, backward", vgg, "rectified"),
    ("moments (Gram matrices)", losses, "moments"),
    ("losses and their slopes", OctaveLoss, "_weigh"),
    ("gradients at each position", losses, "moments_backward"),
    ("gradients at each position", losses, "content_loss"),
    ("optimiser, clamp, average", Iteration, "move"),
]
_REST = "rectifications forward, sums, and all else"


class Clocks:
    """Seconds of each part, without those of the parts within it."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._within = [0.0]
        """Of the parts that are going on, outermost first: seconds of the parts within."""

    @contextmanager
    def running(self, part: str) -> Iterator[None]:
        """The clock of a part."""
        self._within.append(0.0)
        began = time.perf_counter()
        yield
        taken = time.perf_counter() - began
        self.seconds[part] += taken - self._within.pop()
        self._within[-1] += taken

    def around(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function with the part's clock."""

        def clocked(*args: Any, **kwargs: Any) -> Any:
            with self.running(part):
                return function(*args, **kwargs)

        return clocked


def breakdown(side: int, iterations: int) -> Table:
    """The shares at this size; on a processor, which does one thing after the other."""
    ours, clocks = Ours(classic(side), *square_pictures(side)), Clocks()
    for _ in range(2):
        ours.step()
    with ExitStack() as stack:
        for part, owner, name in _PARTS:
            stack.enter_context(patch.object(owner, name, clocks.around(part, getattr(owner, name))))
        for _ in range(iterations):
            with clocks.running(_REST):
                ours.step()
    total = sum(clocks.seconds.values())
    ordered = sorted(clocks.seconds.items(), key=lambda part: -part[1])
    return Table(
        "breakdown",
        f"Where an iteration's time goes (classic, random weights, {side} px)",
        ("part", "time", "share"),
        [[name, seconds(value / iterations), f"{value / total:.1%}"] for name, value in ordered],
        f"By clocks around the parts over {iterations} iterations on {torch.get_num_threads()} threads.",
        {name: value / iterations for name, value in ordered},
    )
