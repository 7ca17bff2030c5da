"""Signals to child processes, and their end."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import Process
from contextlib import suppress

_TO_END = 2.0  # s


async def outcome(process: Process) -> tuple[bytes, bytes]:
    """What a child has written on both streams when it has ended; it is killed where nobody waits for that any more."""
    try:
        return await process.communicate()
    finally:
        if process.returncode is None:
            send(process, signal.SIGKILL)
            with suppress(TimeoutError):  # a device that hangs may keep it from ending
                await asyncio.wait_for(process.wait(), _TO_END)


def send(process: Process, number: signal.Signals) -> None:
    """Signal a child that may have ended by now.

    Not `Process.send_signal`, which reaps one that has just ended; asyncio then complains on stderr that somebody did.
    """
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)
