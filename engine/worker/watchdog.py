"""Notices a painting that does not move on any more: a device that hangs takes the painting thread with it."""

from __future__ import annotations

import asyncio
import faulthandler
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from tempfile import TemporaryFile


class Pulse:
    """For which job the painting thread is at work, and when that last moved on, by `time.monotonic`.

    The painting thread writes it, as it begins and at every iteration; the event loop reads it.
    """

    def __init__(self) -> None:
        self._job: str | None = None
        self.at = 0.0

    @contextmanager
    def of(self, job: str) -> Iterator[None]:
        """While something is done for the job: also pictures, weights and checkpoints come to a device that may hang.

        What waits for its turn has no pulse.
        """
        self.at = time.monotonic()
        self._job = job
        try:
            yield
        finally:
            self._job = None

    def stuck(self, seconds: float) -> str | None:
        """The job that has not moved on for so long; None where all is well."""
        job = self._job  # read first: one that begins meanwhile has moved on by then
        return job if time.monotonic() - self.at > seconds else None


async def until_stuck(pulse: Pulse, seconds: float) -> str:
    """Waits until a painting has not moved on for `seconds`; its job."""
    while True:
        await asyncio.sleep(min(1.0, seconds / 4))
        job = pulse.stuck(seconds)
        if job is not None:
            return job


def stacks() -> str:
    """Where each thread of this process is, the innermost call first; empty where no file can be written."""
    with suppress(OSError), TemporaryFile() as file:
        faulthandler.dump_traceback(file)
        file.seek(0)
        return file.read().decode(errors="replace")
    return ""
