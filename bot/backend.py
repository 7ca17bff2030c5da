"""What the bot stands on beside Discord: settings, Redis, the store, and what the contract keeps in them."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from arq.connections import ArqRedis

from bot.drawn_styles import DRAWN_STYLES
from bot.guild_settings import GuildSettings
from bot.post_ledger import Ledger
from bot.settings import BotSettings
from engine.contract.fair_queue import FairQueue
from engine.contract.jobs import Jobs
from engine.contract.saved_styles import SavedStyles
from engine.contract.store import Store

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Backend:
    """What every part of the bot shares beside Discord; one for the whole bot."""

    settings: BotSettings
    redis: ArqRedis
    store: Store
    jobs: Jobs
    queue: FairQueue
    ledger: Ledger
    guilds: GuildSettings
    styles: SavedStyles

    @classmethod
    def of(cls, settings: BotSettings, redis: ArqRedis) -> Backend:
        """A backend over one connection to Redis. Raises `StoreError`."""
        guilds = GuildSettings(settings, redis)
        ledger = Ledger(redis, settings.impasto_keep_days)
        store = Store(settings.store)
        styles = SavedStyles(redis, store, DRAWN_STYLES)
        return cls(settings, redis, store, Jobs(redis), FairQueue(redis), ledger, guilds, styles)

    async def stop(self, job: str, why: str) -> None:
        """Paint a job no further that cannot be shown; `why` is a sentence for its card."""
        _log.warning("the painting is stopped, for it cannot be shown", job=job, reason=why)
        await self.ledger.stop(job, why)
        await self.jobs.cancel(job)

    async def cancel_all(self, *, member: int | None = None, guild: int | None = None) -> None:
        """Cancel all open paintings of a member, that are shown in a server, or both."""
        for standing in await self.jobs.standing():
            job = standing.job
            if (member is None or job.user == str(member)) and (guild is None or job.guild == str(guild)):
                await self.jobs.cancel(job.id)
