"""What was posted long ago, and may be forgotten before its time where the store needs room."""

from __future__ import annotations

import re

from arq.connections import ArqRedis

from engine.contract.connection import readable
from engine.contract.jobs import Jobs
from engine.contract.models import POSTED, job_key
from engine.contract.store import Blob, Store

_FOLDERS = re.compile(rb"\bjobs/([0-9a-f]{16,20})/")


async def posted_before(redis: ArqRedis, moment: float) -> list[str]:
    """The jobs that were posted before this moment of Unix time, but those that an open one has pictures of."""
    jobs = [key.decode().removeprefix(job_key("")) async for key in redis.scan_iter(job_key("*"), count=500)]
    async with redis.pipeline(transaction=False) as pipe:
        for job in jobs:
            pipe.hget(job_key(job), POSTED)
        posted = await readable(pipe)
    old = {job for job, at in zip(jobs, posted, strict=True) if (at or b"").isdigit() and int(at) < moment}
    return sorted(old - await _needed_by_open(redis))


async def _needed_by_open(redis: ArqRedis) -> set[str]:
    """The jobs in whose folders pictures and checkpoints lie that open jobs begin with."""
    async with redis.pipeline(transaction=False) as pipe:
        for job in await Jobs(redis).open():
            pipe.hget(job_key(job), "spec")
        specs = await readable(pipe)
    return {folder.decode() for spec in specs if spec is not None for folder in _FOLDERS.findall(spec)}


async def blobs_of(store: Store, jobs: list[str]) -> list[Blob]:
    """All that the store has of these jobs. Raises `StoreError`."""
    return [blob for job in jobs for blob in await store.blobs(f"jobs/{job}/")]


async def forget(redis: ArqRedis, store: Store, jobs: list[str]) -> None:
    """Forget these jobs, and delete what the store has of them; one that is open stays. Raises `StoreError`.

    First in Redis: should this break off, the workers' sweep deletes the rest.
    """
    for job in jobs:
        if await Jobs(redis).forget(job):
            await store.delete_folder(f"jobs/{job}")
