"""A Redis that a test may take away, and bring back at the same address."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

from engine.process import local_redis


class OwnRedis:
    """As it runs for `impasto up`: on a unix socket, with its append-only file in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.socket = folder, local_redis.socket_folder() / "redis.sock"
        self.url = f"unix://{self.socket}"
        self.start()

    def start(self, *options: str) -> None:
        """Waits until it answers."""
        self.launch(*options)
        assert local_redis.await_ready(self._process, self.socket), (self._folder / "redis.log").read_text()

    def launch(self, *options: str) -> None:
        """Does not wait: at first it may still be loading."""
        log = self._folder / "redis.log"
        self._process = local_redis.launch(local_redis.servers()[0], self._folder, self.socket, log, *options)

    def end(self) -> None:
        self._process.terminate()
        self._process.wait()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def send(self, number: signal.Signals) -> None:
        os.kill(self._process.pid, number)

    def copy(self, target: Path) -> Path:
        """What is on disk now, to be put back."""
        shutil.copytree(self._folder, target, ignore=lambda _, names: [n for n in names if "append" not in n])
        return target

    def put_back(self, copy: Path) -> None:
        """Only while it is down."""
        for old in self._folder.glob("append*"):
            shutil.rmtree(old) if old.is_dir() else old.unlink()
        shutil.copytree(copy, self._folder, dirs_exist_ok=True)

    def cut(self, most: int) -> int:
        """Cut up to so many bytes off the append-only file's end, as a power cut may; how many that were.

        Only while it is down.
        """
        newest = max(self._folder.rglob("*.aof"), key=lambda path: path.stat().st_mtime_ns)
        size = newest.stat().st_size
        os.truncate(newest, max(0, size - most))
        return min(most, size)
