"""Where a painting is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.text.translation import ENGLISH


@dataclass(frozen=True)
class Destination:
    """A channel (Discord's id), how pictures are shown in it, and the guild that the work is counted for."""

    channel: int
    kind: Literal["thread", "replies"]
    guild: int | None
    age_restricted: bool = False
    by_dm: bool = False
    """Whether it is the member's direct messages although the command was given elsewhere."""
    language: str = ENGLISH
    """The language of what everybody sees of the painting."""
    parent: int | None = None
    """The id of the channel that a thread is in, whose permissions hold in the thread; None for what is no thread."""
    roles: frozenset[int] = frozenset()
    """The member's in its server, where that is another one than where it was asked for."""
