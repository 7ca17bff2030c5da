"""Memory that was freed: kept for the next iteration, or returned where it is short. In processes of their own."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

PROGRAM = """
import sys
import psutil
import torch
from engine.painting.memory import allocator

def resident():
    return psutil.Process().memory_info().rss / 2**20

allocator.keep_memory()
allocator.arrange_memory(short=sys.argv[1] == "short")
before = resident()
block = torch.ones(64, 2**20)  # 256 MiB
used = resident() - before
del block
print(used, resident() - before)
"""


@pytest.mark.long
@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="the C library is not glibc")
@pytest.mark.parametrize(("how", "kept"), [("plenty", True), ("short", False)])
def test_what_is_freed_is_kept_unless_memory_is_short(how: str, kept: bool) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=True)
    used, left = map(float, done.stdout.split())
    assert used > 240
    assert (left > 240) is kept
