"""Fair turns: when a slice is painted, told to arq as an instant in the past.

Start-time fair queueing (Goyal, Vin, Cheng 1996) over users, each weighted so that guilds share equally and users share
their guild's part equally. A slice's tag is max(virtual clock, the user's last finish); the finish grows by the slice's
cost in seconds of GPU over the user's weight. When a guild's users become more or fewer, what its users have waiting is
spaced anew, or hundreds of slices that were queued alone would count as a whole guild's for hours. The clock follows
the tags of the slices that are begun, so that whoever was away neither saves up turns nor pays for others' work.

Drafts are short, and someone waits for them: a user's drafts have tags of their own, which only drafts push back, so
that they overtake what else the user has waiting. What they cost pushes the user's paintings back too, so that all
together get no more than the user's part.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from arq.connections import ArqRedis

from engine.contract import arq_keys
from engine.contract.connection import FRONT, QUEUE
from engine.contract.lua_scripts import script
from engine.contract.models import HELD_GUILDS, HELD_USERS, KEEP_DAYS, Job, Running, flows_key, index_key, job_key
from engine.contract.workers import SILENCE

SLICE = "paint_slice"
"""The arq function's name; a worker that does not know it deletes the job, so it must never change."""
_TICK = timedelta(milliseconds=10)
"""How much later a slice is dated for each second of virtual time: a GPU-century fits between 1970 and now."""
_FIRST = datetime.fromtimestamp(FRONT / 1000, UTC)
CLOCK, FINISH = "impasto:clock", "impasto:finish"
"""The virtual clock, and the hash of each user's last virtual finish, and of their drafts'."""
SPREAD = "impasto:spread"
"""Hash of the guilds: for how many users the tags of their slices are spaced."""


def slice_id(job: str, iteration: int, epoch: int) -> str:
    """arq's id of a slice: unique per attempt, so that a dead one never stands in the way of the next."""
    return f"{job}:{iteration}:{epoch}"


class FairQueue:
    """Puts slices in the queue."""

    def __init__(self, redis: ArqRedis) -> None:
        self._redis = redis
        self._tag, self._ready = (redis.register_script(script(name)) for name in ("queue_tag", "ready_slices"))

    async def enqueue(self, job: Job, iteration: int, epoch: int, cost: float) -> None:
        """Queue the job's next slice, expected to take `cost` seconds of GPU; what is cancelled comes first.

        Repeating it is harmless.
        """
        keys = [job_key(job.id), CLOCK, FINISH, flows_key(job.guild), SPREAD, QUEUE]
        scores, draft = [FRONT, _TICK / timedelta(milliseconds=1)], int(job.draft_of is not None)
        prefixes = [job_key(""), index_key("")]
        name = slice_id(job.id, iteration, epoch)
        args: list[str | float] = [job.guild, job.user, cost, name, *prefixes, *scores, draft]
        await self._put(job.id, iteration, epoch, float(await self._tag(keys=keys, args=args)))

    async def put_back(self, job: str, iteration: int, epoch: int) -> None:
        """Queue the next slice of a job that was begun and not painted, in the place that it had; or as `enqueue` does.

        Repeating it is harmless.
        """
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(job_key(job), "slice", slice_id(job, iteration, epoch))
            pipe.hmget(job_key(job), ["tag", "cancel"])
            _, (tag, cancel) = await pipe.execute()
        await self._put(job, iteration, epoch, -1.0 if cancel == b"1" else float(tag or 0))

    async def _put(self, job: str, iteration: int, epoch: int, tag: float) -> None:
        await self._redis.enqueue_job(
            SLICE,
            job,
            iteration,
            epoch,
            _job_id=slice_id(job, iteration, epoch),
            _defer_until=_FIRST + tag * _TICK,
            # arq counts a job's life from its instant, which lies in the past, unless it is told one.
            _expires=timedelta(days=KEEP_DAYS),
        )

    async def ready(self, most: Running, count: int, left: Iterable[str] = ()) -> list[bytes]:
        """Names of the slices that may be begun, in order, until `count` of them are new; and of what is no slice.

        Left out are those that are being painted or were just taken up, those whose users or guilds have as many jobs
        held as they may, and those of jobs that are `left` to others: in the queue they keep their turns.
        """
        args: list[str | float] = [count, most.user, most.guild, job_key(""), arq_keys.lease(""), *left]
        names: list[bytes] = await self._ready(keys=[QUEUE, HELD_USERS, HELD_GUILDS], args=args)
        return names

    async def waiting(self, name: str, slice_timeout: float) -> bool:
        """Whether the slice is in the queue, and free, or taken up by a worker that may still live.

        `slice_timeout` is what arq allows for slices, in seconds: its mark on those taken up lasts ten longer.
        """
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.zscore(QUEUE, name)
            pipe.exists(arq_keys.payload(name))
            pipe.pttl(arq_keys.lease(name))
            score, there, left = await pipe.execute()
        long_ago = left >= 0 and left / 1000 < slice_timeout + arq_keys.LEASE_EXTRA - SILENCE
        return score is not None and bool(there) and not long_ago

    async def all(self) -> list[str]:
        """Every slice that is in the queue or being run, the next first."""
        return [name.decode() for name in await self._redis.zrange(QUEUE, 0, -1)]

    async def forget(self, name: str) -> None:
        """Take a slice out of the queue that would wake someone for nothing, or that a dead worker has taken up."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.zrem(QUEUE, name)
            pipe.delete(arq_keys.payload(name), arq_keys.lease(name), arq_keys.tries(name))
            await pipe.execute()
