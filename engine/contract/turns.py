"""Fair turns: when a slice is painted, told to arq as an instant in the past.

Start-time fair queueing (Goyal, Vin, Cheng 1996) over users, each weighted so that guilds share equally and users share
their guild's part equally. A slice's tag is max(virtual clock, the user's last finish); the finish grows by the slice's
cost in seconds of GPU over the user's weight. The clock follows the tags of the slices that are begun, so that whoever
was away neither saves up turns nor pays for others' work.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib.resources import files

from arq.connections import ArqRedis

from engine.contract.connection import QUEUE
from engine.contract.jobs import KEEP_DAYS, Job, flows_key, job_key
from engine.contract.workers import SILENCE

SLICE = "paint_slice"
"""The arq function's name; a worker that does not know it deletes the job, so it must never change."""
_TICK = timedelta(milliseconds=10)
"""Of the past instant, per second of virtual time: a GPU-century fits between 1970 and now."""
_FIRST = datetime(1970, 1, 2, tzinfo=UTC)  # a score of zero is none at all to arq
SLICE_TIMEOUT = 600
"""Seconds after which arq ends a slice. Only for what hangs: who has died is known from its heartbeat."""
_LEASE = SLICE_TIMEOUT + 10  # s that arq marks a slice as taken up, for ever if need be: it is never renewed or freed
CLOCK, FINISH = "impasto:clock", "impasto:finish"
"""The virtual clock, and the hash of each user's last virtual finish."""


def slice_id(job: str, iteration: int, epoch: int) -> str:
    """arq's id of a slice: unique per attempt, so that a dead one never stands in the way of the next."""
    return f"{job}:{iteration}:{epoch}"


class Turns:
    """Puts slices in the queue."""

    def __init__(self, redis: ArqRedis) -> None:
        self._redis = redis
        script = files("engine.contract") / "scripts" / "turn.lua"
        self._tag = redis.register_script(script.read_text())

    async def enqueue(self, job: Job, iteration: int, epoch: int, cost: float) -> None:
        """Queue the job's next slice, expected to take `cost` seconds of GPU. Repeating it is harmless."""
        name = slice_id(job.id, iteration, epoch)
        keys = [job_key(job.id), CLOCK, FINISH, flows_key(job.guild)]
        tag = float(await self._tag(keys=keys, args=[f"{job.guild}:{job.user}", cost, name]))
        await self._redis.enqueue_job(
            SLICE,
            job.id,
            iteration,
            epoch,
            _job_id=name,
            _defer_until=_FIRST + tag * _TICK,
            # arq counts a job's life from its instant, which lies in the past, unless it is told one.
            _expires=timedelta(days=KEEP_DAYS),
        )

    async def waiting(self, name: str) -> bool:
        """Whether the slice is in the queue, and free, or taken up by a worker that may still live."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.zscore(QUEUE, name)
            pipe.exists(f"arq:job:{name}")
            pipe.pttl(f"arq:in-progress:{name}")
            score, there, left = await pipe.execute()
        long_ago = left >= 0 and left / 1000 < _LEASE - SILENCE
        return score is not None and bool(there) and not long_ago

    async def all(self) -> list[str]:
        """Every slice that is in the queue or being run, the next first."""
        return [name.decode() for name in await self._redis.zrange(QUEUE, 0, -1)]

    async def forget(self, name: str) -> None:
        """Take a slice out of the queue that would wake someone for nothing, or that a dead worker has taken up."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.zrem(QUEUE, name)
            pipe.delete(f"arq:job:{name}", f"arq:in-progress:{name}", f"arq:retry:{name}")
            await pipe.execute()
