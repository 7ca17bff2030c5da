"""What every part of the bot has at hand, and the errors that are answers to a member."""

from __future__ import annotations

from dataclasses import dataclass

from arq.connections import ArqRedis

from bot.ledger import Ledger
from bot.settings import BotSettings
from engine.contract.fair_queue import FairQueue
from engine.contract.jobs import Jobs
from engine.contract.store import Store


class UserError(Exception):
    """What was asked for cannot be done; the text is one sentence for the member: what is wrong, and what to do."""


@dataclass(frozen=True)
class Backend:
    """Settings, Redis, the store, and the rooms of the contract that stand on them."""

    settings: BotSettings
    redis: ArqRedis
    store: Store
    jobs: Jobs
    turns: FairQueue
    ledger: Ledger

    @classmethod
    def of(cls, settings: BotSettings, redis: ArqRedis) -> Backend:
        """The desk over one connection. Raises `StoreError`."""
        return cls(settings, redis, Store(settings.store), Jobs(redis), FairQueue(redis), Ledger(redis))
