"""Where a painting is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Destination:
    """A channel (Discord's id), how pictures are shown in it, and the guild that the work is counted for."""

    channel: int
    kind: Literal["thread", "replies"]
    guild: int | None
    by_dm: bool = False
    """Whether it is the member's direct messages although the command was given elsewhere."""
