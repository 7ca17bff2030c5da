"""What every bench paints, and how contenders are timed."""

from __future__ import annotations

import functools
import math
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from benchmarks import reference
from engine.painting import pictures
from engine.painting.network import vgg
from engine.painting.network.calibration import calibrated
from engine.painting.network.networks import CALIBRATION_SIDE
from engine.painting.network.random_weights import random_convs
from engine.painting.painter import Painter
from engine.painting.state import State
from engine.recipe.presets import preset
from engine.recipe.recipe import Recipe
from engine.recipe.vgg_layers import depth

ROOT = Path(__file__).parent.parent
CONTENT = ROOT / "examples" / "harbour.png"
STYLE = ROOT / "examples" / "strokes.png"

_STAND_IN = "sha256:0123456789abcdef"

Times = dict[str, list[float]]
"""Seconds per iteration of each contender, one for each round."""


def classic(side: int, **fields: Any) -> Recipe:
    """The talk's recipe with random weights: one network to relu5_1, content on relu4_2, average pooling, Adam."""
    return preset("classic", weights="random", networks=1, size=side, **fields)


def given(name: str, side: int, **fields: Any) -> Recipe:
    """The preset as it is for pretrained weights, for `stand_in` to be its network."""
    return preset(name, weights=_STAND_IN, size=side, **fields)


@functools.cache
def stand_in() -> vgg.Convs:
    """One random network to relu5_1, calibrated on the two pictures, as if it came from a file."""
    with torch.no_grad():
        return random_convs(0, depth(["relu5_1"]), [pictures.to_tensor(p) for p in square_pictures(256)])


def square_pictures(side: int) -> tuple[Image.Image, Image.Image]:
    """Content and style, `side` by `side` px."""
    content, style = (Image.open(path).convert("RGB").resize((side, side)) for path in (CONTENT, STYLE))
    return content, style


class Ours:
    """The painter's own loop, a few iterations at a time; `convs` for recipes of weights that are given."""

    def __init__(
        self, recipe: Recipe, content: Image.Image, style: Image.Image, convs: vgg.Convs | None = None,
        device: str = "cpu",
    ) -> None:  # fmt: skip
        self.painter = Painter(recipe, content, [style], convs=convs, device=device)
        self.state: State = self.painter.begin()
        self._loop = self.painter.paint(self.state)

    def step(self) -> None:
        """One iteration."""
        next(self._loop)


def plain_loop(recipe: Recipe, content: Image.Image, style: Image.Image, start: Tensor) -> Iterator[float]:
    """The loss before each step of `reference.paint`, by a recipe of one content layer and the random network."""
    layers, side = (*recipe.content_layers, *recipe.style_layers), min(recipe.size, CALIBRATION_SIDE)
    with torch.no_grad():
        seen = [pictures.to_tensor(pictures.fit(picture, side)) for picture in (content, style)]
        convs = calibrated(random_convs(0, depth(layers), seen))
    content_pixels, style_pixels = (pictures.to_tensor(pictures.fit(p, recipe.size)) for p in (content, style))
    [content_layer] = recipe.content_layers
    loop = reference.paint(
        convs, content_pixels, style_pixels, start, content_layer=content_layer, alpha=recipe.alpha, beta=recipe.beta,
        style_layers=dict(zip(recipe.style_layers, recipe.style_layer_weights, strict=True)), step=recipe.step,
    )  # fmt: skip
    return (loss for _, loss in loop)


@contextmanager
def torch_as_it_comes() -> Iterator[None]:
    """Torch without the determinism that the painter asks of the whole process, and which it pays for."""
    asked = torch.get_deterministic_debug_mode()
    torch.set_deterministic_debug_mode("default")
    try:
        yield
    finally:
        torch.set_deterministic_debug_mode(asked)


def settle() -> None:
    """Wait for what a GPU still has to do."""
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.synchronize()


def timed(step: Callable[[], object], times: int) -> float:
    """Seconds of one step, the mean over so many."""
    settle()
    began = time.perf_counter()
    for _ in range(times):
        step()
    settle()
    return (time.perf_counter() - began) / times


def freely_timed(step: Callable[[], object], times: int) -> float:
    """The same in torch as it comes."""
    with torch_as_it_comes():
        return timed(step, times)


def interleave(contenders: Mapping[str, Callable[[], float]], rounds: int, deadline: float = math.inf) -> Times:
    """Every contender once a round, after a round to warm up that does not count.

    Whatever else the machine does falls on all of them alike, so that ratios within a round mean something. Past
    `deadline`, by `time.monotonic`, no further round begins but the first.
    """
    times: Times = {name: [] for name in contenders}
    for number in range(rounds + 1):
        if number > 1 and time.monotonic() > deadline:
            break
        for name, contender in contenders.items():
            measured = contender()
            if number:
                times[name].append(measured)
    return times


def ratio(times: Times, one: str, other: str) -> float:
    """How many times longer `one` takes than `other`: the median over the rounds."""
    return statistics.median(a / b for a, b in zip(times[one], times[other], strict=True))
