"""What docs/operations.md says of back-ups: a restored copy goes on with its paintings, and no bit differs."""

from __future__ import annotations

import shutil
from pathlib import Path

from conftest import Desk, House, light, uncut_sha256
from own_redis import OwnRedis

from engine.contract.connection import connect
from engine.contract.events import Snapshot
from engine.contract.store import Store

RECIPE = light(300, snapshots=(30, 200))


async def test_a_copy_made_while_it_is_painted_goes_on_elsewhere(tmp_path: Path) -> None:
    """Redis first, then the store; the painting goes on meanwhile, and is lost with its machine."""
    (tmp_path / "here" / "redis").mkdir(parents=True)
    redis = OwnRedis(tmp_path / "here" / "redis")
    house = House(redis.url, tmp_path / "here")
    try:
        house.hire(seconds=0.2).ready()
        async with connect(house.url) as client:
            desk = Desk(client, Store(house.store_url))
            job = await desk.order(RECIPE)
            await desk.until_it_has_checkpoints(job, 2)
            there = redis.copy(tmp_path / "there")
            copied = int((await desk.jobs.fields(job.id))["iteration"])
            shutil.copytree(tmp_path / "here" / "store", tmp_path / "there" / "store")
    finally:
        house.close()
        redis.kill()
    assert copied > 0

    redis = OwnRedis(there)
    house = House(redis.url, there)
    try:
        async with connect(house.url) as client:
            desk = Desk(client, Store(house.store_url))
            assert await desk.jobs.open() == [job.id]
            house.hire(seconds=2).ready()
            run = await desk.run(job)
            assert run["final"]["sha256"] == uncut_sha256(RECIPE)
            shown = [event.iteration for event in await desk.story(job) if isinstance(event, Snapshot)]
            assert sorted(set(shown)) == list(RECIPE.shown) == shown
    finally:
        house.close()
        redis.end()
