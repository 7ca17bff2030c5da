"""The worker; its painter hangs amid the jobs of one seed, as on a dead device, and films of another's never end.

Amid those of a third its device is lost, as CUDA's is after an illegal access. Those of two more hang before the first
iteration, and after the last. With HANGING_CHECK it hangs before it is ready, as it checks the device.
"""

from __future__ import annotations

import asyncio
import os
import runpy
import threading
from collections.abc import Iterator

from PIL.Image import Image

from engine.contract.models import Claim
from engine.painting.painter import Painter
from engine.painting.state import State
from engine.worker import handover, slices
from engine.worker.context import WorkerContext
from engine.worker.paint_session import PaintSession
from engine.worker.results import finished_files

SEED, FILM_SEED, LOST_SEED, BEGIN_SEED, END_SEED = 13, 14, 15, 16, 17
FAULT = "CUDA error: an illegal memory access was encountered"
_paint, _picture, _finish = Painter.paint, Painter.picture, finished_files.finish_painting


def _hanging(painter: Painter, state: State, stop: int | None = None) -> Iterator[State]:
    for painted in _paint(painter, state, stop):
        if painter.recipe.seed == SEED and painted.iteration == 5:
            threading.Event().wait()
        if painter.recipe.seed == LOST_SEED and painted.iteration == 5:
            handover.fault_of = lambda device: FAULT  # type: ignore[attr-defined]
            raise RuntimeError(FAULT)
        yield painted


def _hanging_picture(painter: Painter, state: State) -> Image:
    if (painter.recipe.seed, state.iteration) in ((BEGIN_SEED, 0), (END_SEED, painter.recipe.iterations)):
        threading.Event().wait()
    return _picture(painter, state)


async def _filming(context: WorkerContext, claim: Claim, session: PaintSession) -> dict[str, str]:
    if claim.job.recipe.seed == FILM_SEED:
        await asyncio.to_thread(threading.Event().wait)
    return await _finish(context, claim, session)


async def _check(context: WorkerContext, _: object) -> None:
    await context.in_painting_thread("", _hanging_check)


def _hanging_check() -> None:
    threading.Event().wait()


if __name__ == "__main__":
    if "HANGING_CHECK" in os.environ:
        WorkerContext.check_fast_path = _check  # type: ignore[method-assign, assignment]
    Painter.paint = _hanging  # type: ignore[method-assign, assignment]
    Painter.picture = _hanging_picture  # type: ignore[method-assign, assignment]
    slices.finish_files = _filming  # type: ignore[attr-defined]
    runpy.run_module("engine.worker", run_name="__main__")
