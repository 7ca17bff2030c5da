"""What control groups allow this process to have: a container's memory, or a systemd unit's (`MemoryMax=`)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_MEMBERSHIP, _TREE = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")
_FILES = {"": ("memory.max", "memory.current"), "memory": ("memory.limit_in_bytes", "memory.usage_in_bytes")}


class MemoryLimit(NamedTuple):
    """The most bytes that all processes of a control group may have, and how many they have.

    Without copies of files that were not touched for long: the system gives those up before it refuses anything.
    """

    most: int
    used: int


def memory_limits(membership: Path = _MEMBERSHIP, tree: Path = _TREE) -> list[MemoryLimit]:
    """The limits of every group that this process is in, and of the groups around it; none where there is no limit.

    In both versions of control groups (Linux, admin-guide/cgroup-v2 and cgroup-v1/memory). `membership` is as
    /proc/self/cgroup has it: `hierarchy:controllers:path` on each line, without controllers in version 2.
    """
    found = []
    for folder, (limit, usage) in dict(_groups(membership, tree)).items():
        with contextlib.suppress(OSError, ValueError):  # no such group, or no limit ("max")
            most, used = int((folder / limit).read_text()), int((folder / usage).read_text())
            found.append(MemoryLimit(most, max(0, used - _idle_copies(folder))))
    return found


def _idle_copies(folder: Path) -> int:
    """Bytes of files that lie in memory, and that nobody has used for a while; 0 where that is not told."""
    try:
        numbers = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
        return int(numbers.get("total_inactive_file") or numbers["inactive_file"])
    except (OSError, ValueError, KeyError):
        return 0


def _groups(membership: Path, tree: Path) -> Iterator[tuple[Path, tuple[str, str]]]:
    """Folders of the groups, with the names of the files that hold limit and usage."""
    yield tree, _FILES[""]  # a container may see its own group there, and its path from outside
    yield tree / "memory", _FILES["memory"]
    with contextlib.suppress(OSError, ValueError):
        for line in membership.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            for controller in set(controllers.split(",")) & _FILES.keys():
                own = Path(path.lstrip("/"))
                for group in (own, *own.parents):
                    yield tree / controller / group, _FILES[controller]
