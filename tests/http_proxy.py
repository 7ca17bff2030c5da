"""A small HTTP proxy: CONNECT for what is encrypted, requests with a whole address for what is not."""

from __future__ import annotations

import asyncio
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

from tcp_redis import CERTIFICATE

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class HttpProxy:
    """`asked` are the methods and hosts of the connections that were made through it."""

    def __init__(self, login: str) -> None:
        self._login = login
        self.asked: list[tuple[str, str]] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, target, *_ = head.decode("latin-1").split(" ")
        place = target if method == "CONNECT" else urlsplit(target).netloc
        self.asked.append((method, place))
        wanted = f"Proxy-Authorization: Basic {b64encode(self._login.encode()).decode()}"
        if self._login and wanted not in head.decode("latin-1"):
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        host, _, port = place.partition(":")
        there = await asyncio.open_connection(host, int(port or 80))
        try:
            if method == "CONNECT":
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                there[1].write(head)
            await _join((reader, writer), there)
        finally:
            there[1].close()


@asynccontextmanager
async def http_proxy(login: str = "") -> AsyncIterator[HttpProxy]:
    """One on a port of its own; `login`, as name:password, is then asked for."""
    proxy = HttpProxy(login)
    async with _listening(proxy.serve) as proxy.port:
        yield proxy


@asynccontextmanager
async def encrypted(port: int) -> AsyncIterator[int]:
    """A port behind which is the same as behind the other, by TLS."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection("127.0.0.1", port)
        try:
            await _join((reader, writer), there)
        finally:
            there[1].close()

    async with _listening(serve, context) as own:
        yield own


@asynccontextmanager
async def _listening(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    context: ssl.SSLContext | None = None,
) -> AsyncIterator[int]:
    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):  # somebody hung up
            await serve(reader, writer)
        writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def _join(one: Streams, other: Streams) -> None:
    """Until both have hung up."""
    await asyncio.gather(_pass(one[0], other[1]), _pass(other[0], one[1]))


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
    else:
        writer.close()
