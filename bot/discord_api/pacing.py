"""How soon one request to Discord follows another, and how long it may take."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary

import discord

from bot.discord_api.private_api import release_requests

_PER_SECOND = 40.0
"""Discord takes 50 of all kinds; discord.py learns that only when it is told off, and each time counts."""

_turns: WeakKeyDictionary[discord.Client, float] = WeakKeyDictionary()
"""When each client's next request may begin, on the loop's clock."""


@asynccontextmanager
async def paced(client: discord.Client, seconds: float) -> AsyncIterator[None]:
    """Begin the block's request when it is its turn, and break it off after so many seconds. Raises `TimeoutError`."""
    now = asyncio.get_running_loop().time()
    turn = max(now, _turns.get(client, now))
    _turns[client] = turn + 1 / _PER_SECOND
    await asyncio.sleep(turn - now)
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        # Broken off while it waits out a global rate limit, discord.py would hold back all requests for ever.
        release_requests(client)
        raise
