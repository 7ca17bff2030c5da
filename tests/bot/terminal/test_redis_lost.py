"""A Redis that goes away while `impasto paint` watches."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from impasto_command import LIGHT, make_room, start
from own_redis import OwnRedis
from support.workers import WorkerPool


@pytest.mark.long
def test_standard_output_stays_json_and_standard_error_says_what_is_awaited(tmp_path: Path) -> None:
    room = make_room(tmp_path)
    (tmp_path / "redis").mkdir()
    server = OwnRedis(tmp_path / "redis")
    pool = WorkerPool(server.url, tmp_path / "pool")
    try:
        pool.start_worker().ready()
        words = (*LIGHT, "--iterations", "90000", "--json", "-o", "out")
        process = start(room, *words, REDIS_URL=server.url, STORE_URL=pool.store_url)
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["kind"] == "started"
        server.end()
        out, err = process.communicate()
    finally:
        pool.close()
        server.end()
    assert {json.loads(line)["kind"] for line in out.splitlines()} <= {"progress", "snapshot"}
    first, *_, last = err.splitlines()
    assert process.returncode == 1
    assert first.startswith(f"Redis at {server.socket} cannot be reached (No such file or directory): start it, or ")
    assert last.startswith("Redis cannot be used: ")
    assert "Traceback" not in err
