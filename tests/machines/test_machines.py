"""The short form of `make machines`, where Linux lets this user have a network of their own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from machines.__main__ import SKIPPED
from machines.namespaces import environment


@pytest.mark.long
def test_a_worker_that_was_cut_off_and_is_back_spoils_nothing() -> None:
    command = [sys.executable, "-m", "machines", "--short"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=550, env=environment())
    if done.returncode == SKIPPED:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stdout + done.stderr
