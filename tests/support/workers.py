"""Worker processes, and what they share: a database of the Redis and a store."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from engine.process.child_process import child_command
from support import quick_worker

WORKER = ("-m", "engine.worker")
QUICK_WORKER = (quick_worker.__file__,)
"""Sooner taken for dead; all workers of a pool must be such."""

ONE_THREAD = {"OMP_NUM_THREADS": "1"}
"""Tiny pictures are painted fastest, and always alike, on one thread."""


class WorkerProcess:
    """A worker process."""

    def __init__(self, environment: dict[str, str], program: Sequence[str], weights: str = "random") -> None:
        self._process = subprocess.Popen(
            child_command([sys.executable, *program, "--weights", weights, "--device", "cpu"]),
            env=environment,
            stdout=subprocess.PIPE,
        )
        self.said = ""
        """Its first line, once it is ready."""

    def ready(self) -> WorkerProcess:
        """Waits until it can be given work."""
        assert self._process.stdout is not None
        self.said = self._process.stdout.readline().decode().strip()
        assert self.said.startswith("ready")
        return self

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def ended(self) -> int:
        """Waits for the end; the exit status."""
        assert self._process.stdout is not None
        self._process.stdout.close()
        return self._process.wait(120)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        if self.alive:
            self._process.kill()
            self.ended()


class WorkerPool:
    """One database of the Redis, one store; jobs are asked for here, and workers started."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder, self.store_url = url, folder, (folder / "store").as_uri()
        self.workers: list[WorkerProcess] = []

    def start_worker(
        self, seconds: float = 0.5, program: Sequence[str] = WORKER, *, weights: str = "random", **settings: str
    ) -> WorkerProcess:
        """A new worker whose slices take `seconds`; not ready yet."""
        ours = {"REDIS_URL": self.url, "STORE_URL": self.store_url, "IMPASTO_SLICE_SECONDS": str(seconds)}
        self.workers.append(WorkerProcess({**os.environ, **ONE_THREAD, **ours, **settings}, program, weights))
        return self.workers[-1]

    def only_worker(self, seconds: float, program: Sequence[str] = WORKER) -> WorkerProcess:
        """The one that is there, else a new one; ready."""
        alive = [worker for worker in self.workers if worker.alive]
        assert len(alive) < 2
        return alive[0] if alive else self.start_worker(seconds, program).ready()

    def close(self) -> None:
        for worker in self.workers:
            worker.kill()
