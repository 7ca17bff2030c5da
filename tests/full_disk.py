"""A disk that takes nothing more from a process, and then has room again; needs no disk, and no rights."""

from __future__ import annotations

import resource


def fill(pid: int) -> None:
    """Whatever the process writes to a file from now on fails, as it does on a disk that is full."""
    _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, most))


def make_room(pid: int) -> None:
    _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))
