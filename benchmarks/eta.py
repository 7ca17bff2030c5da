"""How early the time to go is known."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from PIL import Image

from benchmarks.bench import CONTENT, STYLE
from benchmarks.report import Table, seconds
from engine.painting.painter import Painter
from engine.recipe.presets import preset
from engine.recipe.recipe import Recipe
from engine.worker.eta import Eta

_WHEN = (0.05, 0.10, 0.25, 0.50)
"""Shares of the iterations after which the forecast is looked at."""


@dataclass(frozen=True)
class Forecasts:
    """Seconds that a run took, and what was foretold of them at each share of its iterations."""

    name: str
    actual: float
    foretold: list[float]


def eta(side: int, iterations: int) -> Table:
    """The table; `classic` and `gatys` get so many iterations, `fine` its own."""
    own = {"fine, random weights": preset("fine", weights="random", size=side)}
    # To relu5_1, as with the pretrained weights, which need not be here.
    deep = preset("fine", size=side).as_dict() | {"weights": "random"}
    own["fine, to relu5_1"] = Recipe.from_dict(deep | {"iterations": 3 * iterations})
    own |= {name: preset(name, weights="random", size=side, iterations=iterations) for name in ("classic", "gatys")}
    runs = [_measured(name, recipe) for name, recipe in own.items()]
    return Table(
        "eta",
        f"The length of a run, as foretold along the way ({side} px)",
        ("recipe", "took", *(f"after {share:.0%}" for share in _WHEN)),
        [[run.name, seconds(run.actual), *(f"{x / run.actual - 1:+.0%}" for x in run.foretold)] for run in runs],
        "Errors of the forecast of the whole run, in shares of what it took in the end. By the processor's time, so "
        "that what others do on this machine counts little.",
        [asdict(run) for run in runs],
    )


def _measured(name: str, recipe: Recipe) -> Forecasts:
    content, style = (Image.open(path).convert("RGB") for path in (CONTENT, STYLE))
    painter = Painter(recipe, content, [style])
    state = painter.begin()
    began = time.process_time()
    estimate, foretold = Eta(recipe, painter.size, 0, began), dict[int, float]()
    for _ in painter.paint(state):
        now = time.process_time()
        estimate.tick(state.iteration, state.scale, now)
        foretold[state.iteration] = now - began + estimate.seconds
    when: Sequence[int] = [round(share * recipe.iterations) for share in _WHEN]
    return Forecasts(name, time.process_time() - began, [foretold[i] for i in when])
