"""A Redis that is empty, older than the store, or another bot's, deletes nothing that only the right one knows."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from arq.connections import ArqRedis
from structlog.testing import capture_logs
from support.jobs import a_job

from engine.contract import expiry
from engine.contract.connection import connect
from engine.contract.expiry import UNKNOWN_AFTER, kept_unknown, nothing_known, remove_expired
from engine.contract.jobs import Jobs
from engine.contract.models import StoredPicture, job_key, new_id
from engine.contract.saved_styles import SavedStyle, SavedStyles
from engine.contract.settings import Settings
from engine.contract.store import Store, StoreError
from engine.contract.store_users import ANOTHER_REDIS, adopt, users
from engine.contract.stored_blobs import noted
from engine.worker import main

AGES = timedelta(days=400)
LATELY = timedelta(days=2)


@dataclass
class Bot:
    """One Redis, with a store that it may share."""

    redis: ArqRedis
    store: Store
    folder: Path

    async def paints(self, age: timedelta = AGES) -> str:
        """A painting that was stored so long ago; the key of its picture."""
        job = a_job()
        await Jobs(self.redis).create(job)
        return await self.stores(f"jobs/{job.id}/final.png", age)

    async def stores(self, key: str, age: timedelta = AGES) -> str:
        await self.store.put(key, b"x")
        grow_old(self.folder / key, age)
        return key

    async def forgets(self, key: str) -> None:
        await self.redis.delete(job_key(key.split("/")[1]))

    async def sweeps(self) -> list[str]:
        """What is left in the store then."""
        self.found = await remove_expired(self.redis, self.store)
        blobs = [*await self.store.blobs("jobs/"), *await self.store.blobs("styles/")]
        return sorted(blob.key for blob in blobs)

    def signed_long_ago(self) -> None:
        (signature,) = (self.folder / "used-by").iterdir()
        grow_old(signature, AGES)


def grow_old(path: Path, age: timedelta) -> None:
    then = time.time() - age.total_seconds()
    os.utime(path, (then, then))


@pytest.fixture
async def bots(redis: ArqRedis, empty_redis_url: str, tmp_path: Path) -> AsyncIterator[tuple[Bot, Bot]]:
    """Two databases, one store."""
    folder = tmp_path / "store"
    async with connect(empty_redis_url) as other:
        yield Bot(redis, Store(folder.as_uri()), folder), Bot(other, Store(folder.as_uri()), folder)


async def test_an_empty_redis_deletes_nothing_and_leaves_no_trace(bots: tuple[Bot, Bot]) -> None:
    right, empty = bots
    kept = sorted([await right.paints(), await save_style(right)])
    assert await empty.sweeps() == kept
    assert await empty.sweeps() == kept
    assert empty.found.trouble == nothing_known()
    await right.sweeps()
    assert await empty.sweeps() == kept
    assert empty.found.trouble == ANOTHER_REDIS
    assert await right.sweeps() == kept
    assert (right.found.left, right.found.trouble) == ([], "")


async def save_style(bot: Bot) -> str:
    key = await bot.stores("styles/7/a.png")
    picture = StoredPicture(key=key, name="a.png", width=8, height=8)
    style = SavedStyle(name="a", picture=picture, digest="0" * 12, owner="1")
    await SavedStyles(bot.redis, bot.store).save(7, style, 9, 9)
    return key


async def test_two_bots_with_one_store_each_delete_their_own_alone(bots: tuple[Bot, Bot]) -> None:
    for bot in bots:
        await bot.paints(LATELY)
        await bot.sweeps()
    for signature in (bots[0].folder / "used-by").iterdir():
        grow_old(signature, AGES)
    first, second = [await bot.paints() for bot in bots]
    orphan = await bots[0].stores(f"jobs/{new_id()}/picture-0.png")
    for bot in bots:
        left = await bot.sweeps()
        assert {first, second, orphan} <= set(left)
        assert bot.found.trouble == ANOTHER_REDIS
    await bots[0].forgets(first)
    left = await bots[0].sweeps()
    assert first not in left
    assert {second, orphan} <= set(left)


async def test_a_wrong_store_takes_nothing_from_what_is_known_of_the_right_one(
    bots: tuple[Bot, Bot], tmp_path: Path
) -> None:
    """As where the folder is not mounted for an hour, or one command has another `STORE_URL`."""
    bot, _ = bots
    expiring, style = await bot.paints(), await save_style(bot)
    await bot.sweeps()
    for wrong in ("another", "not mounted"):
        store = Store((tmp_path / wrong).as_uri())
        if wrong == "another":
            await store.identity()
        assert (await remove_expired(bot.redis, store)).blobs == []
    await bot.forgets(expiring)
    await bot.redis.delete("impasto:styles:7")
    assert {expiring, style} == {blob.key for blob in (await remove_expired(bot.redis, bot.store)).blobs}


async def test_where_jobs_are_kept_for_longer_so_is_what_redis_never_knew(bots: tuple[Bot, Bot]) -> None:
    bot, _ = bots
    assert kept_unknown(3) == UNKNOWN_AFTER
    kept = await bot.paints()
    await bot.sweeps()
    bot.signed_long_ago()
    unknown = [await bot.stores(f"jobs/{new_id()}/a.png", timedelta(days=days)) for days in (95, 98)]
    found = await remove_expired(bot.redis, bot.store, unknown_after=kept_unknown(90))
    assert [blob.key for blob in found.blobs] == unknown[1:]
    assert await bot.sweeps() == [kept]


async def test_a_restored_redis_leaves_what_it_does_not_know_for_as_long_as_it_would_be_kept(
    bots: tuple[Bot, Bot],
) -> None:
    """It was copied before the last paintings were made."""
    bot, _ = bots
    kept = await bot.paints()
    await bot.sweeps()
    bot.signed_long_ago()
    after = [await bot.paints(age) for age in (LATELY, UNKNOWN_AFTER - LATELY, UNKNOWN_AFTER + LATELY)]
    for key in after:
        await bot.forgets(key)  # before any sweep has seen them
    assert await bot.sweeps() == sorted([kept, *after[:2]])
    assert sorted(blob.key for blob in bot.found.left) == sorted(after[:2])
    assert bot.found.trouble == ""


async def test_after_an_update_what_redis_knows_goes_when_it_expires_and_the_rest_in_time(
    bots: tuple[Bot, Bot],
) -> None:
    """Nobody has signed yet, nor noted any painting."""
    bot, _ = bots
    kept, expiring = await bot.paints(), await bot.paints()
    orphan = await bot.stores(f"jobs/{new_id()}/picture-0.png")
    style = await bot.stores("styles/7/unsaved.png")
    assert await bot.sweeps() == sorted([kept, expiring, orphan, style])
    await bot.forgets(expiring)
    assert await bot.sweeps() == sorted([kept, orphan, style])
    bot.signed_long_ago()
    assert await bot.sweeps() == sorted([kept, style])  # a style has no end, so that any back-up may know it
    assert await noted(bot.redis, bot.store) == {kept.rpartition("/")[0]}


async def test_where_the_other_redis_was_lost_an_operator_says_so_and_the_rest_goes_in_time(
    bots: tuple[Bot, Bot],
) -> None:
    lost, new = bots
    await lost.paints()
    await lost.sweeps()
    kept = await new.paints()
    await new.sweeps()
    for signature in (new.folder / "used-by").iterdir():
        grow_old(signature, AGES)
    await adopt(new.redis, new.store)
    assert len(await new.sweeps()) == 2
    assert new.found.trouble == ""
    new.signed_long_ago()
    assert await new.sweeps() == [kept]


async def test_an_adopted_store_whose_other_redis_lives_is_shared_again(bots: tuple[Bot, Bot]) -> None:
    for bot in bots:
        await bot.paints()
        await bot.sweeps()
    one, other = bots
    await adopt(one.redis, one.store)
    assert not (await users(one.redis, one.store)).others
    await other.sweeps()
    assert (await users(one.redis, one.store)).others
    assert len(await one.sweeps()) == 2


class Rounds:
    """As much of a worker's context as its sweep asks for; `third` is set when the third round begins."""

    def __init__(self, bot: Bot) -> None:
        self.redis, self._store, self.settings = bot.redis, bot.store, Settings()
        self._begun, self.third = 0, asyncio.Event()

    @property
    def store(self) -> Store:
        self._begun += 1
        if self._begun == 3:
            self.third.set()
        return self._store


