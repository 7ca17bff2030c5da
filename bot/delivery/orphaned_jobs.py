"""Stops the paintings that nobody can see any more."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from bot.backend import Backend
from bot.post_ledger import LedgerPage

_log = structlog.get_logger(__name__)


class OrphanedJobs:
    """Told by the gateway, or by the edit of a card that failed."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def lost(self, job: str, why: str) -> None:
        """The job's card is gone: paint no further. `why` is a sentence."""
        _log.warning("the painting is stopped, for its card is gone", job=job, reason=why)
        await self._backend.stop(job, why)

    async def left(
        self, pages: Sequence[LedgerPage], why: str, *, thread: int = 0, channel: int = 0, guild: int = 0
    ) -> None:
        """A thread, a channel or a guild is gone, by its id: so are the paintings there."""
        for page in pages:
            address = page.address
            gone = thread in (page.thread, address.channel) or channel == address.channel or guild == address.guild
            if gone:
                await self.lost(page.address.job, why)
