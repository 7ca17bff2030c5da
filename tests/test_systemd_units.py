"""The units that systemd starts bot and workers from: systemd itself takes them, and they may do little."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[1] / "deploy" / "systemd"
PROGRAM = "/opt/impasto/.venv/bin/impasto"
NAMES = {"impasto-bot.service": "impasto-bot.service", "impasto-worker@.service": "impasto-worker@0.service"}
"""A template is looked at as one of its instances."""


def analyze(folder: Path, unit: str, *words: str) -> subprocess.CompletedProcess[str]:
    """systemd-analyze about a unit, as if its program were installed."""
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("systemd-analyze is not here")
    text = (UNITS / unit).read_text()
    assert PROGRAM in text
    (folder / NAMES[unit]).write_text(text.replace(PROGRAM, shutil.which("true") or ""))
    return subprocess.run([tool, *words, f"./{NAMES[unit]}"], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("unit", NAMES)
def test_systemd_finds_nothing_wrong(unit: str, tmp_path: Path) -> None:
    done = analyze(tmp_path, unit, "verify")
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize(("unit", "most"), [("impasto-bot.service", 16), ("impasto-worker@.service", 22)])
def test_they_are_fenced_in(unit: str, most: int, tmp_path: Path) -> None:
    """By systemd's own count, in tenths: 100 is without any fence."""
    done = analyze(tmp_path, unit, "security", "--offline=true", f"--threshold={most}")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("unit", NAMES)
def test_what_only_a_person_can_mend_is_not_tried_again_and_all_else_is(unit: str) -> None:
    lines = (UNITS / unit).read_text().splitlines()
    assert {"Restart=always", "RestartPreventExitStatus=78", "User=impasto"} <= set(lines)


@pytest.mark.parametrize("unit", NAMES)
def test_the_doctor_that_the_documents_start_may_write_where_the_unit_may(unit: str) -> None:
    """Else it says that a store is well in which bot and workers cannot write."""
    text = (UNITS.parents[1] / "docs" / "deploy.md").read_text()
    (command,) = re.findall(r"^ {4}(systemd-run (?:.*\\\n)*.*impasto doctor)$", text, re.MULTILINE)
    lines = (UNITS / unit).read_text().splitlines()
    for of_both in ("ProtectSystem=strict", "User=impasto", "WorkingDirectory=/var/lib/impasto"):
        assert of_both in lines
        assert f"-p {of_both} " in command
    assert {"StateDirectory=impasto", "CacheDirectory=impasto"} <= set(lines)
    assert re.findall(r"-p ReadWritePaths=(\S+)", command) == ["/var/lib/impasto", "/var/cache/impasto"]


def test_a_worker_knows_no_token() -> None:
    assert "UnsetEnvironment=DISCORD_TOKEN" in (UNITS / "impasto-worker@.service").read_text().splitlines()
