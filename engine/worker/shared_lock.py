"""A lock that several hold together, or one alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class SharedLock:
    """Who asks for it alone waits for all that hold it, and comes before those who ask later."""

    def __init__(self) -> None:
        self._door = asyncio.Lock()  # kept shut by who is alone, or waits for the others to leave
        self._holders = 0
        self._free = asyncio.Event()
        self._free.set()

    def closed(self) -> bool:
        """Whether one holds it alone, or waits for that."""
        return self._door.locked()

    @asynccontextmanager
    async def shared(self) -> AsyncIterator[None]:
        """Hold it together with others."""
        async with self._door:
            self._holders += 1
            self._free.clear()
        try:
            yield
        finally:
            self._holders -= 1
            if not self._holders:
                self._free.set()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Hold it while nobody else does."""
        async with self._door:
            await self._free.wait()
            yield
