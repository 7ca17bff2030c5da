"""A child ends with its parent, with the kernel's help and without."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys

import pytest

PARENT = """
import subprocess, sys
from engine.process.child_process import child_command
AS_THERE = "import runpy, sys; _, sys.platform, *sys.argv = sys.argv; runpy.run_path(sys.argv[0], run_name='__main__')"
_python, *_options, script, parent, command, argument = child_command(["sleep", "600"])
child = subprocess.Popen([sys.executable, "-c", AS_THERE, sys.argv[1], script, parent, command, argument])
print(child.pid, flush=True)
sys.stdin.read()
"""


def has_ended(process: int) -> bool:
    """Waits for a process that is not ours."""
    with os.fdopen(process, "rb"):
        return bool(select.select([process], [], [], 60)[0])


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_it_ends_when_its_parent_is_killed(platform: str) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, platform], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = os.pidfd_open(int(parent.stdout.readline()))
    parent.send_signal(signal.SIGKILL)
    parent.wait()  # not `communicate`: the child has the pipe too
    assert has_ended(child)
    parent.communicate()
