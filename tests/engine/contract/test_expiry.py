"""What has expired goes, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest
from arq.connections import ArqRedis
from support.jobs import JobClient, a_job, child_of
from support.workers import WorkerPool

from engine.contract.events import STREAM
from engine.contract.expiry import EVENT_DAYS, remove_expired, swept, takes_sweep
from engine.contract.fair_queue import CLOCK, FINISH, SPREAD
from engine.contract.jobs import Jobs
from engine.contract.models import USERS, index_key, job_key, new_id
from engine.contract.needed_jobs import needed
from engine.contract.store import Blob
from engine.contract.stored_blobs import note, noted, owner_of


async def test_old_events_go_but_not_those_that_a_reader_still_holds(client: JobClient) -> None:
    redis = client.redis
    seconds, _ = await redis.time()
    long_ago = (seconds - (EVENT_DAYS + 1) * 86400) * 1000
    for entry in range(300):  # trimming goes by whole nodes of about a hundred entries
        await redis.xadd(STREAM, {"job": "old"}, id=f"{long_ago + entry}-0")
    await redis.xgroup_create(STREAM, "readers", id="0")
    await redis.xreadgroup("readers", "one", {STREAM: ">"}, count=1)
    await remove_expired(redis, client.store)
    assert await redis.xlen(STREAM) == 300

    await redis.xack(STREAM, "readers", f"{long_ago}-0")
    await redis.xgroup_setid(STREAM, "readers", "$")
    await redis.xadd(STREAM, {"job": "new"})
    await remove_expired(redis, client.store)
    left = await redis.xrange(STREAM)
    assert len(left) < 300
    assert left[-1][1] == {b"job": b"new"}


async def test_users_behind_the_clock_are_forgotten(client: JobClient) -> None:
    await client.redis.set(CLOCK, "10.000")
    await client.redis.hset(FINISH, mapping={"g:was here": "10.000", "g:is ahead": "10.001"})  # type: ignore[misc]
    await client.redis.hset(SPREAD, mapping={"has no jobs": "3", "has one": "1"})  # type: ignore[misc]
    await Jobs(client.redis).create(a_job(guild="has one"))
    await remove_expired(client.redis, client.store)
    assert await client.redis.hkeys(FINISH) == [b"g:is ahead"]  # type: ignore[misc]
    assert await client.redis.hkeys(SPREAD) == [b"has one"]  # type: ignore[misc]


async def test_fresh_blobs_stay_even_before_their_job_is_created(client: JobClient) -> None:
    job = a_job()
    await client.store.put(f"jobs/{job.id}/picture-0.png", b"a picture")
    await remove_expired(client.redis, client.store)
    await Jobs(client.redis).create(job)
    assert await client.store.get(f"jobs/{job.id}/picture-0.png") == b"a picture"


async def test_what_belongs_to_no_job_is_left_alone(client: JobClient, pool: WorkerPool) -> None:
    """Also where somebody keeps applications beside it."""
    keys = {"uploads/1/a.png", "other.png", "jobs/loose.png", "jobs/cafe/cv.pdf", "jobs/a bank/cv.pdf"}
    old = new_id()
    gone = {f"jobs/{old}/a.png", f"jobs/{old}/deep/b.png", "jobs/1376543210987654321/final.png"}
    for key in keys | gone:
        await client.store.put(key, b"x")
        os.utime(pool.folder / "store" / key, (1, 1))
    await known_and_forgotten(client, old, "1376543210987654321")
    await remove_expired(client.redis, client.store)
    left = {blob.key for blob in await client.store.blobs("")}
    assert keys <= left
    assert not gone & left


async def known_and_forgotten(client: JobClient, *jobs: str) -> None:
    """As when they have expired."""
    for job in jobs:
        await client.redis.hset(job_key(job), "state", "done")  # type: ignore[misc]
    await remove_expired(client.redis, client.store)
    await client.redis.delete(*map(job_key, jobs))


async def test_what_workers_that_were_killed_had_half_written_goes_with_the_rest(
    client: JobClient, pool: WorkerPool
) -> None:
    job = new_id()
    await client.store.put(f"jobs/{job}/final.png", b"x")
    (pool.folder / "store" / "jobs" / job / "film.mp4#1").write_bytes(b"half")
    os.utime(pool.folder / "store" / "jobs" / job / "final.png", (1, 1))
    await known_and_forgotten(client, job)
    await remove_expired(client.redis, client.store)
    assert list((pool.folder / "store" / "jobs").glob(f"{job}/*")) == []


@pytest.mark.parametrize("key", ["jobs/{}/picture-0.png", "styles/7/{}.png"])
async def test_what_was_killed_at_its_first_picture_goes_once_it_is_old(
    client: JobClient, pool: WorkerPool, key: str
) -> None:
    """A store lists nothing of it."""
    key = key.format(new_id())
    begun = pool.folder / "store" / f"{key}#1"
    await note(client.redis, client.store, key)
    begun.parent.mkdir(parents=True, exist_ok=True)
    begun.write_bytes(b"half")
    await remove_expired(client.redis, client.store)
    assert begun.exists()  # its writer may be alive
    os.utime(begun, (1, 1))
    await remove_expired(client.redis, client.store)
    assert not begun.exists()
    assert owner_of(key) not in await noted(client.redis, client.store)


async def test_copies_for_a_child_stay_before_it_is_created(client: JobClient, pool: WorkerPool) -> None:
    old = new_id()
    parent, child = f"jobs/{old}", f"jobs/{new_id()}"
    await client.store.put(f"{parent}/picture-0.png", b"a picture")
    os.utime(pool.folder / "store" / parent / "picture-0.png", (1, 1))
    await known_and_forgotten(client, old)
    await client.store.copy(f"{parent}/picture-0.png", f"{child}/picture-0.png")
    await remove_expired(client.redis, client.store)
    assert [blob.key for blob in await client.store.blobs(child)] == [f"{child}/picture-0.png"]
    assert await client.store.blobs(parent) == []


async def test_nothing_is_left_of_users_whose_jobs_have_expired(client: JobClient) -> None:
    jobs = Jobs(client.redis)
    gone, ended, still_open = a_job("ann"), a_job("bob"), a_job("bob")
    for job in (gone, ended, still_open):
        await jobs.create(job)
    for job in (gone, ended):
        await jobs.cancel(job.id)
    await client.redis.delete(job_key(gone.id))  # as Redis does when it has expired
    await remove_expired(client.redis, client.store)
    assert await client.redis.exists(index_key("ann")) == 0
    assert await client.redis.zcard(index_key("bob")) == 2
    assert await client.redis.hmget(USERS, ["ann", "bob"]) == [None, b"1"]  # type: ignore[misc]
    await jobs.cancel(still_open.id)
    await client.redis.delete(job_key(ended.id), job_key(still_open.id))
    await remove_expired(client.redis, client.store)
    assert await client.redis.exists(index_key("bob")) == 0
    assert await client.redis.hget(USERS, "bob") is None  # type: ignore[misc]


async def test_of_all_that_ask_one_sweeps_an_hour_and_soon_another_where_it_came_to_no_end(redis: ArqRedis) -> None:
    assert [await takes_sweep(redis) for _ in range(3)] == [True, False, False]
    assert 0 < await redis.ttl("impasto:swept") <= 300
    await swept(redis)
    assert not await takes_sweep(redis)
    assert 3500 < await redis.ttl("impasto:swept") <= 3600


async def test_what_a_painting_goes_on_from_stays_for_as_long_as_that_is_known(
    client: JobClient, pool: WorkerPool
) -> None:
    """`impasto paint --resume` leaves the pictures and the checkpoint in the folder of the first painting."""
    first, forgotten = new_id(), new_id()
    kept = {f"jobs/{first}/picture-0.png", f"jobs/{first}/checkpoint-00010-1.safetensors"}
    for key in (*kept, f"jobs/{forgotten}/picture-0.png"):
        await client.store.put(key, b"x")
        os.utime(pool.folder / "store" / key, (1, 1))
    job = a_job()
    named = job.content.model_copy(update={"key": f"jobs/{first}/picture-0.png"})
    typed = job.styles[0].model_copy(update={"name": f'"key":"jobs/{forgotten}/a'})
    again = job.model_copy(update={"content": named, "styles": (typed,)})
    await Jobs(client.redis).create(again)
    await known_and_forgotten(client, first, forgotten)
    assert not kept & {blob.key for blob in (await remove_expired(client.redis, client.store)).left}
    assert {blob.key for blob in await client.store.blobs(f"jobs/{first}")} == kept
    assert await client.store.blobs(f"jobs/{forgotten}") == []
    await client.redis.delete(job_key(again.id))
    await remove_expired(client.redis, client.store)
    assert await client.store.blobs(f"jobs/{first}") == []


async def test_all_that_an_open_painting_came_from_stays_until_it_ends(client: JobClient, pool: WorkerPool) -> None:
    """The journal in its copy of a checkpoint names the frames of its film, in the folders of those before it."""
    first, other, oldest = (a_job() for _ in range(3))
    middle = child_of(first)
    last, again = child_of(middle), a_job().model_copy(update={"parent": other.id})
    jobs = Jobs(client.redis)
    # Of versions that noted the last before it alone: as far as Redis knows what those came from.
    earlier = child_of(oldest).model_copy(update={"came_from": ()})
    newer = child_of(earlier).model_copy(update={"came_from": ()})
    for job in (first, other, oldest, middle, earlier, last, again, newer):
        await jobs.create(job)
    for job in (first, other, oldest, middle, earlier):
        await client.store.put(f"jobs/{job.id}/frame-00001.jpg", b"x")
        os.utime(pool.folder / "store" / f"jobs/{job.id}/frame-00001.jpg", (1, 1))
        await jobs.cancel(job.id)
        await client.redis.expire(job_key(job.id), 1000)
    await remove_expired(client.redis, client.store)
    assert await client.redis.ttl(job_key(middle.id)) <= 1000  # its day, as the card says, stays what it was
    await client.redis.delete(*(job_key(job.id) for job in (first, other, middle, oldest)))
    await remove_expired(client.redis, client.store)
    for job in (first, middle, oldest):
        assert len(await client.store.blobs(f"jobs/{job.id}")) == 1
    assert await client.store.blobs(f"jobs/{other.id}") == []  # of it there are copies
    for job in (last, newer):
        await jobs.cancel(job.id)
    await remove_expired(client.redis, client.store)
    for job in (first, middle, oldest):
        assert await client.store.blobs(f"jobs/{job.id}") == []


@pytest.mark.parametrize("lost_at", ["the list of jobs", "the list of styles", "the question what is needed"])
async def test_a_redis_that_loses_its_data_during_a_sweep_takes_nothing_with_it(
    client: JobClient, pool: WorkerPool, monkeypatch: pytest.MonkeyPatch, lost_at: str
) -> None:
    job = a_job()
    await Jobs(client.redis).create(job)
    key = f"jobs/{job.id}/picture-0.png"
    await client.store.put(key, b"x")
    await remove_expired(client.redis, client.store)
    signed = await client.store.blobs("used-by/")
    assert signed
    for one in (key, *(blob.key for blob in signed)):  # so long ago that it may delete what nobody knows
        os.utime(pool.folder / "store" / one, (1, 1))
    blobs = client.store.blobs

    async def lost(prefix: str) -> Sequence[Blob]:
        found = await blobs(prefix)
        if prefix == {"the list of jobs": "jobs/", "the list of styles": "styles/"}.get(lost_at):
            await client.redis.flushdb()
        return found

    async def lost_then(redis: ArqRedis) -> set[str]:
        await redis.flushdb()
        return await needed(redis)

    with monkeypatch.context() as patch:
        patch.setattr(client.store, "blobs", lost)
        if lost_at == "the question what is needed":
            patch.setattr("engine.contract.expiry.needed", lost_then)
            await client.redis.delete(job_key(job.id))  # else nothing is asked
        assert (await remove_expired(client.redis, client.store)).blobs == []
    assert await client.store.get(key) == b"x"


async def test_an_empty_folder_does_not_stay_where_a_painting_was(client: JobClient, pool: WorkerPool) -> None:
    store = pool.folder / "store" / "jobs"
    ours, just_made, of_others = store / new_id(), store / new_id(), store / "a tavern"
    for folder in (ours, just_made, of_others):
        folder.mkdir(parents=True)
    for folder in (ours, of_others):
        os.utime(folder, (1, 1))
    await remove_expired(client.redis, client.store)
    assert [folder.exists() for folder in (ours, just_made, of_others)] == [False, True, True]
