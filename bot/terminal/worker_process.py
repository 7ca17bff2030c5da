"""A worker process that lives as long as the command, started anew when it dies."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

from bot.child_signals import send
from engine.process.child_process import child_command

_BROKE_OFF = ": broke off. "
"""In a line of the worker's, between the job and the reason."""


class WorkerError(Exception):
    """There is nobody to paint; the text is one sentence, or empty when the worker has said it already."""


class WorkerProcess:
    """A worker process, started anew when it dies; a job that kills it three times is set aside by the contract."""

    def __init__(
        self, command: list[str], environment: dict[str, str], broke_off: Callable[[str], None] | None = None
    ) -> None:
        """`broke_off` is told why a painting broke off, which the worker would begin again and again."""
        self._command, self._environment, self._broke_off = command, environment, broke_off
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self._owner = asyncio.current_task()
        self.lost = False
        """Whether it could not be started again; the task that made this is cancelled then."""

    @property
    def pid(self) -> int:
        assert self._process is not None  # noqa: S101 - started first
        return self._process.pid

    async def start(self) -> None:
        """Start the worker and wait until it is ready. Raises `WorkerError` when it ends before."""
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
            await self._process.wait()
            raise WorkerError("")
        self._watch = asyncio.create_task(self._keep(self._process))

    async def _keep(self, process: asyncio.subprocess.Process) -> None:
        await self._listen(process)
        await process.wait()
        try:
            await self.start()
        except (WorkerError, OSError):
            self.lost = True
            assert self._owner is not None  # noqa: S101 - it is made in a task
            self._owner.cancel()

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        """Read what it says to its end, whoever wants it: with its pipe full the worker would stand still."""
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        async for line in process.stdout:
            _, broke_off, reason = line.decode(errors="replace").strip().partition(_BROKE_OFF)
            if broke_off and self._broke_off is not None:
                self._broke_off(reason)

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End the worker, by SIGTERM in order: it saves where it stands."""
        if self._watch is not None:
            self._watch.cancel()
        if self._process is not None and self._process.returncode is None:
            send(self._process, number)
            await self._process.wait()
