"""Removes what has expired: old events, and what is left of jobs that Redis no longer knows: index entries, blobs."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from arq.connections import ArqRedis

from engine.contract.cleanup import clean_up
from engine.contract.events import STREAM
from engine.contract.fair_queue import CLOCK, FINISH, SPREAD
from engine.contract.jobs import Jobs
from engine.contract.models import flows_key, index_key, job_key
from engine.contract.saved_styles import SavedStyles
from engine.contract.store import Blob, Store

EVENT_DAYS = 7
ORPHANS_AFTER = timedelta(days=1)
"""Pictures are stored before their job is created."""
_OURS = re.compile(r"jobs/[0-9a-f]{16,20}/.+")
"""What a job's blobs are called, by its id; a folder that is the store may hold a folder `jobs` of somebody else's."""


async def remove_expired(redis: ArqRedis, store: Store, orphans_after: timedelta = ORPHANS_AFTER) -> None:
    """One round; harmless beside other workers' rounds."""
    await _sweep_events(redis)
    await remove_idle_users(redis)
    await _sweep_indices(redis)
    await _sweep_blobs(redis, store, orphans_after)


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
    """Also of users who never look at their list."""
    jobs = Jobs(redis)
    async for key in redis.scan_iter(index_key("*"), count=500):
        await jobs.of_user(key.decode().removeprefix(index_key("")))


async def expired_blobs(redis: ArqRedis, store: Store, orphans_after: timedelta = ORPHANS_AFTER) -> list[Blob]:
    """Those of jobs that Redis does not know any more, or never did; and of styles that nobody has saved."""
    old = await _old_blobs(store, orphans_after)
    gone = await _gone(redis, old)
    return [blob for blob in old if _job_of(blob) in gone] + await _unused_styles(redis, store, orphans_after)


async def _unused_styles(redis: ArqRedis, store: Store, orphans_after: timedelta) -> list[Blob]:
    return await SavedStyles(redis, store).unused(datetime.now(UTC) - orphans_after)


async def _old_blobs(store: Store, orphans_after: timedelta) -> list[Blob]:
    before = datetime.now(UTC) - orphans_after
    return [blob for blob in await store.blobs("jobs/") if blob.modified < before and _OURS.fullmatch(blob.key)]


async def _gone(redis: ArqRedis, blobs: list[Blob]) -> set[str]:
    return {job for job in {_job_of(blob) for blob in blobs} if not await redis.exists(job_key(job))}


def _job_of(blob: Blob) -> str:
    return blob.key.split("/")[1]


async def _sweep_blobs(redis: ArqRedis, store: Store, orphans_after: timedelta) -> None:
    old = await _old_blobs(store, orphans_after)
    gone = await _gone(redis, old)
    styles = await _unused_styles(redis, store, orphans_after)
    await store.delete(*(blob.key for blob in old if _job_of(blob) in gone), *(blob.key for blob in styles))
    # One that has ended has one checkpoint of its own, unless its worker died before it could tidy up.
    checkpoints = Counter(_job_of(blob) for blob in old if "/checkpoint-" in blob.key)
    for job in {job for job, count in checkpoints.items() if count > 1} - gone:
        await clean_up(Jobs(redis), store, job)
