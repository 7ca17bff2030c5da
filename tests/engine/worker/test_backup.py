"""What docs/operations.md says of back-ups: a restored copy goes on with its paintings, and no bit differs."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

import pytest
from own_redis import OwnRedis
from support.jobs import JobClient, light, uncut_sha256
from support.workers import QUICK_WORKER, WorkerPool

from engine.contract.connection import connect
from engine.contract.events import Snapshot
from engine.contract.store import Store

RECIPE = light(300, snapshots=(30, 200))


@pytest.mark.long
async def test_a_copy_made_while_it_is_painted_goes_on_elsewhere(tmp_path: Path) -> None:
    """Redis first, then the store; the painting goes on meanwhile, and is lost with its machine."""
    (tmp_path / "here" / "redis").mkdir(parents=True)
    redis = OwnRedis(tmp_path / "here" / "redis")
    pool = WorkerPool(redis.url, tmp_path / "here")
    try:
        pool.start_worker(0.2, QUICK_WORKER).ready()
        async with connect(pool.url) as connection:
            client = JobClient(connection, Store(pool.store_url))
            job = await client.submit(RECIPE)
            await client.until_it_has_checkpoints(job, 2)
            there = redis.copy(tmp_path / "there")
            copied = int((await client.jobs.fields(job.id))["iteration"])
            shutil.copytree(tmp_path / "here" / "store", tmp_path / "there" / "store", copy_function=_copy_as_cp_does)
    finally:
        pool.close()
        redis.kill()
    assert copied > 0

    redis = OwnRedis(there)
    pool = WorkerPool(redis.url, there)
    try:
        async with connect(pool.url) as connection:
            client = JobClient(connection, Store(pool.store_url))
            assert await client.jobs.open() == [job.id]
            pool.start_worker(2, QUICK_WORKER).ready()
            run = await client.run(job)
            assert run["final"]["sha256"] == uncut_sha256(RECIPE)
            shown = [event.iteration for event in await client.events(job) if isinstance(event, Snapshot)]
            assert sorted(set(shown)) == list(RECIPE.shown) == shown
    finally:
        pool.close()
        redis.end()


def _copy_as_cp_does(source: str, target: str) -> None:
    """What is deleted before its turn comes, as checkpoints are that a newer one replaces, is left out."""
    with suppress(FileNotFoundError):
        shutil.copy2(source, target)
