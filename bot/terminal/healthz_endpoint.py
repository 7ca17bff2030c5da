"""What `impasto bot` tells who runs the server: whether it does its part, and how that on which it stands is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from bot.client import Impasto
from bot.live_page.server import LivePage
from bot.settings import BotSettings
from bot.terminal.local_stack import DIFFERENT_STORES
from engine.contract import workers
from engine.contract.connection import connect
from engine.contract.store import Store, StoreError
from engine.monitoring import Check, Ill, Monitored, check_redis_answers, check_store, queue_metrics, serve_monitoring

_STARTING = "The bot has not come so far yet, or begins anew: its log says why."


class BotHealth:
    """Over all lives of the client."""

    def __init__(self, settings: BotSettings, store: Store) -> None:
        self._settings, self._store = settings, store
        self.bot: Impasto | None = None
        """The client that runs now; None before the first."""

    @asynccontextmanager
    async def served(self) -> AsyncIterator[str]:
        """Health and metrics, while the block runs. Raises `SettingsError`."""
        assert self._settings.redis_url is not None  # noqa: S101 - the caller has seen to it
        async with connect(self._settings.redis_url, retries=0) as redis:

            async def of_workers() -> str:
                await check_redis_answers(redis)
                living = await workers.living(redis)
                if not living:
                    raise Ill("No worker is there: start one with `impasto worker`.")
                with suppress(StoreError):  # its own line says that
                    if strangers := workers.elsewhere(living, await self._store.prove()):
                        raise Ill(f"{', '.join(worker.id for worker in strangers)}: {DIFFERENT_STORES}")
                return f"{len(living)} alive"

            healthy: dict[str, Check] = {
                "redis": partial(check_redis_answers, redis), "store": partial(check_store, self._store),
                "gateway": self._gateway, "workers": of_workers,
            }  # fmt: skip

            async def state() -> list[Metric]:
                return [await self._gateway_up(), *await queue_metrics(redis)]

            about = Monitored({"bot": self._gateway}, healthy, state)
            async with serve_monitoring(self._settings.monitoring_address, about) as url:
                yield url

    @asynccontextmanager
    async def page_served(self) -> AsyncIterator[str]:
        """The live page, in the same way."""
        assert self._settings.redis_url is not None  # noqa: S101 - as above
        async with connect(self._settings.redis_url, retries=0) as redis:
            page = LivePage(self._settings, redis, self._store, lambda: self.bot)
            async with page.served(self._settings.page_address) as url:
                yield url

    async def _gateway_up(self) -> Metric:
        try:
            up = bool(await self._gateway())
        except Ill:
            up = False
        return GaugeMetricFamily("impasto_gateway_up", "Whether the bot is connected to Discord, or stands by.", up)

    async def _gateway(self) -> str:
        """One that stands by has none, and is well."""
        if self.bot is None or self.bot.is_closed():
            raise Ill(_STARTING)
        match self.bot.part:
            case "leads":
                return "connected"
            case "stands by":
                return "stands by, for another process leads"
        raise Ill("The gateway is not connected.")
