"""Which process somebody is, in a line that another one on the same machine can look them up by."""

from __future__ import annotations

import os
import socket
from pathlib import Path

_ENDED = ("Z", "X")  # waits for nobody but its parent


def process_identity(pid: int | None = None) -> str:
    """Machine, its boot, namespace of process ids, and the process with its beginning; this process's by default.

    What cannot be told here stays empty.
    """
    pid = pid or os.getpid()
    _, began = _stat(pid)
    return ":".join([*_place(), str(pid), began])


def has_ended(other: str) -> bool:
    """Whether that process has ended for sure; False where it cannot be told from here."""
    parts = other.split(":")
    if len(parts) != 5 or not all(parts) or parts[:3] != _place() or not parts[3].isdecimal():
        return False
    pid, began = int(parts[3]), parts[4]
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # it is there, but somebody else's
    state, now_began = _stat(pid)
    # A process id is used again after a while.
    return state in _ENDED or now_began not in ("", began)


def _place() -> list[str]:
    """Containers share a boot and may share a name, but have process ids of their own."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        namespace = str(Path("/proc/self/ns/pid").stat().st_ino)
    except OSError:
        boot = namespace = ""
    return [socket.gethostname().replace(":", ""), boot, namespace]


def _stat(pid: int) -> tuple[str, str]:
    """The process's state, a letter, and when it began, in ticks since the boot; empty where it cannot be told.

    Not psutil's `create_time`, which counts from the boot by the clock: once that is set, every process seems another.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return fields[0], fields[19]
    except (OSError, IndexError):
        return "", ""
