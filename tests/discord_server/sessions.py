"""One client's session with the gateway, and the connection that carries it for a while."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Protocol

from aiohttp import web

from discord_server.codes import Intent
from discord_server.world import Event

Json = dict[str, Any]

MOST_REMEMBERED = 10_000
"""Events that a session can replay."""


class Compressor(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self, mode: int, /) -> bytes: ...


Z_SYNC_FLUSH = 2


class Connection:
    """A web socket with a queue in front, so that the world never waits for a slow client."""

    def __init__(
        self, socket: web.WebSocketResponse, compressor: Compressor | None, transport: asyncio.Transport | None
    ) -> None:
        self.socket = socket
        self.session: Session | None = None
        self._compressor, self._transport = compressor, transport
        self._queue: asyncio.Queue[str] = asyncio.Queue()

    def send(self, message: Json) -> None:
        self._queue.put_nowait(json.dumps(message))

    async def write(self) -> None:
        """Sends what is queued, for as long as the connection lives."""
        while True:
            text = await self._queue.get()
            try:
                await self._send(text)
            except ConnectionError:
                return
            finally:
                self._queue.task_done()

    async def _send(self, text: str) -> None:
        if self._compressor is None:
            await self.socket.send_str(text)
        else:
            await self.socket.send_bytes(
                self._compressor.compress(text.encode()) + self._compressor.flush(Z_SYNC_FLUSH)
            )

    async def flush(self) -> None:
        await self._queue.join()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()


@dataclass
class Session:
    id: str
    intents: Intent
    shard: int
    shard_count: int
    connection: Connection | None = None
    sequence: int = 0
    _sent: deque[Json] = field(default_factory=lambda: deque(maxlen=MOST_REMEMBERED))

    def attach(self, connection: Connection) -> None:
        if self.connection is not None:
            self.connection.abort()
        self.connection, connection.session = connection, self

    def serves(self, guild_id: int | None) -> bool:
        """Whether events of that guild come to this shard; those of no guild come to the first."""
        return self.shard == (0 if guild_id is None else (guild_id >> 22) % self.shard_count)

    def push(self, name: str, data: Json) -> None:
        self.sequence += 1
        message = {"op": 0, "t": name, "s": self.sequence, "d": data}
        self._sent.append(message)
        if self.connection is not None:
            self.connection.send(message)

    def remembers(self, sequence: int) -> bool:
        return sequence <= self.sequence and (not self._sent or sequence >= self._sent[0]["s"] - 1)

    def replay(self, sequence: int) -> None:
        """Sends again what came after `sequence`."""
        assert self.connection is not None
        for message in self._sent:
            if message["s"] > sequence:
                self.connection.send(message)


def wants(session: Session, event: Event, bot_id: int) -> bool:
    """Whether the session's intents cover the event."""
    name = event.name
    if name == "INTERACTION_CREATE":
        return True
    if name.startswith("MESSAGE_"):
        return bool(session.intents & (Intent.DIRECT_MESSAGES if event.guild_id is None else Intent.GUILD_MESSAGES))
    own = name == "GUILD_MEMBER_UPDATE" and event.data["user"]["id"] == str(bot_id)
    if name.startswith("GUILD_MEMBER_") and not own:
        return bool(session.intents & Intent.GUILD_MEMBERS)
    return bool(session.intents & Intent.GUILDS)
