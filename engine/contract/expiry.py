"""Removes what has expired: old events, and what is left of jobs that Redis no longer knows: index entries, blobs.

A Redis that has lost its data knows no job, and one that is not the store's never knew any of them. So only what Redis
has known goes once it is forgotten. What it never knew goes later, and only where no other Redis uses the store.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from arq.connections import ArqRedis

from engine.contract.cleanup import useless
from engine.contract.events import STREAM
from engine.contract.fair_queue import CLOCK, FINISH, SPREAD
from engine.contract.jobs import Jobs
from engine.contract.models import KEEP_DAYS, flows_key, index_key, job_key
from engine.contract.needed_jobs import needed
from engine.contract.saved_styles import FOLDER, SavedStyles
from engine.contract.store import Blob, Store
from engine.contract.store_users import ANOTHER_REDIS, sign, users
from engine.contract.stored_blobs import note, noted, owner_of, strike

EVENT_DAYS = 7
ORPHANS_AFTER = timedelta(days=1)
"""Pictures are stored before their job is created."""
_SWEPT, _TURN_SECONDS, _SWEEP_SECONDS = "impasto:swept", 300, 3600
_ID = re.compile("[0-9a-f]{16,20}")
_OURS = re.compile(rf"jobs/{_ID.pattern}/.+")
"""What a job's blobs are called, by its id; a folder that is the store may hold a folder `jobs` of somebody else's."""


def kept_unknown(keep_days: int) -> timedelta:
    """How long what Redis never knew is kept, where jobs are kept for so many days.

    It may stand in a back-up that is yet to be restored, or be known to another Redis.
    """
    return timedelta(days=max(KEEP_DAYS, keep_days) + 7)


UNKNOWN_AFTER = kept_unknown(KEEP_DAYS)


def nothing_known(after: timedelta = UNKNOWN_AFTER) -> str:
    """What is wrong where Redis knows none of many paintings, which go when they are of this age."""
    return (
        "Redis knows none of the paintings in this store, so they are not deleted yet: correct REDIS_URL if it is "
        "wrong, and restore Redis' back-up if it was lost; "
        f"else they go {after.days} days after the first new painting."
    )


class Expired(NamedTuple):
    """What a round deletes, what it leaves because Redis never knew it, and what is wrong, a sentence, if anything."""

    blobs: list[Blob]
    left: list[Blob]
    trouble: str


async def remove_expired(
    redis: ArqRedis, store: Store, orphans_after: timedelta = ORPHANS_AFTER, unknown_after: timedelta = UNKNOWN_AFTER
) -> Expired:
    """One round; harmless beside other workers' rounds. Raises `StoreError`."""
    await _sweep_events(redis)
    await remove_idle_users(redis)
    await _sweep_indices(redis)
    stored = await _look(redis, store)
    expired = await _expired(redis, store, stored, orphans_after, unknown_after)
    # What the store has no more of needs no note, unless it was begun and is no blob yet.
    without_blobs = stored.before - {owner_of(blob.key) for blob in stored.blobs}
    await strike(redis, store, *[one for one in without_blobs if await _nothing_begun(store, one, orphans_after)])
    await note(redis, store, *(stored.known - stored.before))
    await store.delete(*(blob.key for blob in expired.blobs))
    for job in {owner_of(blob.key) for blob in expired.blobs if _OURS.fullmatch(blob.key)}:
        await store.delete_unfinished(f"{job}/")
    await store.delete_empty_folders("jobs", _ID, orphans_after)
    if stored.known:
        await sign(redis, store)  # last, for a store may be too full for it
    return expired


async def _nothing_begun(store: Store, owner: str, after: timedelta) -> bool:
    """Whether nothing is left that a writer has begun of this owner's; what a killed one did goes once it is old."""
    return await store.delete_unfinished(owner if owner.startswith(FOLDER) else f"{owner}/", after)


async def takes_sweep(redis: ArqRedis) -> bool:
    """Whether the next round is for this caller to make: of all that ask there is one an hour.

    Who does not say by `swept` that it was made to its end, is followed by another in some minutes.
    """
    return bool(await redis.set(_SWEPT, 1, nx=True, ex=_TURN_SECONDS))


async def swept(redis: ArqRedis) -> None:
    """Say that a round was made to its end: the next one is due in an hour."""
    await redis.set(_SWEPT, 1, ex=_SWEEP_SECONDS)


async def find_expired(redis: ArqRedis, store: Store, unknown_after: timedelta = UNKNOWN_AFTER) -> Expired:
    """What a round would delete now; changes nothing. Raises `StoreError`."""
    return await _expired(redis, store, await _look(redis, store), ORPHANS_AFTER, unknown_after)


