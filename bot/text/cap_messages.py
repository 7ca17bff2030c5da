"""What is said where no more paintings are accepted, and when there will be room."""

from __future__ import annotations

from collections.abc import Callable

from bot.text.translation import N_, _
from engine.contract.models import TooMany

# `{when}` is empty, or a comma and when that will be.
_SENTENCES = {
    "user": N_(
        "You already have as many paintings under way as one member may: wait for one to end{when}, or cancel one."
    ),
    "member": N_(
        "You have as many paintings under way here as one member may: wait for one to end{when}, or cancel one."
    ),
    "guild": N_("This server already has as many paintings under way as it may: try again when one has ended{when}."),
    "total": N_("The queue is full at the moment: try again when a painting has ended{when}."),
    "user day": N_("Your painting time of today is used up: try again when the day is over{when}."),
    "guild day": N_("This server's painting time of today is used up: try again when the day is over{when}."),
}


def cap_message(full: TooMany, tell: Callable[[float], str]) -> str:
    """The sentence; `tell` puts an instant, in Unix time, into words."""
    return _(_SENTENCES[full.cap], when="" if full.until is None else _(", {when}", when=tell(full.until)))
