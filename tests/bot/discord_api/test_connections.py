"""A request that was given up does not arrive later."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

import aiohttp
import pytest

from bot.discord_api.connections import discord_connector

BODY = bytes(12_000)
"""More than the server's end of the connection holds, so that part of it waits to be sent."""


async def test_what_was_not_delivered_when_a_request_was_broken_off_is_never() -> None:
    loop = asyncio.get_running_loop()
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.setblocking(False)
        async with aiohttp.ClientSession(connector=discord_connector()) as session:
            url = f"http://127.0.0.1:{server.getsockname()[1]}"
            request = asyncio.create_task(session.patch(url, data=BODY).__aenter__())
            taken, _ = await loop.sock_accept(server)
            with taken:
                assert await loop.sock_recv(taken, 100)
                request.cancel()
                with suppress(asyncio.CancelledError):
                    await request
                with pytest.raises(ConnectionResetError):
                    while await loop.sock_recv(taken, 4096):
                        pass