async def _sweep_events(redis: ArqRedis) -> None:
    """Trim by id, never by length: what a reader has taken but not yet acknowledged must stay."""
    seconds, _ = await redis.time()
    oldest = (seconds - EVENT_DAYS * 86400) * 1000
    groups: Any = await redis.xinfo_groups(STREAM) if await redis.exists(STREAM) else []
    for group in groups:
        pending: Any = await redis.xpending(STREAM, group["name"])
        first = pending["min"] or group["last-delivered-id"]
        oldest = min(oldest, int(first.split(b"-")[0]))
    await redis.xtrim(STREAM, minid=f"{oldest}-0", approximate=True)


async def remove_idle_users(redis: ArqRedis) -> None:
    """Forget the users whose last turn lies behind the virtual clock, and guilds without jobs: as if they were new."""
    clock = float(await redis.get(CLOCK) or 0)
    finished: Any = await redis.hgetall(FINISH)  # type: ignore[misc]
    behind = [flow for flow, finish in finished.items() if float(finish) <= clock]
    if behind:
        await redis.hdel(FINISH, *behind)  # type: ignore[misc]
    guilds: Any = await redis.hkeys(SPREAD)  # type: ignore[misc]
    empty = [guild for guild in guilds if not await redis.exists(flows_key(guild.decode()))]
    if empty:
        await redis.hdel(SPREAD, *empty)  # type: ignore[misc]


async def _sweep_indices(redis: ArqRedis) -> None:
    """Drop expired jobs from every user's list, also where the user never looks at it."""
    jobs = Jobs(redis)
    async for key in redis.scan_iter(index_key("*"), count=500):
        await jobs.of_user(key.decode().removeprefix(index_key("")))


class _Stored(NamedTuple):
    """All blobs of jobs and of saved styles; whose of them Redis knows now, and whose it knew before.

    `spared` are the pictures of styles of which nobody can tell whether Redis knows them.
    """

    blobs: list[Blob]
    known: set[str]
    spared: set[str]
    before: set[str]


async def _look(redis: ArqRedis, store: Store) -> _Stored:
    # Before the store is listed: what another round adds meanwhile is not to be taken for what the store has no more.
    before = await noted(redis, store)
    of_jobs = [blob for blob in await store.blobs("jobs/") if _OURS.fullmatch(blob.key)]
    styles = SavedStyles(redis, store)
    of_styles = await styles.pictures()
    used, spared = await styles.used(of_styles)
    known = await _known_jobs(redis, {owner_of(blob.key) for blob in of_jobs}) | used
    return _Stored(of_jobs + of_styles, known, spared, before)


async def _known_jobs(redis: ArqRedis, folders: set[str]) -> set[str]:
    asked = sorted(folders)
    async with redis.pipeline(transaction=False) as pipe:
        for folder in asked:
            pipe.exists(job_key(folder.removeprefix("jobs/")))
        return {folder for folder, there in zip(asked, await pipe.execute(), strict=True) if there}


async def _expired(
    redis: ArqRedis, store: Store, stored: _Stored, orphans_after: timedelta, unknown_after: timedelta
) -> Expired:
    now = datetime.now(UTC)
    old = [blob for blob in stored.blobs if blob.modified < now - orphans_after]
    unknown = [blob for blob in old if owner_of(blob.key) not in stored.known | stored.spared]
    spared = {f"jobs/{job}" for job in await needed(redis)} if unknown else set()
    # Only now: a Redis that lost its data between the questions has lost both too, and its answers say nothing.
    forgotten = stored.before & await noted(redis, store)
    since, others = await users(redis, store)
    gone: list[Blob] = []
    left: list[Blob] = []
    for blob in unknown:
        owner = owner_of(blob.key)
        if owner in spared:
            continue
        # Saved styles have no end of their own, so that a back-up of any age may know them.
        ends = _OURS.fullmatch(blob.key) is not None
        nobodys = ends and since is not None and not others and max(since, blob.modified) < now - unknown_after
        (gone if nobodys or owner in forgotten else left).append(blob)
    # One that has ended has one checkpoint of its own, unless its worker died before it could tidy up.
    checkpoints = Counter(owner_of(blob.key) for blob in old if "/checkpoint-" in blob.key)
    for job in sorted({job for job, count in checkpoints.items() if count > 1} & stored.known):
        gone += await _useless(redis, store, job)
    strange = left and since is None and not stored.known
    return Expired(gone, left, ANOTHER_REDIS if others else nothing_known(unknown_after) if strange else "")


async def _useless(redis: ArqRedis, store: Store, job: str) -> list[Blob]:
    try:
        return await useless(Jobs(redis), store, job.removeprefix("jobs/"))
    except ValueError:  # of a newer version, or damaged: not to be judged here
        return []
