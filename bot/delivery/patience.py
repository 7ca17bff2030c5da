"""How long one request to Discord may take."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import discord


@asynccontextmanager
async def patience(client: discord.Client, seconds: float) -> AsyncIterator[None]:
    """Break off what discord.py asks for in the block after so many seconds. Raises `TimeoutError`."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        # Broken off while it waits out a global rate limit, discord.py would hold back all requests for ever.
        client.http._global_over.set()
        raise
