"""What was posted long ago, and may be forgotten before its time where the store needs room."""

from __future__ import annotations

from arq.connections import ArqRedis

from engine.contract.connection import readable
from engine.contract.jobs import Jobs
from engine.contract.models import POSTED, job_key
from engine.contract.needed_jobs import needed_by_open
from engine.contract.store import Blob, Store

_AT_ONCE = 20
"""Jobs that are forgotten before it is asked again what open ones need."""


async def posted_before(redis: ArqRedis, moment: float) -> list[str]:
    """The jobs that were posted before this moment of Unix time, but those that an open one goes on from."""
    jobs = [key.decode().removeprefix(job_key("")) async for key in redis.scan_iter(job_key("*"), count=500)]
    async with redis.pipeline(transaction=False) as pipe:
        for job in jobs:
            pipe.hget(job_key(job), POSTED)
        posted = await readable(pipe)
    old = {job for job, at in zip(jobs, posted, strict=True) if (at or b"").isdigit() and int(at) < moment}
    return sorted(old - await needed_by_open(redis))


async def blobs_of(store: Store, jobs: list[str]) -> list[Blob]:
    """All that the store has of these jobs. Raises `StoreError`."""
    return [blob for job in jobs for blob in await store.blobs(f"jobs/{job}/")]


async def forget(redis: ArqRedis, store: Store, jobs: list[str]) -> list[str]:
    """Forget these jobs, and delete what the store has of them; returns those that are. Raises `StoreError`.

    What is open by now stays, and what that goes on from: a store of many takes long to be gone through. First in
    Redis: should this break off, the workers' sweep deletes the rest.
    """
    forgotten = []
    for begin in range(0, len(jobs), _AT_ONCE):
        needed = await needed_by_open(redis)
        for job in jobs[begin : begin + _AT_ONCE]:
            if job not in needed and await Jobs(redis).forget(job):
                await store.delete_folder(f"jobs/{job}")
                forgotten.append(job)
    return forgotten
