"""Which jobs' folders in the store are still needed by other jobs."""

from __future__ import annotations

import re

from arq.connections import ArqRedis

from engine.contract.connection import readable
from engine.contract.jobs import Jobs
from engine.contract.models import job_key

_NAMED = re.compile(rb'"(parent|key|checkpoint)":"(?:jobs/)?([0-9a-f]{16,20})\b')
"""The jobs that a spec names, and as what; a name that somebody typed has its quotes escaped there."""
_CAME_FROM, _ID = re.compile(rb'"came_from":\[([^\]]*)\]'), re.compile(rb"[0-9a-f]{16,20}")


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
    """The jobs that open ones go on from, and those before them: films have pictures of them all.

    Who does not go on from a checkpoint has copies of all that it needs.
    """
    found: set[str] = set()
    reached = await Jobs(redis).open()
    while reached:
        reached = sorted({job for _, job in await _named_by(redis, reached)} - found)
        found.update(reached)
    return found


async def _named_by(redis: ArqRedis, jobs: list[str]) -> set[tuple[bytes, str]]:
    async with redis.pipeline(transaction=False) as pipe:
        for job in jobs:
            pipe.hget(job_key(job), "spec")
        specs = [spec or b"" for spec in await readable(pipe)]
    named = {
        (kind, job.decode())
        for of_one in map(_NAMED.findall, specs)
        for kind, job in of_one
        if kind != b"parent" or b"checkpoint" in {kind for kind, _ in of_one}
    }
    came_from = (part for spec in specs for part in _CAME_FROM.findall(spec))
    return named | {(b"parent", job.decode()) for part in came_from for job in _ID.findall(part)}
