"""What a worker hands over to others: jobs that it cannot paint, and all that it holds when it must end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NoReturn

import structlog
from redis.exceptions import RedisError

from engine.contract import workers
from engine.contract.models import Claim
from engine.process.exit import exit_now
from engine.worker.context import WorkerContext
from engine.worker.device import fault_of

_FAREWELL = 3.0  # s

_log = structlog.get_logger(__name__)


async def left_to_others(context: WorkerContext, claim: Claim) -> bool:
    """Whether the job went back into the queue, for its weights are not here, and a living worker has them."""
    weights = claim.job.recipe.weights
    if context.has_weights(weights):
        return False
    return await leave(context, claim.job.id, claim.iteration, claim.epoch, lambda worker: worker.weights == weights)


async def leave(
    context: WorkerContext, job: str, iteration: int, epoch: int, able: Callable[[workers.Worker], bool]
) -> bool:
    """Put a job that was taken up back in its place in the queue, if a living worker is `able` to paint it.

    It is not taken up here again for a while, so that the other finds it there. Returns whether there is one.
    """
    others = [worker.id for worker in await workers.living(context.redis) if able(worker)]
    if others:
        _log.debug("the job is left to others", job=job, able=others)  # again and again, while those are busy
        context.leave_to_others(job)
        await context.jobs.release(job, context.id)
        await context.queue.put_back(job, iteration, epoch)
    return bool(others)


async def end_over(context: WorkerContext, job: str, held: Sequence[str] = ()) -> NoReturn:
    """End the process, which can paint nothing more, for its supervisor to start another: a death of this job alone.

    All that it holds is given back, and what it has `held` before.
    """
    with suppress(RedisError, TimeoutError):
        async with asyncio.timeout(_FAREWELL):
            for other in {*held, *context.heartbeat.jobs}:
                if other != job:
                    await context.jobs.release(other, context.id)
            await workers.sign_off(context.redis, context.id)
    exit_now(1)


async def end_if_lost(context: WorkerContext, job: str) -> None:
    """After an error in the job's slice, end the process where the device does nothing more for it.

    Others that were got ready meet the same fault: the slice that met it first is to blame.
    """
    held = context.heartbeat.jobs  # before those others break off, and are no longer held
    if fault := await context.in_painting_thread(job, fault_of, context.device):
        if context.lost:
            await asyncio.Event().wait()  # for the end
        context.lost = True
        _log.exception("the device does nothing more for this process: the worker ends", job=job, fault=fault)
        await end_over(context, job, held)
