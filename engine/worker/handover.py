"""What a worker hands over to others: jobs whose weights it does not have."""

from __future__ import annotations

import structlog

from engine.contract import workers
from engine.contract.models import Claim
from engine.worker.context import WorkerContext

_log = structlog.get_logger(__name__)


async def left_to_others(context: WorkerContext, claim: Claim) -> bool:
    """Whether the job was released, for its weights are not here, and a living worker has them."""
    job, weights = claim.job.id, claim.job.recipe.weights
    if context.has_weights(weights):
        return False
    able = [worker.id for worker in await workers.living(context.redis) if worker.weights == weights]
    if able:
        _log.warning("the job's weights are not here", job=job, weights=weights, able=able)
        await context.jobs.release(job, context.id)
    return bool(able)
