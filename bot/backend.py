"""What the bot stands on beside Discord: settings, Redis, the store, and what the contract keeps in them."""

from __future__ import annotations

from dataclasses import dataclass

from arq.connections import ArqRedis

from bot.guild_settings import GuildSettings
from bot.ledger import Ledger
from bot.settings import BotSettings
from engine.contract.fair_queue import FairQueue
from engine.contract.jobs import Jobs
from engine.contract.store import Store


@dataclass(frozen=True)
class Backend:
    """One for the whole bot."""

    settings: BotSettings
    redis: ArqRedis
    store: Store
    jobs: Jobs
    queue: FairQueue
    ledger: Ledger
    guilds: GuildSettings

    @classmethod
    def of(cls, settings: BotSettings, redis: ArqRedis) -> Backend:
        """All of it over one connection. Raises `StoreError`."""
        guilds = GuildSettings(settings, redis)
        ledger = Ledger(redis, settings.impasto_keep_days)
        return cls(settings, redis, Store(settings.store), Jobs(redis), FairQueue(redis), ledger, guilds)
