"""Children that end when their parent ends, however that happens (Linux; elsewhere they may linger).

Not by `preexec_fn`: Python code between fork and exec hangs for ever when another thread held a lock at the fork, and
the parent with it. So the child's command is put behind this file, which is run as a program of its own.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1


def child_command(command: Sequence[str]) -> list[str]:
    """The command that runs `command` on a leash held by this process."""
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


def _run(parent: int, command: list[str]) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it ended before
            return
    os.execvp(command[0], command)  # noqa: S606


if __name__ == "__main__":
    _run(int(sys.argv[1]), sys.argv[2:])
