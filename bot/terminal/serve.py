"""`impasto bot`: the bot, kept alive until it is told to end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from typing import Any

import aiohttp
import discord
import structlog
from redis.exceptions import RedisError

from bot.client import Impasto
from bot.commands import add_commands
from bot.discord_api.proxy import proxy_trouble
from bot.settings import BotSettings
from bot.terminal.healthz_endpoint import BotHealth
from bot.terminal.local_stack import DIFFERENT_STORES
from engine.contract.connection import connect
from engine.contract.redis_check import await_redis
from engine.contract.settings import SettingsError
from engine.contract.store import Store, StoreError
from engine.contract.workers import elsewhere, living

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0  # s between two lives

_COMPARE = 15.0  # s between two looks at the workers' stores
_AWAY = (
    OSError, TimeoutError, aiohttp.ClientError,
    discord.HTTPException, discord.GatewayNotFound, discord.ConnectionClosed,
)  # fmt: skip
"""What Discord, or the way to it, may do."""
_REFUSED = 4004
"""The gateway's code where the token was reset meanwhile."""
NOT_ACCEPTED = "Discord does not accept DISCORD_TOKEN: copy it anew from the Bot page of Discord's developer portal."

_log = structlog.get_logger(__name__)


async def serve(settings: BotSettings) -> int:
    """Run the bot until SIGTERM or SIGINT; the exit status.

    Raises `SettingsError` when Discord refuses the token, or the store's folder will not do, `StoreError` when it
    cannot be opened.
    """
    for name in ("discord.client", "discord.shard"):
        logging.getLogger(name).addFilter(_WithoutTraceback())
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    settings.require_redis()
    store = Store(settings.store)
    health = BotHealth(settings, store)
    async with health.served(), health.page_served():
        await _keep_alive(settings, store, told, health)
    return 0


async def _keep_alive(settings: BotSettings, store: Store, told: asyncio.Event, health: BotHealth) -> None:
    """One life after the other, until it is `told`."""
    pause = _FIRST_PAUSE
    while not told.is_set():
        began = asyncio.get_running_loop().time()
        try:
            await _live(settings, store, told, health)
        except (SettingsError, StoreError):
            raise
        except Exception as error:
            refused = isinstance(error, discord.ConnectionClosed) and error.code == _REFUSED
            if refused or isinstance(error, discord.LoginFailure):
                raise SettingsError(NOT_ACCEPTED) from None
            if isinstance(error, _AWAY):
                _log.warning(f"Discord cannot be reached ({_reason(error)}). Trying on.", pause=pause)
            elif isinstance(error, RedisError):
                _log.warning(f"Redis does not answer ({_reason(error)}). Trying on.", pause=pause)
            else:  # a malformed message from the gateway ends discord.py's client, perhaps
                _log.error("the bot broke off, and begins anew", pause=pause, exc_info=error)
        if asyncio.get_running_loop().time() - began > _LONGEST_PAUSE:
            pause = _FIRST_PAUSE
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await told.wait()
        pause = min(2 * pause, _LONGEST_PAUSE)


async def _live(settings: BotSettings, store: Store, told: asyncio.Event, health: BotHealth) -> None:
    """One life of the client, to the end or until it is `told`.

    Raises what ends it, and `SettingsError` where Redis cannot be used as it is set.
    """
    bot = health.bot = Impasto(settings)
    add_commands(bot.tree)
    assert settings.redis_url is not None  # noqa: S101 - `serve` has seen to it
    life: asyncio.Task[Any] = asyncio.create_task(bot.start(settings.discord_token.get_secret_value()))
    end = asyncio.create_task(told.wait())
    # The client waits for Redis in silence; this says why, and whether waiting helps.
    redis = asyncio.create_task(await_redis(settings.redis_url))
    stores = asyncio.create_task(_compare_stores(settings.redis_url, store, redis))
    try:
        await _first(life, end, redis)
        if redis.done() and redis.exception() is None:
            await _first(life, end, stores)
        elif life.done() and not life.cancelled() and isinstance(life.exception(), RedisError):
            # Sooner than it is known why.
            await _first(redis, end)
    finally:
        end.cancel()
        redis.cancel()
        while not life.done():  # more than once, for discord.py swallows one that comes while it reconnects
            life.cancel()
            await asyncio.wait([life], timeout=1)
        await bot.close()
        stores.cancel()
        await asyncio.wait([redis, stores])
    for task in (redis, stores, life):
        if not task.cancelled():
            task.result()


def _reason(error: BaseException) -> str:
    return proxy_trouble(error) or (str(error) or type(error).__name__).rstrip(".")


class _WithoutTraceback(logging.Filter):
    """discord.py logs a traceback each time that it cannot reach Discord; a line with the reason says as much."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, _AWAY):
            record.msg, record.args = f"{record.getMessage()}: {_reason(error)}", ()
            record.exc_info, record.levelno, record.levelname = None, logging.WARNING, "WARNING"
        return True


async def _compare_stores(redis_url: str, store: Store, redis: asyncio.Task[None]) -> None:
    """Once Redis is there, say in the log what is wrong with the store, and which workers have another."""
    await asyncio.wait([redis])
    identity, told = await store.ready(), ""
    while True:
        with contextlib.suppress(RedisError, OSError):
            async with connect(redis_url, retries=0) as client:
                strangers = ", ".join(worker.id for worker in elsewhere(await living(client), identity))
            if strangers and strangers != told:
                _log.error(f"{strangers}: {DIFFERENT_STORES}")
            told = strangers
        await asyncio.sleep(_COMPARE)


async def _first(*tasks: asyncio.Task[Any]) -> None:
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
