"""`impasto paint` on a disk that fills up: it says why it stands still, and goes on when there is room."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import full_disk
from impasto_command import LIGHT, left_over, make_room, start


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def until(lines: Iterator[str], words: str) -> str:
    return next(line for line in lines if words in line)


def test_a_full_disk_is_said_and_waited_for(tmp_path: Path) -> None:
    room = make_room(tmp_path)
    process = start(room, *LIGHT, "--iterations", "3000", "--snapshots", "10", "-o", "out")
    assert process.stdout is not None
    until(process.stdout, "iteration 10:")
    helpers = children(process.pid)
    assert len(helpers) == 2  # Redis and the worker
    for helper in helpers:
        full_disk.fill(helper)
    assert "cannot write its file: make room on its disk. Trying on." in until(process.stdout, "Redis at ")
    full_disk.make_room(helpers[0])  # the worker ended, and its follower waits
    assert until(process.stdout, "Redis answers") == "Redis answers.\n"
    assert until(process.stdout, "Done") == "Done: out/index.html\n"
    _, err = process.communicate()
    assert (process.returncode, err.count("\n")) == (0, 1)
    assert err.startswith("Redis cannot be used: MISCONF")  # the last words of the worker that ended
    assert left_over(room) == []
