"""Children that end when their parent ends, however that happens.

Not by `preexec_fn`: Python code between fork and exec hangs for ever when another thread held a lock at the fork, and
the parent with it. So the child's command is put behind this file, which is run as a program of its own.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1


def child_command(command: Sequence[str]) -> list[str]:
    """The command that runs `command` as a child that ends with this process."""
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


def module_command(module: str) -> list[str]:
    """The command that runs a module of ours; the folder it is run in, where anything may lie, holds no code for it."""
    return [sys.executable, "-P", "-m", module]


def _run(parent: int, command: list[str]) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it ended before
            return
    else:
        own = os.getpid()
        if os.fork() == 0:
            _watch(parent, own)
            return
    os.execvp(command[0], command)  # noqa: S606


def _watch(parent: int, command: int) -> None:
    """Where no signal comes with the parent's death (macOS): look every second, from a process beside the command."""
    os.closerange(0, 256)  # whoever reads what the command writes would wait for this process too
    ended = False
    while not ended:
        time.sleep(1)  # the parent is not ours to wait for
        try:
            os.kill(parent, 0)
        except ProcessLookupError:
            ended = True
        if os.getppid() != command:  # it ended, and its number may be another's
            return
    os.kill(command, signal.SIGTERM)


if __name__ == "__main__":
    _run(int(sys.argv[1]), sys.argv[2:])
