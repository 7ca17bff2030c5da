"""Which jobs' folders in the store are still needed by other jobs."""

from __future__ import annotations

import re

from arq.connections import ArqRedis

from engine.contract.connection import readable
from engine.contract.jobs import Jobs
from engine.contract.models import job_key, seen_key

_NAMED = re.compile(rb'"(parent|key|checkpoint)":"(?:jobs/)?([0-9a-f]{16,20})\b')
"""The jobs that a spec names, and as what; a name that somebody typed has its quotes escaped there."""
_RENEWED = 7 * 86400  # s; sweeps renew it each hour, and workers may be stopped for some days


async def needed(redis: ArqRedis) -> set[str]:
    """The jobs whose folder has what a known one is painted from, and those that open ones go on from.

    What `impasto paint --resume` makes has its pictures and its checkpoint in the folder of the first painting.
    """
    keys = [key async for key in redis.scan_iter(job_key("*"), count=500)]
    found = await needed_by_open(redis)
    for begin in range(0, len(keys), 500):
        jobs = [key.decode(errors="replace").removeprefix(job_key("")) for key in keys[begin : begin + 500]]
        found |= {job for kind, job in await _named_by(redis, jobs) if kind != b"parent"}
    return found


async def needed_by_open(redis: ArqRedis) -> set[str]:
    """The jobs that open ones go on from, and those before them: films and sheets have pictures of them all."""
    found: set[str] = set()
    reached = await Jobs(redis).open()
    while reached:
        reached = sorted({job for _, job in await _named_by(redis, reached)} - found)
        found.update(reached)
    return found


async def keep_needed_by_open(redis: ArqRedis) -> None:
    """Let no job expire that an open one goes on from: by its spec alone those before it are found."""
    async with redis.pipeline(transaction=False) as pipe:
        for job in await needed_by_open(redis):
            for key in (job_key(job), seen_key(job)):
                pipe.expire(key, _RENEWED, gt=True)
        await pipe.execute()


async def _named_by(redis: ArqRedis, jobs: list[str]) -> set[tuple[bytes, str]]:
    async with redis.pipeline(transaction=False) as pipe:
        for job in jobs:
            pipe.hget(job_key(job), "spec")
        return {(kind, job.decode()) for spec in await readable(pipe) for kind, job in _NAMED.findall(spec or b"")}
