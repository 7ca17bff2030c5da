"""The painting thread's part of a slice: run the loop, report at the promised iterations, stop when asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from engine.contract.events import Progress
from engine.painting.cuda.readback import Readback
from engine.worker.eta import Eta
from engine.worker.loss_stagnation import LOOK, trouble
from engine.worker.paint_session import PaintSession
from engine.worker.results.film import film_iterations
from engine.worker.watchdog import Pulse

_PROGRESS_SECONDS = 1.0
_IN_STRIPS = "The device has too little memory for the whole picture, so it is painted in strips, which takes longer."
_FIRST_PROGRESS_SECONDS = 0.2


class BestIterate(NamedTuple):
    """The best picture so far, and the iteration that saw its loss."""

    readback: Readback
    iteration: int


@dataclass(frozen=True)
class LoopReport:
    """What there is to tell after an iteration of the job; `readback` for a snapshot or a frame of the film."""

    iteration: int
    readback: Readback | None = None
    snapshot: bool = False
    frame: bool = False
    progress: Progress | None = None
    notice: str | None = None
    best: BestIterate | None = None
    """Offered with the notice."""


@dataclass(frozen=True)
class LoopResult:
    """What one turn at the device has done; `flops` as `cost` counts them."""

    first: int
    last: int
    seconds: float
    flops: float


def run_slice_loop(
    job: str, session: PaintSession, stop: threading.Event, seconds: float, tell: Callable[[LoopReport], None],
    *, pulse: Pulse,
) -> LoopResult:  # fmt: skip
    """Paint for about `seconds`, or to the end, or until `stop`, which is looked at after each iteration.

    `tell` is called from this thread and must not block; each iteration is a beat of the `pulse`. Raises
    `PaintingError`.
    """
    painter, state = session.painter, session.state
    recipe, first = painter.recipe, session.state.iteration
    frames, shown = set(film_iterations(recipe)) if session.filmed else set(), set(recipe.shown)
    began = time.monotonic()
    due = began + _FIRST_PROGRESS_SECONDS
    eta = Eta(recipe, painter.size, first, began, session.later)
    rollbacks, rows = len(state.rollbacks), state.rows if first else None
    for _ in painter.paint(state, first if stop.is_set() else None):
        pulse.at = now = time.monotonic()
        eta.tick(state.iteration, state.scale, now)
        if len(state.rollbacks) > rollbacks:
            rollbacks = len(state.rollbacks)
            tell(_notice(session))
        if state.rows != rows:
            if rows is None:
                tell(LoopReport(session.iteration, notice=_IN_STRIPS))
            rows = state.rows
        if state.iteration in frames or state.iteration in shown:
            tell(_picture(session, snapshot=state.iteration in shown, frame=state.iteration in frames))
        if state.iteration % LOOK == 0 and session.alone:
            _look_back(session, tell)
        if now >= due or state.iteration == recipe.iterations:
            due = now + _PROGRESS_SECONDS
            tell(_progress(job, session, (state.iteration - first) / (now - began), eta.seconds))
        if stop.is_set() or now - began >= seconds:
            break
    seconds = time.monotonic() - began
    session.refresh()
    return LoopResult(first, state.iteration, seconds, eta.work(first) - eta.work(state.iteration))


def _notice(session: PaintSession) -> LoopReport:
    state = session.state
    _, reason = state.rollbacks[-1]
    text = f"At iteration {session.iteration} {reason}: going on from the last good state with half the step."
    return LoopReport(session.iteration, notice=text)


def _look_back(session: PaintSession, tell: Callable[[LoopReport], None]) -> None:
    """Tell of a trouble with the painting, once for each kind, and offer the best iterate."""
    found = trouble(session.painter, session.state)
    if found is None or found.kind in session.journal.troubles:
        return
    session.journal.troubles.append(found.kind)
    readback = session.painter.best_readback(session.state)
    best = None if readback is None else BestIterate(readback, session.state.best_at)
    tell(LoopReport(session.iteration, notice=found.text, best=best))


def _picture(session: PaintSession, *, snapshot: bool, frame: bool) -> LoopReport:
    readback = session.painter.readback(session.state)
    return LoopReport(session.iteration, readback, snapshot=snapshot, frame=frame)


def _progress(job: str, session: PaintSession, rate: float, eta: float) -> LoopReport:
    state = session.state
    total, content, style = state.losses[state.iteration - 1, :3].tolist()
    progress = Progress(
        job=job, iteration=session.iteration, loss=total, content=content, style=style, rate=rate, eta=eta
    )  # fmt: skip
    return LoopReport(session.iteration, progress=progress)
