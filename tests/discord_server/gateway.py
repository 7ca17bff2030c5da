"""The gateway: sessions, what each hears, and every way in which one can break."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import zlib
from collections.abc import Iterator
from typing import Any

from aiohttp import WSMsgType, web

from discord_server.codes import PRIVILEGED, Intent
from discord_server.render import guild_create_json, user_json
from discord_server.sessions import Connection, Session, wants
from discord_server.world import Event, World

Json = dict[str, Any]

HEARTBEAT, IDENTIFY, RESUME = 1, 2, 6
RECONNECT, INVALID_SESSION, HELLO, HEARTBEAT_ACK = 7, 9, 10, 11
IGNORED = frozenset({3, 4, 8})
"""Presence, voice, members: of no use to this bot, and no fault of it."""

AUTHENTICATION_FAILED, DECODE_ERROR, NOT_AUTHENTICATED, ALREADY_AUTHENTICATED = 4004, 4002, 4003, 4005
INVALID_INTENTS, DISALLOWED_INTENTS = 4013, 4014
HEARTBEAT_S = 41.25


class Gateway:
    def __init__(self, world: World) -> None:
        self._world = world
        self._sessions: dict[str, Session] = {}
        world.listen(self._hear)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=0)
        await socket.prepare(request)
        self._world.counts.connections += 1
        self._world.touch("counts")
        compressor = zlib.compressobj() if request.query.get("compress") == "zlib-stream" else None
        connection = Connection(socket, compressor, request.transport)
        writer = asyncio.create_task(connection.write())
        connection.send({"op": HELLO, "d": {"heartbeat_interval": int(HEARTBEAT_S * 1000)}})
        try:
            await self._converse(connection)
        finally:
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writer
            self._leave(connection)
        return socket

    async def _converse(self, connection: Connection) -> None:
        async for frame in connection.socket:
            if frame.type is not WSMsgType.TEXT:
                continue
            try:
                message = json.loads(frame.data)
            except ValueError:
                await connection.socket.close(code=DECODE_ERROR)
                return
            code = self._take(connection, message["op"], message.get("d"))
            if code is not None:
                await connection.flush()
                await connection.socket.close(code=code)
                return

    def _take(self, connection: Connection, op: int, data: Any) -> int | None:
        """Handles one message of a client; a close code ends the connection."""
        if op == HEARTBEAT:
            connection.send({"op": HEARTBEAT_ACK})
            return None
        if op == IDENTIFY:
            return self._identify(connection, data)
        if op == RESUME:
            return self._resume(connection, data)
        if op not in IGNORED:
            self._world.note("violation", what=f"a gateway opcode that a client does not send: {op}")
        return None if connection.session else NOT_AUTHENTICATED

    def _identify(self, connection: Connection, data: Json) -> int | None:
        self._world.counts.identifies += 1
        self._world.touch("counts")
        if data.get("token") != self._world.token:
            return AUTHENTICATION_FAILED
        if connection.session is not None:
            return ALREADY_AUTHENTICATED
        if "intents" not in data:
            return INVALID_INTENTS
        intents = Intent(data["intents"])
        if intents & PRIVILEGED & ~self._world.privileged_intents:
            return DISALLOWED_INTENTS
        number, count = data.get("shard") or (0, 1)
        session = Session(secrets.token_hex(16), intents, number, count)
        self._sessions[session.id] = session
        session.attach(connection)
        self._welcome(session)
        return None

    def _welcome(self, session: Session) -> None:
        guilds = [guild for guild in self._world.bot_guilds() if session.serves(guild.id)]
        ready = {
            "v": 10,
            "user": user_json(self._world.bot),
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": self._world.gateway_url,
            "shard": [session.shard, session.shard_count],
            "application": {"id": str(self._world.application_id), "flags": 0},
        }
        session.push("READY", ready)
        if session.intents & Intent.GUILDS:
            for guild in guilds:
                session.push("GUILD_CREATE", guild_create_json(self._world, guild))
        self._world.touch("counts")

    def _resume(self, connection: Connection, data: Json) -> int | None:
        if data.get("token") != self._world.token:
            return AUTHENTICATION_FAILED
        session = self._sessions.get(data.get("session_id", ""))
        if session is None or not session.remembers(data.get("seq") or 0):
            connection.send({"op": INVALID_SESSION, "d": False})
            return None
        self._world.counts.resumes += 1
        session.attach(connection)
        session.replay(data.get("seq") or 0)
        session.push("RESUMED", {})
        self._world.touch("counts")
        return None

    def _leave(self, connection: Connection) -> None:
        """A session outlives its connection unless the client closed it as done."""
        session = connection.session
        if session is None or session.connection is not connection:
            return
        session.connection = None
        if connection.socket.close_code in (1000, 1001):
            self._sessions.pop(session.id, None)
        self._world.touch("counts")

    def _hear(self, event: Event) -> None:
        for session in self._sessions.values():
            if session.serves(event.guild_id) and wants(session, event, self._world.bot.id):
                session.push(event.name, event.data)

    @property
    def connected(self) -> int:
        """Sessions that have a connection."""
        return len(list(self._live()))

    def _live(self) -> Iterator[tuple[Session, Connection]]:
        for session in list(self._sessions.values()):
            if session.connection is not None:
                yield session, session.connection

    def drop(self) -> None:
        """Cuts every connection; the sessions can be resumed."""
        for _, connection in self._live():
            connection.abort()

    def reconnect(self) -> None:
        """Asks every client to reconnect and resume: op 7."""
        for _, connection in self._live():
            connection.send({"op": RECONNECT, "d": None})

    def invalidate(self, resumable: bool) -> None:
        """Op 9. Sessions that are not resumable are gone."""
        for session, connection in self._live():
            if not resumable:
                self._sessions.pop(session.id, None)
            connection.send({"op": INVALID_SESSION, "d": resumable})

    def new_token(self) -> None:
        """As if the developer had reset it: the old one is worth nothing, also for a resume."""
        self._world.token = secrets.token_urlsafe(24)
        self.drop()

    def forget(self) -> None:
        """Cuts every connection and loses the sessions: a resume will meet op 9."""
        self.drop()
        self._sessions.clear()