async def test_a_worker_says_it_once(bots: tuple[Bot, Bot], monkeypatch: pytest.MonkeyPatch) -> None:
    for bot in bots:
        await bot.paints()
        await bot.sweeps()
    rounds = Rounds(bots[0])
    monkeypatch.setattr(main, "_SWEEP_ASKED", 0.05)
    monkeypatch.setattr(expiry, "_SWEEP_SECONDS", 1)
    with capture_logs() as log:
        sweeping = asyncio.create_task(main._sweep(rounds))  # type: ignore[arg-type]
        await rounds.third.wait()
        sweeping.cancel()
        await asyncio.wait([sweeping])
    assert [entry["event"] for entry in log] == [ANOTHER_REDIS]


async def test_a_worker_whose_store_is_broken_leaves_the_round_to_others_after_some_minutes(
    bots: tuple[Bot, Bot], monkeypatch: pytest.MonkeyPatch
) -> None:
    bot, _ = bots
    bot.folder.rmdir()
    bot.folder.touch()
    monkeypatch.setattr(main, "_SWEEP_ASKED", 0.01)
    with pytest.raises(StoreError):
        await main._sweep(Rounds(bot))  # type: ignore[arg-type]
    assert 0 < await bot.redis.ttl("impasto:swept") <= 300


async def test_a_job_that_cannot_be_read_does_not_end_the_sweep(bots: tuple[Bot, Bot]) -> None:
    bot, _ = bots
    gone, rotten = await bot.paints(), new_id()
    await bot.sweeps()
    for key, value in {"state": "done", "spec": "of a newer version", "last": "{}"}.items():
        await bot.redis.hset(job_key(rotten), key, value)  # type: ignore[misc]
    checkpoints = [await bot.stores(f"jobs/{rotten}/checkpoint-0000{n}.safetensors") for n in (1, 2)]
    await bot.forgets(gone)
    assert await bot.sweeps() == checkpoints
