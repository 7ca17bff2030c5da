"""Deletes all that there is of a job: messages, pictures, and what Redis knows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import discord
import structlog

from bot.delivery.ledger import Posted
from bot.delivery.refusals import Verdict, verdict
from bot.desk import Desk

_TRIES = 5

_log = structlog.get_logger(__name__)


async def forget_job(client: discord.Client, desk: Desk, page: Posted) -> None:
    """Delete it all; repeating it is harmless. What Discord does not let the bot delete stays, and is logged.

    Raises `StoreError` or a `RedisError`.
    """
    job = page.address.job
    for message in page.posts.values():
        await _delete(client, job, page.channel, message)
    if page.card is not None:
        await _delete(client, job, page.card_channel, page.card)
        if page.card_channel != page.address.channel and page.thread is not None:
            await _delete(client, job, page.address.channel, page.thread)  # the first card, whose id the thread has
    if page.thread is not None:
        await _try(job, lambda: client.http.delete_channel(page.thread or 0))
    await desk.store.delete_folder(f"jobs/{job}")
    await desk.jobs.forget(job)
    await desk.ledger.close(job)
    _log.info("forgotten", job=job)


async def _delete(client: discord.Client, job: str, channel: int, message: int) -> None:
    await _try(job, lambda: client.http.delete_message(channel, message))


async def _try(job: str, request: Callable[[], Awaitable[Any]]) -> None:
    pause = 1.0
    for _ in range(_TRIES):
        try:
            await request()
            return
        except (discord.HTTPException, discord.RateLimited, aiohttp.ClientError, OSError) as error:
            reason = verdict(error)
            if reason not in (Verdict.RETRY, Verdict.SLOW):
                if reason is not Verdict.GONE:
                    _log.warning("a message of a forgotten painting stays", job=job, reason=str(error))
                return
        await asyncio.sleep(pause)
        pause *= 2
