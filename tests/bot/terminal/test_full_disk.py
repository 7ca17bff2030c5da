"""`impasto paint` on a disk that fills up: it says why it stands still, and goes on when there is room."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import full_disk
import psutil
import pytest
from impasto_command import LIGHT, left_over, make_room, start


def until(lines: Iterator[str], words: str) -> str:
    return next(line for line in lines if words in line)


@pytest.fixture
def painting(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    process = start(make_room(tmp_path), *LIGHT, "--iterations", "200", "--snapshots", "10", "-o", "out")
    yield process
    process.kill()
    process.communicate()
    assert left_over(tmp_path) == []


@pytest.mark.long
def test_a_full_disk_is_said_and_waited_for(painting: subprocess.Popen[str]) -> None:
    assert painting.stdout is not None
    until(painting.stdout, "iteration 10:")
    helpers = [child.pid for child in psutil.Process(painting.pid).children()]
    assert len(helpers) == 2  # Redis and the worker
    for helper in helpers:
        full_disk.fill(helper)
    assert "cannot write its file: make room on its disk. Trying on." in until(painting.stdout, "Redis at ")
    for helper in helpers:
        with suppress(ProcessLookupError):  # the worker may have ended, and its follower waits
            full_disk.make_room(helper)
    assert until(painting.stdout, "Redis answers") == "Redis answers.\n"
    assert until(painting.stdout, "Done") == "Done: out/index.html\n"
    _, err = painting.communicate()
    assert painting.returncode == 0
    assert all(line.startswith("Redis cannot be used: MISCONF") for line in err.splitlines())  # of a worker that ended
