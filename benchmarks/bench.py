"""What every bench paints, and how contenders are timed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from engine.painting.painter import Painter
from engine.painting.presets import preset
from engine.painting.recipe import Recipe
from engine.painting.state import State

ROOT = Path(__file__).parent.parent
CONTENT = ROOT / "examples" / "harbour.png"
STYLE = ROOT / "examples" / "strokes.png"

Times = dict[str, list[float]]
"""Seconds per iteration of each contender, one for each round."""


def classic(side: int, **fields: Any) -> Recipe:
    """The talk's recipe with random weights: one network to relu5_1, content on relu4_2, average pooling, Adam."""
    return preset("classic", weights="random", networks=1, size=side, **fields)


def square_pictures(side: int) -> tuple[Image.Image, Image.Image]:
    """Content and style, `side` by `side` px."""
    content, style = (Image.open(path).convert("RGB").resize((side, side)) for path in (CONTENT, STYLE))
    return content, style


class Ours:
    """The painter's own loop, a few iterations at a time."""

    def __init__(self, recipe: Recipe, content: Image.Image, style: Image.Image) -> None:
        self._painter = Painter(recipe, content, [style])
        self.state: State = self._painter.begin()
        self._loop = self._painter.paint(self.state)

    def step(self) -> None:
        """One iteration."""
        next(self._loop)


@contextmanager
def torch_as_it_comes() -> Iterator[None]:
    """Torch without the determinism that the painter asks of the whole process, and which it pays for."""
    asked = torch.get_deterministic_debug_mode()
    torch.set_deterministic_debug_mode("default")
    try:
        yield
    finally:
        torch.set_deterministic_debug_mode(asked)


def timed(step: Callable[[], object], times: int) -> float:
    """Seconds of one step, the mean over so many."""
    began = time.perf_counter()
    for _ in range(times):
        step()
    return (time.perf_counter() - began) / times


def interleave(contenders: Mapping[str, Callable[[], float]], rounds: int) -> Times:
    """Every contender once a round, after a round to warm up that does not count.

    Whatever else the machine does falls on all of them alike, so that ratios within a round mean something.
    """
    times: Times = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, contender in contenders.items():
            measured = contender()
            if number:
                times[name].append(measured)
    return times


def ratio(times: Times, one: str, other: str) -> float:
    """How many times longer `one` takes than `other`: the median over the rounds."""
    return statistics.median(a / b for a, b in zip(times[one], times[other], strict=True))
