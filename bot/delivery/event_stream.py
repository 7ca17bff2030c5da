"""The event stream as the bot reads it: in a consumer group, so that Redis knows what was given out and not dealt with.

Whoever leads reads as the same consumer, and takes over what the last one left.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from arq.connections import ArqRedis
from redis.exceptions import ResponseError

from bot.post_ledger import GROUP
from engine.contract.connection import BLOCK
from engine.contract.events import STREAM

_CONSUMER = "bot"
_COUNT = 200  # entries a read

Entry = tuple[str, dict[bytes, bytes] | None]
"""Id and fields; no fields where it was replaced by a newer one."""


class EventStream:
    """`redis` must not retry: what was given out in a reply that was lost on the way has to be asked for again."""

    def __init__(self, redis: ArqRedis, make_sure: Callable[[], Awaitable[None]]) -> None:
        """`make_sure` raises where this process leads no longer; what it read then, nobody would deal with."""
        self._redis, self._make_sure = redis, make_sure

    async def open(self) -> None:
        """Make the consumer group, if there is none."""
        try:
            await self._redis.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    async def left(self, after: str) -> list[Entry]:
        """What was given out and not acknowledged, beyond an id."""
        return await self._read(after, None)

    async def new(self) -> list[Entry]:
        """What nobody was given yet; waits a while for it."""
        return await self._read(">", BLOCK)

    async def _read(self, after: str, block: int | None) -> list[Entry]:
        await self._make_sure()
        reply: Any = await self._redis.xreadgroup(GROUP, _CONSUMER, {STREAM: after}, count=_COUNT, block=block)
        return [(entry.decode(), fields) for _, entries in reply for entry, fields in entries]
