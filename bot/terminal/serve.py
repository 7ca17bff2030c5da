"""`impasto bot`: the bot, kept alive until it is told to end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import Any

import discord
import structlog

from bot.app import create_bot
from bot.settings import BotSettings
from engine.contract.settings import SettingsError
from engine.contract.store import StoreError

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0  # s between two lives

_log = structlog.get_logger(__name__)


async def serve(settings: BotSettings) -> int:
    """Run the bot until SIGTERM or SIGINT; the exit status.

    Raises `SettingsError` when Discord refuses the token, `StoreError` when the store cannot be opened.
    """
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    pause = _FIRST_PAUSE
    while not told.is_set():
        began = asyncio.get_running_loop().time()
        try:
            await _live(settings, told)
        except discord.LoginFailure:
            raise SettingsError(
                "Discord does not accept DISCORD_TOKEN: copy it anew from the Bot page of Discord's developer portal."
            ) from None
        except (SettingsError, StoreError):
            raise
        except Exception as error:  # the network; and a malformed message from the gateway ends discord.py's client
            _log.error("the bot broke off, and begins anew", pause=pause, exc_info=error)
        if asyncio.get_running_loop().time() - began > _LONGEST_PAUSE:
            pause = _FIRST_PAUSE
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await told.wait()
        pause = min(2 * pause, _LONGEST_PAUSE)
    return 0


async def _live(settings: BotSettings, told: asyncio.Event) -> None:
    """One life of the client, to the end or until it is `told`."""
    bot = create_bot(settings)
    life: asyncio.Task[Any] = asyncio.create_task(bot.start(settings.discord_token.get_secret_value()))
    end = asyncio.create_task(told.wait())
    try:
        await asyncio.wait([life, end], return_when=asyncio.FIRST_COMPLETED)
    finally:
        end.cancel()
        life.cancel()
        await asyncio.wait([life])
        await bot.close()
    if not life.cancelled():
        life.result()
