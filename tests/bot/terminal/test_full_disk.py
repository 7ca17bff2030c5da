"""A disk that is full is told in one sentence, and the painting goes on when there is room."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from impasto_command import COMMAND, LIGHT, environment, make_room

_NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"]
_SCRIPT = """
mkdir small && mount -t tmpfs -o size=$1 tmpfs small || exit 99
shift
"$@"; echo "status $?"
rm -f small/filler
"$1" -m bot.terminal.main paint --resume small/out --device cpu; echo "status $?"
"""

can_mount = subprocess.run([*_NAMESPACE, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False)
pytestmark = pytest.mark.skipif(can_mount.returncode != 0, reason="a disk of its own needs user namespaces")


def start_on_a_disk_of(size: str, room: Path, *arguments: str) -> subprocess.Popen[str]:
    """The command with its output in `small`, and when it has ended, and what fills the disk is gone, once more."""
    return subprocess.Popen(
        [*_NAMESPACE, "sh", "-c", _SCRIPT, "sh", size, *COMMAND, *arguments], cwd=room, env=environment(), text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def fill(process: subprocess.Popen[str], room: Path) -> None:
    """To the last byte, by way of the process, who alone sees this disk."""
    with suppress(OSError), Path(f"/proc/{process.pid}/root{room}/small/filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(bytes(4096))


def test_a_disk_that_becomes_full_ends_the_command_and_it_goes_on_when_there_is_room(tmp_path: Path) -> None:
    room = make_room(tmp_path)
    paint = [*LIGHT, "--iterations", "2000", "--snapshots", "10,20", "-o", "small/out"]
    process = start_on_a_disk_of("8m", room, *paint)
    assert process.stdout is not None
    next(line for line in process.stdout if line.startswith("iteration 10:"))
    fill(process, room)
    out, err = process.communicate()
    first, last = (line for line in out.splitlines() if line.startswith("status"))
    assert first == "status 1"
    assert err.splitlines() == [
        "The disk that small/out/.impasto is on is full. When that is mended, go on with: "
        "impasto paint --resume small/out"
    ]
    assert last == "status 0"
    assert "Done: small/out/index.html" in out


def test_a_disk_that_is_full_from_the_first_is_a_sentence(tmp_path: Path) -> None:
    room = make_room(tmp_path)
    process = start_on_a_disk_of("600k", room, *LIGHT, "-o", "small/out")
    out, err = process.communicate()
    assert err.splitlines()[0] == "small/out cannot be written to: No space left on device."
    assert "status 1" in out
