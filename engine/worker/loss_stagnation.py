"""Long runs: whether the loss falls no more, or the picture has turned into grey goo; a sentence for the audience."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import torch

from engine.painting.painter import Painter
from engine.painting.state import State
from engine.recipe.schedule import Schedule

LOOK = 500
"""Iterations between two looks, and before the first: a fixed grid, so that every run is looked at alike."""
_PATIENCE, _SHARE = 1000, 0.25
"""Iterations without improvement that are long: so many, and so large a share of all that were painted."""
_IMPROVED = 0.01
"""A loss that falls by less than this, in parts of itself, has not improved."""


class Trouble(NamedTuple):
    """What the audience should know; each kind of it is told once."""

    kind: Literal["goo", "stalled"]
    text: str


def trouble(painter: Painter, state: State) -> Trouble | None:
    """What there is to say of the painting as it stands; of short ones and of sequences nothing."""
    if state.iteration < LOOK or painter.recipe.frames > 1:
        return None
    best = None if state.best is None else state.best_at
    if painter.is_goo(state):
        return Trouble("goo", _goo(best))
    first = Schedule(painter.recipe).first(state.scale)
    since = first + last_improvement(state.losses[first : state.iteration, 0])
    if state.iteration - since < max(_PATIENCE, _SHARE * state.iteration):
        return None
    return Trouble("stalled", _stalled(since, best))


# Whole sentences, for they are translated.
def _goo(best: int | None) -> str:
    if best is None:
        return "The picture has turned into nearly one colour."
    return f"The picture has turned into nearly one colour; the best picture so far, of iteration {best:,}, is kept."


def _stalled(since: int, best: int | None) -> str:
    if best is None:
        return f"The loss has not improved by a hundredth since iteration {since:,}."
    return (
        f"The loss has not improved by a hundredth since iteration {since:,}; the best picture so far, of iteration "
        f"{best:,}, is kept."
    )


def last_improvement(losses: torch.Tensor) -> int:
    """After how many iterations the loss had come within a hundredth of its least; 0 where it is never a number."""
    known = losses.double().cpu().numpy()
    known = np.where(np.isfinite(known), known, np.inf)
    return int(np.argmax(known <= known.min() * (1 + _IMPROVED))) + 1 if np.isfinite(known).any() else 0
