"""When there will be room again for who was refused."""

from __future__ import annotations

import time

from arq.connections import ArqRedis

from engine.contract.jobs import Jobs
from engine.contract.models import Caps, Standing, TooMany
from engine.forecast.open_jobs import forecast


async def retry_time(redis: ArqRedis, full: TooMany, user: str, guild: str, caps: Caps) -> float | None:
    """When so many of the jobs in the way will have ended, or the day; in Unix time. None where nobody can tell."""
    if full.until is not None:
        return full.until
    standings, prospects = await Jobs(redis).standing(), await forecast(redis)
    ends = [prospects[s.job.id].done for s in standings if _counts(s, full, user, guild) and s.job.id in prospects]
    known = sorted(end for end in ends if end is not None)
    if not known:
        return None
    most = {"user": caps.user, "guild": caps.guild, "total": caps.total, "member": caps.member}[full.cap]
    return time.time() + known[max(0, len(known) - most)]


def _counts(standing: Standing, full: TooMany, user: str, guild: str) -> bool:
    match full.cap:
        case "user":
            return standing.job.user == user
        case "member":
            return (standing.job.user, standing.job.guild) == (user, guild)
        case "guild":
            return standing.job.guild == guild
    return True
