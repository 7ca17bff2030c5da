"""Each interaction is dealt with once, even if the gateway delivers it again."""

from __future__ import annotations

from engine.process.metrics import DUPLICATES

_MOST = 1000  # a repetition comes soon


class Deduplication:
    """What this process has seen; one for the whole bot."""

    def __init__(self) -> None:
        self._seen: dict[int, None] = {}

    def first(self, interaction: int) -> bool:
        """Whether this id is seen for the first time."""
        if interaction in self._seen:
            DUPLICATES.labels("interaction").inc()
            return False
        self._seen[interaction] = None
        if len(self._seen) > _MOST:
            del self._seen[next(iter(self._seen))]
        return True
