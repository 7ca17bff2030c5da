"""The safety net: any job that should run, and is neither queued nor running, is queued again."""

from __future__ import annotations

import structlog
from arq.connections import ArqRedis
from redis.exceptions import ResponseError

from engine.contract import workers
from engine.contract.fair_queue import FairQueue, slice_id
from engine.contract.jobs import Jobs
from engine.contract.workers import Worker
from engine.process.metrics import RECOVERIES

GRACE = workers.BEAT * 2
"""Seconds that a change may be younger than what a heartbeat tells."""

_TURN, _TURN_SECONDS = "impasto:reconciler", 5
"""Shorter than the time between two looks of one worker, so that one that is alone never waits for itself."""

_log = structlog.get_logger(__name__)


async def takes_turn(redis: ArqRedis, worker: str) -> bool:
    """Whether this worker is to look now: one does for all, since each looks at every open job."""
    return bool(await redis.set(_TURN, worker, nx=True, ex=_TURN_SECONDS))


async def reconcile(redis: ArqRedis, slice_seconds: float, slice_timeout: float) -> int:
    """Queue again what has been lost, as slices of `slice_seconds` at most; returns how many jobs that were.

    `slice_timeout` is what arq allows for slices, in seconds.

    A job is lost when its worker has died, does not know of it, or when its slice is not in the queue, or was taken up
    there by a worker that died before it began it.
    """
    jobs, queue = Jobs(redis), FairQueue(redis)
    now, found = (await redis.time())[0], 0  # Redis' clock wrote the times; ours may be off
    alive = {worker.id: worker for worker in await workers.living(redis)}
    for job_id in await jobs.open():
        try:
            found += await _requeue_if_lost(
                jobs, queue, job_id, alive=alive, now=now, most=slice_seconds, limit=slice_timeout
            )
        except (ValueError, KeyError, ResponseError) as error:  # of a newer version, perhaps; the others must go on
            _log.warning("an open job cannot be read", job=job_id, reason=str(error)[:300])
    return found


async def _requeue_if_lost(
    jobs: Jobs, queue: FairQueue, job_id: str, *, alive: dict[str, Worker], now: float, most: float, limit: float
) -> bool:
    fields = await jobs.fields(job_id)
    if not fields:
        return False
    iteration, epoch, holder = int(fields["iteration"]), int(fields["epoch"]), fields["worker"]
    since = float(fields["since"])
    fresh = now - since < GRACE
    if now <= since < now + 10 * GRACE:
        return False  # its worker may have started after the heartbeats were read: the next look tells
    if holder in alive and (fresh or job_id in alive[holder].jobs):
        return False
    name = slice_id(job_id, iteration, epoch)
    if (not holder and fresh) or await queue.waiting(name, limit):
        return False  # also where it is a dead worker's still: it was queued again already, and keeps its place
    try:
        job = await jobs.get(job_id)
        if job is None:
            return False
    except ValueError:
        job = None
    _log.warning("a lost job is queued again", job=job_id, iteration=iteration, worker=holder or None)
    RECOVERIES.labels("worker" if holder else "slice").inc()
    await queue.forget(name)
    if job is None:  # what cannot be read is of a newer version, perhaps: whichever worker takes it up says so
        await queue.put_back(job_id, iteration, epoch)
    else:
        speeds = (worker.speed for worker in alive.values() if worker.speed)
        await queue.enqueue(job, iteration, epoch, job.slice_cost(iteration, max(speeds, default=None), most))
    if holder:
        await queue.forget(slice_id(job_id, iteration, epoch - 1))
    return True


async def forget_the_dead(redis: ArqRedis) -> set[str]:
    """Take slices out of the queue that workers which died have left there; the jobs among theirs that have ended.

    They died after the job's last event, or after they had passed the job on. Or they only seemed to have died, and
    passed it on after another slice had been queued in place of theirs.
    """
    jobs, queue = Jobs(redis), FairQueue(redis)
    queued = await queue.all()  # before the open jobs: what is queued was open
    still_open, ended = set(await jobs.open()), set()
    for name in queued:
        job, _, place = name.partition(":")
        iteration, _, epoch = place.partition(":")
        if not (iteration.isdecimal() and epoch.isdecimal()):
            continue  # it is no slice: whoever takes it up takes it out
        if job not in still_open:
            ended.add(job)
        elif not _is_over(int(iteration), int(epoch), await jobs.fields(job)):
            continue
        await queue.forget(name)
    return ended


def _is_over(iteration: int, epoch: int, fields: dict[str, str]) -> bool:
    """Whether nobody can begin the slice any more, nor is on it. One before the job's epoch is being painted."""
    now = int(fields.get("epoch", 0))
    return epoch < now - 1 or (epoch == now and iteration != int(fields.get("iteration", iteration)))
