"""Signals to child processes."""

from __future__ import annotations

import os
import signal
from asyncio.subprocess import Process
from contextlib import suppress


def send(process: Process, number: signal.Signals) -> None:
    """Signal a child that may have ended by now.

    Not `Process.send_signal`, which reaps one that has just ended; asyncio then complains on stderr that somebody did.
    """
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)
