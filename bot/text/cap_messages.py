"""What is said where no more paintings are accepted, and when there will be room."""

from __future__ import annotations

from collections.abc import Callable

from engine.contract.models import TooMany

_SENTENCES = {
    "user": "You already have as many paintings under way as one member may: wait for one to end{}, or cancel one.",
    "member": "You have as many paintings under way here as one member may: wait for one to end{}, or cancel one.",
    "guild": "This server already has as many paintings under way as it may: try again when one has ended{}.",
    "total": "The queue is full at the moment: try again when a painting has ended{}.",
    "user day": "Your painting time of today is used up: try again when the day is over{}.",
    "guild day": "This server's painting time of today is used up: try again when the day is over{}.",
}


def cap_message(full: TooMany, tell: Callable[[float], str]) -> str:
    """The sentence; `tell` puts an instant, in Unix time, into words."""
    return _SENTENCES[full.cap].format("" if full.until is None else f", {tell(full.until)}")
