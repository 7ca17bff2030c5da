"""The thread under a card."""

from __future__ import annotations

import asyncio
from typing import Literal

import aiohttp
import discord

from bot.ledger import LedgerPage
from bot.discord_api.pacing import paced
from bot.delivery.sender import REQUEST_TIMEOUT, Undeliverable
from bot.discord_api.error_codes import Verdict, sentence, verdict

_ARCHIVE: Literal[1440] = 1440  # minutes without a message; the next one brings it back
_EXISTS = 160004


async def open_thread(client: discord.Client, page: LedgerPage) -> int:
    """Open the thread under the card, if it is not; its id, which is the card's. Raises `Undeliverable`."""
    assert page.card is not None  # noqa: S101 - the card comes first
    pause = 1.0
    while True:
        try:
            async with paced(client, REQUEST_TIMEOUT):
                # Below discord.py's own method, which wants the guild in its cache.
                thread = await client.http.start_thread_with_message(
                    page.address.channel, page.card, name=page.title, auto_archive_duration=_ARCHIVE
                )
            return int(thread["id"])
        except (discord.HTTPException, discord.RateLimited, aiohttp.ClientError, OSError) as error:
            if isinstance(error, discord.HTTPException) and error.code == _EXISTS:
                return page.card
            reason = verdict(error)
            if reason not in (Verdict.RETRY, Verdict.SLOW):
                raise Undeliverable(reason, sentence(error, "here")) from error
        await asyncio.sleep(pause)
        pause = min(2 * pause, 60.0)
