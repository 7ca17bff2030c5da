"""Deletes all that there is of a job: messages, pictures, and what Redis knows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import discord
import structlog

from bot.delivery.ledger import NEUTRAL, Posted
from bot.delivery.refusals import Verdict, verdict
from bot.desk import Desk

_TRIES = 5

_log = structlog.get_logger(__name__)


async def forget_job(client: discord.Client, desk: Desk, page: Posted) -> None:
    """Delete it all; repeating it is harmless. What Discord does not let the bot delete stays, and is logged.

    Raises `StoreError` or a `RedisError`.
    """
    await _Eraser(client, page.address.job).erase(page)
    job = page.address.job
    await desk.store.delete_folder(f"jobs/{job}")
    await desk.jobs.forget(job)
    await desk.ledger.close(job)
    _log.info("forgotten", job=job)


class _Eraser:
    """Of one job's messages."""

    def __init__(self, client: discord.Client, job: str) -> None:
        self._http, self._job = client.http, job

    async def erase(self, page: Posted) -> None:
        """Cards last: until then one sees what is going on."""
        if page.thread is None:
            await self._delete(page.address.channel, *page.posts.values())
        elif not await self._gone(lambda: self._http.delete_channel(page.thread or 0)):
            await self._empty(page.thread, *page.posts.values())
        for card, channel in page.former.items():
            await self._delete(channel, card)
        if page.card is not None:
            await self._delete(page.card_channel, page.card)

    async def _empty(self, thread: int, *messages: int) -> None:
        """A thread that the bot may not delete is its own all the same: nothing of the painting stays, nor its name."""
        await self._gone(lambda: self._http.edit_channel(thread, archived=False, name=NEUTRAL))
        await self._delete(thread, *messages)
        await self._gone(lambda: self._http.edit_channel(thread, archived=True))

    async def _delete(self, channel: int, *messages: int) -> None:
        for message in messages:
            if not await self._gone(lambda message=message: self._http.delete_message(channel, message)):  # type: ignore[misc]
                _log.warning("a message of a forgotten painting stays", job=self._job, message=message)

    async def _gone(self, request: Callable[[], Awaitable[Any]]) -> bool:
        """Whether it was done, or there was nothing to do it to."""
        pause = 1.0
        for _ in range(_TRIES):
            try:
                await request()
                return True
            except (discord.HTTPException, discord.RateLimited, aiohttp.ClientError, OSError) as error:
                reason = verdict(error)
                if reason not in (Verdict.RETRY, Verdict.SLOW):
                    _log.info("not erased", job=self._job, reason=str(error))
                    return reason is Verdict.GONE
            await asyncio.sleep(pause)
            pause *= 2
        return False
