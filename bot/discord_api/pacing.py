"""How soon one request to Discord follows another, how long it may take, and how many were invalid."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import discord

from bot.discord_api.private_api import api_url, release_requests
from engine.process.metrics import RESPONSES

_PER_SECOND = 40.0
"""Discord takes 50 of all kinds; discord.py learns that only when it is told off, and each time counts."""
_INVALID = (401, 403, 429)
_WINDOW = 600.0  # s, in which 10,000 invalid requests ban the address that they came from
_WARY_AFTER = 1000
"""Invalid requests in the window, after which the pace is one that cannot fill it, whatever the answers are."""
_WARY_PER_SECOND = 12.0


class Pacing:
    """The one pace of all requests that a client makes, discord.py's own repetitions included.

    An interaction's requests are outside Discord's limit, and somebody waits for them: they wait for no turn, unless
    much is refused; its first response never does, for it must come within three seconds.
    """

    def __init__(self) -> None:
        self._next = 0.0
        self._turn = asyncio.Lock()
        self._invalid: deque[float] = deque()

    def trace(self) -> aiohttp.TraceConfig:
        """For the client's `http_trace`."""
        trace = aiohttp.TraceConfig()
        trace.on_request_start.append(self._wait)
        trace.on_request_end.append(self._count)
        return trace

    def invalid(self) -> int:
        """How many requests of the last ten minutes were invalid."""
        now = _now()
        while self._invalid and now - self._invalid[0] >= _WINDOW:
            self._invalid.popleft()
        return len(self._invalid)

    async def _wait(self, _session: object, _context: object, params: aiohttp.TraceRequestStartParams) -> None:
        """Until it is the request's turn."""
        url = str(params.url)
        if not url.startswith(api_url()) or url.startswith(api_url("/interactions/")):
            return
        wary = self.invalid() >= _WARY_AFTER
        if url.startswith(api_url("/webhooks/")) and not wary:
            return
        async with self._turn:
            # Counted from when the last one went, or a loop that stood still would let many go at once.
            await asyncio.sleep(self._next - _now())
            self._next = _now() + 1 / (_WARY_PER_SECOND if wary else _PER_SECOND)

    async def _count(self, _session: object, _context: object, params: aiohttp.TraceRequestEndParams) -> None:
        if str(params.url).startswith(api_url()):
            RESPONSES.labels(params.response.status).inc()
            if params.response.status in _INVALID:
                self._invalid.append(_now())


@asynccontextmanager
async def time_limit(client: discord.Client, seconds: float) -> AsyncIterator[None]:
    """Break the block's request off after so many seconds. Raises `TimeoutError`."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        # Broken off while it waits out a global rate limit, discord.py would hold back all requests for ever.
        release_requests(client)
        raise


def _now() -> float:
    return asyncio.get_running_loop().time()
