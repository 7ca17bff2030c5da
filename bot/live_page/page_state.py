"""What the page shows at one moment: no names of members, files or servers, and no picture that is not everybody's.

A picture is shown only once it is posted, where everybody in its server may see the channel, and neither is it covered
nor the channel age-restricted.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

from bot.client import Impasto
from bot.interactions.permissions import is_everybodys
from bot.live_page.loss_curves import Losses
from bot.post_ledger import Ledger, LedgerPage
from bot.text.recipe_text import recipe_in_words
from engine.contract import workers
from engine.contract.jobs import Jobs
from engine.contract.models import JobState, Standing
from engine.forecast import Forecast, forecast

_SHOWN = 24
"""How many paintings are shown, and how many that wait."""

Json = dict[str, Any]


class PageState:
    """Reads what the page shows, and remembers which pictures may be asked for."""

    def __init__(self, ledger: Ledger, losses: Losses) -> None:
        self._ledger, self._losses = ledger, losses
        self.pictures: Mapping[tuple[str, int], str] = {}
        """(job, iteration) -> key in the store, of those that are shown now."""

    async def look(self, jobs: Jobs, redis: Any, bot: Impasto | None) -> Json:
        """What is to be seen now. Raises a `RedisError`."""
        standings, living, prospects = await jobs.standing(), await workers.living(redis), await forecast(redis)
        painting = sorted((s for s in standings if s.state is JobState.PAINTING), key=lambda s: s.job.created)
        waiting = sorted((s for s in standings if s.state is JobState.QUEUED), key=lambda s: s.job.created)
        pages = await self._ledger.pages(*(s.job.id for s in painting[:_SHOWN]))
        newest = {s.job.id: _newest(s, pages[s.job.id], bot) for s in painting[:_SHOWN]}
        self.pictures = {(job, found[0]): found[1] for job, found in newest.items() if found}
        return {
            "painting": [self._painting(s, newest[s.job.id], prospects.get(s.job.id)) for s in painting[:_SHOWN]],
            "paintings": len(painting),
            "waiting": [recipe_in_words(s.job.recipe) for s in waiting[:_SHOWN]],
            "waits": len(waiting),
            "workers": [
                {"device": worker.device, "weights": worker.weights, "holds": len(worker.jobs)}
                for worker in sorted(living, key=lambda worker: worker.id)
            ],
        }

    def _painting(self, standing: Standing, newest: tuple[int, str] | None, prospect: Forecast | None) -> Json:
        job, curve = standing.job, self._losses.curves.get(standing.job.id, [])
        return {
            "id": job.id,
            "words": recipe_in_words(job.recipe),
            "iteration": max([standing.iteration, *(iteration for iteration, _ in curve[-1:])]),
            "iterations": job.iterations,
            "rate": round(self._losses.rates.get(job.id, 0.0), 2),
            "done_at": _done_at(prospect),
            "curve": curve,
            "picture": f"picture/{job.id}/{newest[0]}" if newest else None,
        }


def _done_at(prospect: Forecast | None) -> int | None:
    """The Unix time of the end; None where it is unknown, or at the speed that a worker tells never comes."""
    if prospect is None or prospect.done is None or not math.isfinite(prospect.done):
        return None
    return round(time.time() + prospect.done)


def _newest(standing: Standing, page: LedgerPage | None, bot: Impasto | None) -> tuple[int, str] | None:
    """The newest snapshot that was posted, if everybody may see it."""
    if page is None or bot is None or not page.pictures or page.stopped or page.forget or standing.job.spoiler:
        return None
    if not is_everybodys(page.address, bot.get_channel(page.address.channel)):
        return None
    iteration = max(page.pictures)
    return iteration, page.pictures[iteration]
