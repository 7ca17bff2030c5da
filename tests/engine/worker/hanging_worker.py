"""The worker with a painter that hangs amid the jobs of one seed, as on a device that no longer answers."""

from __future__ import annotations

import runpy
import threading
from collections.abc import Iterator

from engine.painting.painter import Painter
from engine.painting.state import State

SEED = 13
_paint = Painter.paint


def _hanging(painter: Painter, state: State, stop: int | None = None) -> Iterator[State]:
    for painted in _paint(painter, state, stop):
        if painter.recipe.seed == SEED and painted.iteration == 5:
            threading.Event().wait()
        yield painted


if __name__ == "__main__":
    Painter.paint = _hanging  # type: ignore[method-assign]
    runpy.run_module("engine.worker", run_name="__main__")
