"""`impasto gc`: what has expired goes when an operator says so, and is named before."""

from __future__ import annotations

import os
from pathlib import Path

from arq.connections import ArqRedis
from impasto_command import run
from support.jobs import a_job

from engine.contract.jobs import Jobs
from engine.contract.models import new_id
from engine.contract.store import Store


async def test_what_no_painting_needs_is_named_and_then_deleted(
    redis: ArqRedis, redis_server: str, tmp_path: Path
) -> None:
    store, job = Store((tmp_path / "store").as_uri()), a_job()
    await Jobs(redis).create(job)
    expired = new_id()
    gone = [f"jobs/{expired}/checkpoint-00010-1.safetensors", f"jobs/{expired}/final.png"]
    kept = [f"jobs/{job.id}/picture-0.png", f"jobs/{new_id()}/picture-0.png"]
    for key in (*gone, *kept):
        await store.put(key, b"x" * 500_000)
    for key in (*gone, kept[0]):
        os.utime(tmp_path / "store" / key, (1, 1))
    settings = {"REDIS_URL": redis_server, "STORE_URL": (tmp_path / "store").as_uri()}
    for words in (["gc", "--dry-run"], ["gc", "--dry-run"]):  # it changes nothing
        done = run(tmp_path, *words, **settings)
        assert done.stdout.splitlines()[-1] == "2 files of 1 paintings, 1.0 MB, would be deleted."
        assert sorted(done.stdout.splitlines()[:-1]) == gone
    done = run(tmp_path, "gc", **settings)
    assert (done.returncode, done.stdout) == (0, "2 files of 1 paintings, 1.0 MB, were deleted.\n")
    assert sorted(key for key, _ in await store.list("jobs/")) == sorted(kept)


def test_without_a_redis_nothing_is_known(tmp_path: Path) -> None:
    done = run(tmp_path, "gc", REDIS_URL="")
    assert (done.returncode, done.stdout) == (os.EX_CONFIG, "")
    assert done.stderr.startswith("REDIS_URL is not set: only Redis knows")
