"""A worker process that lives as long as the command, started anew when it dies."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import signal
from pathlib import Path

from bot.child_signals import send
from engine.contract.settings import SettingsError
from engine.process.child_process import child_command
from engine.process.logs import last_line, size_of


class WorkerError(Exception):
    """No worker can paint; the text is one sentence, or empty when the worker has said it already."""


def has_torch() -> bool:
    """Whether a worker can run here: the bot's image has no torch."""
    return importlib.util.find_spec("torch") is not None


def require_torch() -> None:
    """Raises `WorkerError` where no worker can run."""
    if not has_torch():
        raise WorkerError("PyTorch is not installed here: do this where a worker is, as in a worker's container.")


class WorkerProcess:
    """A worker process, started anew when it dies; a job that kills it three times is set aside by the contract."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._command, self._environment = command, environment
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self._log = Path(environment.get("IMPASTO_LOG", os.devnull))
        self._owner = asyncio.current_task()
        self.lost = ""
        """The sentence that it could not be started again, else empty; then the task that made this is cancelled."""

    @property
    def pid(self) -> int:
        assert self._process is not None  # noqa: S101 - started first
        return self._process.pid

    async def start(self) -> None:
        """Start the worker and wait until it is ready.

        Raises `WorkerError` when it ends before, and `SettingsError` when that is for a wrong setting.
        """
        require_torch()
        before = size_of(self._log)
        self._process = await asyncio.create_subprocess_exec(
            *child_command(self._command),
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            # A session of its own: Ctrl-C in the terminal is for the command, which stops the worker in order.
            start_new_session=True,
        )
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        if not (await self._process.stdout.readline()).startswith(b"ready"):
            status = await self._process.wait()
            raise SettingsError("") if status == os.EX_CONFIG else WorkerError(self._why(status, before))
        self._watch = asyncio.create_task(self._keep(self._process))

    def _why(self, status: int, before: int) -> str:
        """How it ended, in a sentence; empty where it has said so itself, which it does with the status 1.

        Its log has been so long `before`.
        """
        if status == 1:
            return ""
        how = f"with status {status}" if status >= 0 else f"by signal {-status} ({signal.strsignal(-status)})"
        line = last_line(self._log, before)
        return f"The worker ended {how} before it was ready{f', and its log with: {line}' if line else '.'}"

    async def _keep(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        async for _ in process.stdout:  # a line for each job: with its pipe full the worker would stand still
            pass
        await process.wait()
        try:
            await self.start()
        except (WorkerError, SettingsError, OSError) as error:
            self.lost = f"The worker ended and could not be started again. {error}".rstrip()
            assert self._owner is not None  # noqa: S101 - it is made in a task
            self._owner.cancel()

    async def stop(self) -> None:
        """End the worker in order: it saves where it stands."""
        if self._watch is not None:
            self._watch.cancel()
        if self._process is not None and self._process.returncode is None:
            send(self._process, signal.SIGTERM)
            await self._process.wait()
