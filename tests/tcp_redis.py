"""A Redis on a TCP port, with a password or behind TLS, as operators have it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

from redis import Redis

from engine.process import local_redis

CERTIFICATE = Path(__file__).parent / "localhost.pem"
"""Of localhost and 127.0.0.1, signed by itself, with its key; it is nobody's but the tests'."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class TcpRedis:
    """`password` is set as `requirepass`; `options` are redis-server's. Runs at once unless a test is to start it."""

    def __init__(self, folder: Path, password: str = "", *options: str, started: bool = True) -> None:
        self._folder, self._password, self._options = folder, password, options
        self.port = free_port()
        self.place = f"127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        if started:
            self.start()

    def start(self) -> None:
        """Waits until it answers."""
        unix, log = local_redis.socket_folder() / "redis.sock", self._folder / "redis.log"
        options = ("--port", str(self.port), "--bind", "127.0.0.1", *self._options)
        self._process = local_redis.launch(local_redis.servers()[0], self._folder, unix, log, *options)
        assert local_redis.await_ready(self._process, unix), log.read_text()
        with Redis(unix_socket_path=str(unix)) as client:
            client.config_set("requirepass", self._password)

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)

    def end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def tcp_redis(folder: Path, password: str = "", *options: str) -> Iterator[TcpRedis]:
    server = TcpRedis(folder, password, *options)
    try:
        yield server
    finally:
        server.end()


@asynccontextmanager
async def tls_front(
    port: int, host: str = "127.0.0.1", own_port: int = 0, certificate: Path = CERTIFICATE
) -> AsyncIterator[str]:
    """What stands before a Redis to speak TLS for it, on this event loop; its host and port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))

    server = await asyncio.start_server(serve, host, own_port, ssl=context)
    try:
        yield f"{host}:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
