"""What has expired goes, and nothing else."""

from __future__ import annotations

from conftest import Desk, a_job

from engine.contract.events import STREAM
from engine.contract.jobs import Jobs
from engine.contract.turns import CLOCK, FINISH
from engine.worker.sweep import EVENT_DAYS, sweep


async def test_old_events_go_but_not_those_that_a_reader_still_holds(desk: Desk) -> None:
    redis = desk.redis
    seconds, _ = await redis.time()
    long_ago = (seconds - (EVENT_DAYS + 1) * 86400) * 1000
    for entry in range(300):  # trimming goes by whole nodes of about a hundred entries
        await redis.xadd(STREAM, {"job": "old"}, id=f"{long_ago + entry}-0")
    await redis.xgroup_create(STREAM, "readers", id="0")
    await redis.xreadgroup("readers", "one", {STREAM: ">"}, count=1)
    await sweep(redis, desk.store)
    assert await redis.xlen(STREAM) == 300

    await redis.xack(STREAM, "readers", f"{long_ago}-0")
    await redis.xgroup_setid(STREAM, "readers", "$")
    await redis.xadd(STREAM, {"job": "new"})
    await sweep(redis, desk.store)
    left = await redis.xrange(STREAM)
    assert len(left) < 300
    assert left[-1][1] == {b"job": b"new"}


async def test_users_behind_the_clock_are_forgotten(desk: Desk) -> None:
    await desk.redis.set(CLOCK, "10.000")
    await desk.redis.hset(FINISH, mapping={"g:was here": "10.000", "g:is ahead": "10.001"})  # type: ignore[misc]
    await sweep(desk.redis, desk.store)
    assert await desk.redis.hkeys(FINISH) == [b"g:is ahead"]  # type: ignore[misc]


async def test_fresh_blobs_stay_even_before_their_job_is_created(desk: Desk) -> None:
    job = a_job()
    await desk.store.put(f"jobs/{job.id}/picture-0.png", b"a picture")
    await sweep(desk.redis, desk.store)
    await Jobs(desk.redis).create(job)
    assert await desk.store.get(f"jobs/{job.id}/picture-0.png") == b"a picture"
