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
from engine.contract.saved_styles import SavedStyles
from engine.contract.store import Blob, Store
from engine.contract.store_users import ANOTHER_REDIS, sign, users

EVENT_DAYS = 7
ORPHANS_AFTER = timedelta(days=1)
"""Pictures are stored before their job is created."""
UNKNOWN_AFTER = timedelta(days=KEEP_DAYS + 7)
"""What Redis never knew may stand in a back-up that is yet to be restored, or be known to another Redis."""
_KNOWN = "impasto:stored"
"""Set of what Redis knew at any sweep and the store has something of: `jobs/<id>`, and saved styles' pictures."""
_SWEPT, _SWEEP_SECONDS = "impasto:swept", 3600
_OURS = re.compile(r"jobs/[0-9a-f]{16,20}/.+")
"""What a job's blobs are called, by its id; a folder that is the store may hold a folder `jobs` of somebody else's."""


NOTHING_KNOWN = (
    "Redis knows none of the paintings in this store, so they are not deleted yet: correct REDIS_URL if it is wrong, "
    f"and restore Redis' back-up if it was lost; else they go {UNKNOWN_AFTER.days} days after the first new painting."
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
    await _remember(redis, stored)
    await store.delete(*(blob.key for blob in expired.blobs))
    for job in {_owner(blob) for blob in expired.blobs if _OURS.fullmatch(blob.key)}:
        await store.delete_unfinished(job)
    if stored.known:
        await sign(redis, store)  # last, for a store may be too full for it
    return expired


async def takes_sweep(redis: ArqRedis) -> bool:
    """Whether the next round is for this caller to make: of all that ask there is one an hour."""
    return bool(await redis.set(_SWEPT, 1, nx=True, ex=_SWEEP_SECONDS))


async def find_expired(redis: ArqRedis, store: Store) -> Expired:
    """What a round would delete now; changes nothing. Raises `StoreError`."""
    return await _expired(redis, store, await _look(redis, store), ORPHANS_AFTER, UNKNOWN_AFTER)


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
    """All blobs of jobs and of saved styles; whose of them Redis knows now, and whose it knew at earlier rounds."""

    blobs: list[Blob]
    known: set[str]
    before: set[str]


async def _look(redis: ArqRedis, store: Store) -> _Stored:
    # Before the store is listed: what another round adds meanwhile is not to be taken for what the store has no more.
    before: Any = await redis.smembers(_KNOWN)  # type: ignore[misc]
    of_jobs = [blob for blob in await store.blobs("jobs/") if _OURS.fullmatch(blob.key)]
    styles = SavedStyles(redis, store)
    of_styles = await styles.pictures()
    known = await _known_jobs(redis, {_owner(blob) for blob in of_jobs}) | await styles.used(of_styles)
    return _Stored(of_jobs + of_styles, known, {member.decode(errors="replace") for member in before})


async def _known_jobs(redis: ArqRedis, folders: set[str]) -> set[str]:
    asked = sorted(folders)
    async with redis.pipeline(transaction=False) as pipe:
        for folder in asked:
            pipe.exists(job_key(folder.removeprefix("jobs/")))
        return {folder for folder, there in zip(asked, await pipe.execute(), strict=True) if there}


async def _expired(
    redis: ArqRedis, store: Store, stored: _Stored, orphans_after: timedelta, unknown_after: timedelta
) -> Expired:
    since, others = await users(redis, store)
    now = datetime.now(UTC)
    old = [blob for blob in stored.blobs if blob.modified < now - orphans_after]
    gone: list[Blob] = []
    left: list[Blob] = []
    for blob in old:
        if _owner(blob) in stored.known:
            continue
        # Saved styles have no end of their own, so that a back-up of any age may know them.
        ends = _OURS.fullmatch(blob.key) is not None
        nobodys = ends and since is not None and not others and max(since, blob.modified) < now - unknown_after
        (gone if nobodys or _owner(blob) in stored.before else left).append(blob)
    # One that has ended has one checkpoint of its own, unless its worker died before it could tidy up.
    checkpoints = Counter(_owner(blob) for blob in old if "/checkpoint-" in blob.key)
    for job in sorted({job for job, count in checkpoints.items() if count > 1} & stored.known):
        gone += await _useless(redis, store, job)
    strange = left and since is None and not stored.known
    return Expired(gone, left, ANOTHER_REDIS if others else NOTHING_KNOWN if strange else "")


async def _useless(redis: ArqRedis, store: Store, job: str) -> list[Blob]:
    try:
        return await useless(Jobs(redis), store, job.removeprefix("jobs/"))
    except ValueError:  # of a newer version, or damaged: not to be judged here
        return []


async def _remember(redis: ArqRedis, stored: _Stored) -> None:
    """Note whose blobs Redis knows; what the store has no more of needs no note."""
    there = {_owner(blob) for blob in stored.blobs}
    async with redis.pipeline(transaction=False) as pipe:
        if new := stored.known - stored.before:
            pipe.sadd(_KNOWN, *new)
        if deleted := stored.before - there:
            pipe.srem(_KNOWN, *deleted)
        await pipe.execute()


def _owner(blob: Blob) -> str:
    """What the blob belongs to: its job's folder, or for a saved style's picture its own key."""
    return "/".join(blob.key.split("/")[:2]) if _OURS.fullmatch(blob.key) else blob.key
