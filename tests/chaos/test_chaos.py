"""The short form of `make chaos`: about two minutes of it, with dice of its own each time."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest
from rich.console import Console

from chaos.run import run

SEED = int(os.environ.get("IMPASTO_CHAOS_SEED") or secrets.randbelow(1_000_000))
SHORT = (
    "a worker is killed between blob and event",
    "the bot is killed after a send that it never heard of",
    "Redis is killed, back after 1 s",
    "time-outs after success",
    "a worker is killed during a checkpoint's write",
    "everything is killed at once",
    "the same interaction twice",
    "Redis is out of memory",
)


@pytest.mark.timeout(1800)
async def test_nothing_is_lost_and_nothing_comes_twice_whatever_breaks(tmp_path: Path) -> None:
    print(f"again with IMPASTO_CHAOS_SEED={SEED}")
    report = await run(tmp_path, SEED, SHORT, 0, Console())
    assert report.broken == []
    assert report.verdict.wrong == []
    assert report.verdict.accepted > 0
    assert report.verdict.finals == report.verdict.accepted
    assert report.verdict.posted == report.verdict.promised
