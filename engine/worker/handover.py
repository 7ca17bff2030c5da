"""What a worker hands over to others: jobs whose weights it does not have, and all that it holds when it must end."""

from __future__ import annotations

import asyncio
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
    """Whether the job went back into the queue, for its weights are not here, and a living worker has them.

    It is not taken up here again for a while, so that the other finds it there.
    """
    job, weights = claim.job.id, claim.job.recipe.weights
    if context.has_weights(weights):
        return False
    able = [worker.id for worker in await workers.living(context.redis) if worker.weights == weights]
    if able:
        _log.warning("the job's weights are not here", job=job, weights=weights, able=able)
        context.leave_to_others(job)
        await context.jobs.release(job, context.id)
        await context.queue.enqueue(claim.job, claim.iteration, claim.epoch, 0.0)
    return bool(able)


async def end_over(context: WorkerContext, job: str) -> NoReturn:
    """End the process, which can paint nothing more, for its supervisor to start another: a death of this job alone."""
    with suppress(RedisError, TimeoutError):
        async with asyncio.timeout(_FAREWELL):
            for other in context.heartbeat.jobs:
                if other != job:
                    await context.jobs.release(other, context.id)
            await workers.sign_off(context.redis, context.id)
    exit_now(1)


async def end_if_lost(context: WorkerContext, job: str) -> None:
    """The same after an error in the job's slice, where the device does nothing more for this process."""
    if fault := await context.in_painting_thread(job, fault_of, context.device):
        _log.exception("the device does nothing more for this process: the worker ends", job=job, fault=fault)
        await end_over(context, job)
