"""What a card shows at one moment, as plain facts."""

from __future__ import annotations

from dataclasses import dataclass

from engine.contract.events import Cancelled, Done, Failed, Progress
from engine.contract.models import JobState
from engine.forecast import Forecast


@dataclass(frozen=True)
class CardState:
    """Facts about a job; equal states make equal cards."""

    state: JobState = JobState.QUEUED
    iteration: int = 0
    progress: Progress | None = None
    forecast: Forecast | None = None
    done_at: int | None = None
    """Unix time at which it is expected to be done, s."""
    note: str = ""
    """Something the audience should know, in a sentence."""
    best: str = ""
    """Link to the best picture so far, where the painting has been told to get no better."""
    reason: str = ""
    """Why it ended without a picture, or why not all of it is shown, in a sentence."""

    kept_until: int | None = None
    """Unix time until which its buttons work, once it has ended."""

    @property
    def open(self) -> bool:
        """Whether the job has not ended."""
        return self.state in (JobState.QUEUED, JobState.PAINTING)


def final_state(event: Done | Failed | Cancelled, reason: str = "") -> CardState:
    """How a job looks that has ended; `reason` is why nothing more was posted, where nobody pressed Cancel."""
    match event:
        case Done():
            return CardState(JobState.DONE, event.iteration, reason=reason)
        case Failed():
            return CardState(JobState.FAILED, event.iteration, reason=event.reason)
        case Cancelled():
            return CardState(JobState.CANCELLED, event.iteration, reason=reason)
