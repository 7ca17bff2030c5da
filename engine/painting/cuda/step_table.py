"""What the optimiser is told in each iteration, brought to the device for many iterations at a time."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.painting.state import State
from engine.recipe.schedule import Schedule

_AHEAD = 1000


class StepTable:
    """The optimiser's factors for the iterations from where the state stands, so that the device waits for none."""

    def __init__(self, state: State, schedule: Schedule) -> None:
        self._first, self._about = state.iteration, _about(state)
        count = min(_AHEAD, schedule.end(state.scale) - state.iteration)
        steps = [schedule.step(state.iteration + i) * state.step_factor for i in range(count)]
        rows = [state.optimiser.factors(step, state.optimiser.steps + 1 + i) for i, step in enumerate(steps)]
        self._rows = torch.tensor(rows, dtype=state.pixels.dtype, device=state.pixels.device)

    def fits(self, state: State) -> bool:
        """Whether the table holds for the state's next iteration: not past its end, nor after a rollback."""
        return _about(state) == self._about and 0 <= state.iteration - self._first < len(self._rows)

    def at(self, iteration: int) -> Tensor:
        """The optimiser's factors (2) for the step from `iteration` to the next, on the device."""
        return self._rows[iteration - self._first]


def _about(state: State) -> tuple[int, int, float]:
    return state.scale, state.optimiser.steps - state.iteration, state.step_factor
