"""The thread under a card."""

from __future__ import annotations

import asyncio
from typing import Literal

import aiohttp
import discord

from bot.delivery.sender import REQUEST_TIMEOUT, Undeliverable
from bot.discord_api.error_codes import Verdict, sentence, verdict
from bot.discord_api.pacing import paced
from bot.discord_api.private_api import start_thread
from bot.ledger import LedgerPage

_ARCHIVE: Literal[1440] = 1440  # minutes without a message; the next one brings it back
_EXISTS = 160004


async def open_thread(client: discord.Client, page: LedgerPage) -> int:
    """Open the thread under the card, if it is not; its id, which is the card's. Raises `Undeliverable`."""
    assert page.card is not None  # noqa: S101 - the card comes first
    pause = 1.0
    while True:
        try:
            async with paced(client, REQUEST_TIMEOUT):
                return await start_thread(client, page.address.channel, page.card, page.title, _ARCHIVE)
        except (discord.HTTPException, discord.RateLimited, aiohttp.ClientError, OSError) as error:
            if isinstance(error, discord.HTTPException) and error.code == _EXISTS:
                return page.card
            reason = verdict(error)
            if reason not in (Verdict.RETRY, Verdict.SLOW):
                raise Undeliverable(reason, sentence(error, "here")) from error
        await asyncio.sleep(pause)
        pause = min(2 * pause, 60.0)
