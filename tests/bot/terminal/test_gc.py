"""`impasto gc`: what has expired goes when an operator says so, and is named before."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from arq.connections import ArqRedis
from impasto_command import run
from support.jobs import a_job, child_of

from bot.intake import Picture
from bot.terminal.paint_arguments import PaintArguments
from bot.terminal.paint_job import submit
from bot.terminal.up import alone
from engine.contract import early_expiry
from engine.contract.connection import connect
from engine.contract.expiry import nothing_known, remove_expired
from engine.contract.jobs import Jobs
from engine.contract.models import POSTED, job_key, new_id
from engine.contract.store import Store
from engine.contract.store_users import ANOTHER_REDIS
from engine.process.local_redis import embedded_redis
from engine.recipe.presets import preset


@pytest.mark.long
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
    await redis.hset(job_key(expired), "state", "done")  # type: ignore[misc]
    await remove_expired(redis, store)
    await redis.delete(job_key(expired))
    settings = {"REDIS_URL": redis_server, "STORE_URL": (tmp_path / "store").as_uri()}
    for words in (["gc", "--dry-run"], ["gc", "--dry-run"]):  # it changes nothing
        done = run(tmp_path, *words, **settings)
        assert done.stdout.splitlines()[-1] == "2 files of 1 paintings, 1.0 MB, would be deleted."
        assert sorted(done.stdout.splitlines()[:-1]) == gone
    done = run(tmp_path, "gc", **settings)
    assert (done.returncode, done.stdout) == (0, "2 files of 1 paintings, 1.0 MB, were deleted.\n")
    assert sorted(blob.key for blob in await store.blobs("jobs/")) == sorted(kept)


@pytest.mark.long
async def test_what_an_ended_painting_has_left_is_named_too(redis: ArqRedis, redis_server: str, tmp_path: Path) -> None:
    """Its worker died before it could tidy up."""
    store, job = Store((tmp_path / "store").as_uri()), a_job()
    await Jobs(redis).create(job)
    await Jobs(redis).cancel(job.id)
    left = [f"jobs/{job.id}/checkpoint-000{n}0-1.safetensors" for n in (1, 2)] + [f"jobs/{job.id}/frame-00001.png"]
    for key in (*left, f"jobs/{job.id}/picture-0.png"):
        await store.put(key, b"x")
        os.utime(tmp_path / "store" / key, (1, 1))
    settings = {"REDIS_URL": redis_server, "STORE_URL": (tmp_path / "store").as_uri()}
    done = run(tmp_path, "gc", "--dry-run", **settings)
    *named, summary = done.stdout.splitlines()
    before = {blob.key for blob in await store.blobs("jobs/")}
    done = run(tmp_path, "gc", **settings)
    assert sorted(named) == sorted(before - {blob.key for blob in await store.blobs("jobs/")}) == left[:2]
    assert summary == "2 files of 1 paintings, 0.0 MB, would be deleted."
    assert done.stdout == "2 files of 1 paintings, 0.0 MB, were deleted.\n"


@pytest.mark.long
async def test_with_a_wrong_redis_nothing_is_deleted_and_why_is_said(
    redis: ArqRedis, redis_server: str, empty_redis_url: str, tmp_path: Path
) -> None:
    store, job = Store((tmp_path / "store").as_uri()), a_job()
    await Jobs(redis).create(job)
    key = f"jobs/{job.id}/final.png"
    await store.put(key, b"x")
    os.utime(tmp_path / "store" / key, (1, 1))
    wrong = {"REDIS_URL": empty_redis_url, "STORE_URL": (tmp_path / "store").as_uri()}
    deleted, left = "0 files of 0 paintings, 0.0 MB, {} deleted.", "1 files of 1 paintings, 0.0 MB, are left, for "
    done = run(tmp_path, "gc", **wrong)
    assert done.stdout.splitlines() == [deleted.format("were"), f"{left}Redis never knew them. {nothing_known()}"]
    run(tmp_path, "gc", **wrong | {"REDIS_URL": redis_server})
    done = run(tmp_path, "gc", "--dry-run", **wrong)
    assert done.stdout.splitlines() == [deleted.format("would be"), f"{left}Redis never knew them. {ANOTHER_REDIS}"]
    assert await store.get(key) == b"x"
    async with connect(wrong["REDIS_URL"]) as other:
        assert await other.dbsize() == 0
        done = run(tmp_path, "gc", "--adopt", **wrong)
        assert done.stdout.splitlines()[1].startswith(
            f"{left}Redis never knew them. Those of paintings go 37 days after"
        )
    assert await store.get(key) == b"x"


async def test_what_was_posted_long_ago_makes_room(redis: ArqRedis, redis_server: str, tmp_path: Path) -> None:
    """Nothing else does: neither what is open nor what it goes on from, nor what was never posted, nor styles."""
    store, jobs = Store((tmp_path / "store").as_uri()), Jobs(redis)
    old, lately, unposted, first = (a_job() for _ in range(4))
    parent = child_of(first)
    opened = child_of(parent)
    for job in (old, lately, unposted, first, parent, opened):
        await jobs.create(job)
        await store.put(f"jobs/{job.id}/picture-0.png", b"x" * 500_000)
        if job is not opened:
            await jobs.cancel(job.id)
    for job in (old, lately, first, parent, opened):
        await jobs.keep(job.id, 30)
    for job in (old, first, parent):
        await redis.hset(job_key(job.id), POSTED, str(int(time.time()) - 8 * 86400))  # type: ignore[misc]
    await store.put("styles/7/wave.png", b"x")
    os.utime(tmp_path / "store" / "styles" / "7" / "wave.png", (1, 1))
    settings = {"REDIS_URL": redis_server, "STORE_URL": (tmp_path / "store").as_uri()}
    before = [blob.key for blob in await store.blobs("")]
    done = run(tmp_path, "gc", "--dry-run", "--older-than", "7", **settings)
    named, said, left = done.stdout.splitlines()
    assert (named, said) == (f"jobs/{old.id}/picture-0.png", "1 files of 1 paintings, 0.5 MB, would be deleted.")
    assert left.startswith("1 files of 0 paintings, 0.0 MB, are left")  # the style's
    done = run(tmp_path, "gc", "--older-than", "7", **settings)
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "1 files of 1 paintings, 0.5 MB, were deleted.")
    assert await jobs.state(old.id) is None
    after = {blob.key for blob in await store.blobs("")}
    assert set(before) - after == {f"jobs/{old.id}/picture-0.png"}


async def test_what_is_gone_on_from_while_room_is_made_stays(
    redis: ArqRedis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, jobs = Store((tmp_path / "store").as_uri()), Jobs(redis)
    ended, parent = a_job(), a_job()
    for job in (ended, parent):
        await jobs.create(job)
        await jobs.cancel(job.id)
        await store.put(f"jobs/{job.id}/picture-0.png", b"x")
    delete = store.delete_folder

    async def go_on(prefix: str) -> None:
        await delete(prefix)
        await jobs.create(child_of(parent))

    monkeypatch.setattr(early_expiry, "_AT_ONCE", 1)
    monkeypatch.setattr(store, "delete_folder", go_on)
    assert await early_expiry.forget(redis, store, [ended.id, parent.id]) == [ended.id]
    assert [blob.key for blob in await store.blobs("jobs/")] == [f"jobs/{parent.id}/picture-0.png"]


@pytest.mark.long
def test_what_up_has_left_is_asked_of_a_redis_on_its_folder(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with embedded_redis(data / "redis") as url:
        old = asyncio.run(_posted(url, Store((data / "store").as_uri())))
    with alone(data):
        done = run(tmp_path, "gc", IMPASTO_DATA=str(data))
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"Impasto runs already on {data}: end it first")
    done = run(tmp_path, "gc", "--older-than", "0", "--dry-run", IMPASTO_DATA=str(data))
    assert done.stdout == f"jobs/{old}/final.png\n1 files of 1 paintings, 0.0 MB, would be deleted.\n", done.stderr


async def _posted(url: str, store: Store) -> str:
    """The id of a job that was posted just now."""
    async with connect(url) as redis:
        jobs, job = Jobs(redis), a_job()
        await jobs.create(job)
        await jobs.cancel(job.id)
        await jobs.keep(job.id, 30)
        await store.put(f"jobs/{job.id}/final.png", b"x")
        return job.id


async def test_what_a_command_that_was_killed_has_stored_goes_after_its_day(redis: ArqRedis, tmp_path: Path) -> None:
    """Before there was a job, and so before any sweep could know of one."""
    store = Store((tmp_path / "store").as_uri())
    stack: Any = SimpleNamespace(redis=redis, store=store, caps=None)
    asked = PaintArguments(Path("content.png"), [Path("style.png")], "fine", {}, "starter")
    picture = Picture(b"x", 8, 8, "a.png", 8, 8)
    job = await submit(stack, asked, preset("fine", weights="starter"), [picture, picture])
    await redis.delete(job_key(job.id))
    assert (await remove_expired(redis, store)).blobs == []
    for key in (job.content.key, job.styles[0].key):
        os.utime(tmp_path / "store" / key, (1, 1))
    assert len((await remove_expired(redis, store)).blobs) == 2
    assert await store.blobs("jobs/") == []


def test_what_changes_something_is_no_dry_run(tmp_path: Path) -> None:
    done = run(tmp_path, "gc", "--dry-run", "--adopt")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--dry-run changes nothing, and --adopt does: give one of them." in done.stderr


def test_without_a_redis_nothing_is_known(tmp_path: Path) -> None:
    done = run(tmp_path, "gc", REDIS_URL="", IMPASTO_DATA=str(tmp_path / "data"))
    assert (done.returncode, done.stdout) == (os.EX_CONFIG, "")
    assert done.stderr.startswith("REDIS_URL is not set: only Redis knows")
