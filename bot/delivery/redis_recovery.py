"""What a Redis that was started anew may have forgotten: the last moment before the power went.

Its append-only file may have lost its end, so that Redis is as it was a moment ago, while Discord is not. The bot still
knows the paintings that it was following, and gives them back.
"""

from __future__ import annotations

import structlog
from arq.connections import ArqRedis
from redis.exceptions import ResponseError

from bot.backend import Backend
from bot.cards.editor import CardEditor
from bot.post_ledger import LedgerPage
from engine.contract.connection import is_wrong_kind
from engine.contract.models import Job
from engine.forecast import first_cost
from engine.process.metrics import RECOVERIES

_log = structlog.get_logger(__name__)


class RedisRecovery:
    """Gives a Redis that was started anew what it may have forgotten; one for the whole bot."""

    def __init__(self, backend: Backend, redis: ArqRedis, editor: CardEditor) -> None:
        """`redis` is asked which run it is, and need not retry."""
        self._backend, self._redis, self._editor = backend, redis, editor
        self._run_id = ""

    async def make(self) -> set[str]:
        """Where Redis was started anew since the last time; the jobs whose posts it may have forgotten.

        Those are to be looked for in Discord before they are posted.
        """
        run_id = (await self._redis.info("server"))["run_id"]
        forgotten = await self._give_back() if self._run_id not in ("", run_id) else set()
        self._run_id = run_id  # only now: what broke off half-way is made once more
        return forgotten

    async def _give_back(self) -> set[str]:
        followed = self._editor.followed()
        for job, page in followed:
            try:
                await self._give_back_one(job, page)
            except ResponseError as error:
                if not is_wrong_kind(error):
                    raise
                # It would be refused each time, and meanwhile no other painting's events would be read.
                _log.error("a painting cannot be given back to Redis", job=job.id, reason=str(error)[:300])
        return {*await self._backend.jobs.open(), *(job.id for job, _ in followed)}

    async def _give_back_one(self, job: Job, page: LedgerPage) -> None:
        await self._backend.ledger.restore(page)
        if await self._backend.jobs.create(job):
            RECOVERIES.labels("job").inc()
            _log.warning("Redis had forgotten a painting", job=job.id)
            await self._backend.queue.enqueue(job, 0, 0, await first_cost(self._backend.redis, job))
