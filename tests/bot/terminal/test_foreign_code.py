"""What lies in the folder that a command is given in is never run, whatever it is called."""

from __future__ import annotations

from pathlib import Path

import pytest
from impasto_command import LIGHT, make_room, run

ROOT = Path(__file__).parents[3]
NAMES = ("engine", "json", "queue", "random", "torch")


@pytest.mark.long
@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["weights", "--help"], 0),
        (["worker", "--help"], 0),
        ([*LIGHT, "--iterations", "4", "-o", "out"], 0),
        ([*LIGHT, "--iterations", "4", "--dry-run"], 0),
        ([*LIGHT, "--iterations", "4", "--weights", "content.png", "--dry-run"], 78),  # looked into, and refused
    ],
    ids=["weights", "worker", "paint", "dry run", "own weights"],
)
def test_modules_that_lie_in_the_current_folder_are_not_run(words: list[str], status: int, tmp_path: Path) -> None:
    room = make_room(tmp_path)
    for name in NAMES:
        (room / f"{name}.py").write_text(f"open({str(tmp_path / name)!r}, 'w')\n")
    reply = run(room, *words)
    assert [name for name in NAMES if (tmp_path / name).exists()] == []
    assert reply.returncode == status, reply.stderr
    assert "Traceback" not in reply.stderr


def test_no_command_of_ours_looks_for_modules_in_the_current_folder() -> None:
    sources = [path for package in ("bot", "engine") for path in (ROOT / package).rglob("*.py")]
    assert sources
    found = {path.relative_to(ROOT).as_posix() for path in sources if '"-m"' in path.read_text()}
    assert found == {"bot/intake/decoders.py", "engine/process/child_process.py"}  # both with -P
