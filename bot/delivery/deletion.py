"""Deletes all that there is of a job: messages, pictures, and what Redis knows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import aiohttp
import discord
import structlog

from bot.backend import Backend
from bot.discord_api import private_api
from bot.discord_api.error_codes import Verdict, verdict
from bot.ledger import NEUTRAL, LedgerPage

_TRIES = 5

_log = structlog.get_logger(__name__)


async def delete_job(client: discord.Client, backend: Backend, page: LedgerPage) -> None:
    """Delete it all; repeating it is harmless. What Discord does not let the bot delete stays, and is logged.

    Raises `StoreError` or a `RedisError`.
    """
    job = page.address.job
    await _MessageDeleter(client, job).erase(page)
    await backend.store.delete_folder(f"jobs/{job}")
    await backend.jobs.forget(job)
    await backend.ledger.close(job)
    _log.info("forgotten", job=job)


class _MessageDeleter:
    """Of one job's messages."""

    def __init__(self, client: discord.Client, job: str) -> None:
        self._client, self._log = client, _log.bind(job=job)

    async def erase(self, page: LedgerPage) -> None:
        """Thread, pictures, and each card that there ever was."""
        if page.thread is None:
            await self._delete(page.address.channel, *page.posts.values())
        elif await self._refused(partial(private_api.delete_thread, self._client, page.thread)):
            await self._empty(page.thread, *page.posts.values())
        for card, channel in page.former.items():
            await self._delete(channel, card)
        if page.card is not None:
            await self._delete(page.card_channel, page.card)

    async def _empty(self, thread: int, *messages: int) -> None:
        """A thread that the bot may not delete: nothing of the painting stays in it, nor does its name."""
        await self._refused(partial(private_api.rename_thread, self._client, thread, NEUTRAL))
        await self._delete(thread, *messages)
        await self._refused(partial(private_api.archive_thread, self._client, thread))

    async def _delete(self, channel: int, *messages: int) -> None:
        for message in messages:
            request = partial(private_api.delete_message, self._client, channel, message)
            refused = await self._refused(request)
            if refused is Verdict.UNARCHIVE_FIRST:
                await self._refused(partial(private_api.wake_thread, self._client, channel))
                refused = await self._refused(request)
            if refused:
                self._log.warning("a message of a forgotten painting stays", message=message, channel=channel)

    async def _refused(self, request: Callable[[], Awaitable[Any]]) -> Verdict | None:
        """Why it could not be done; None where it was, or there is nothing to do it to."""
        pause, reason = 1.0, Verdict.RETRY
        for _ in range(_TRIES):
            try:
                await request()
                return None
            except (discord.HTTPException, discord.RateLimited, aiohttp.ClientError, OSError) as error:
                reason = verdict(error)
                if reason not in (Verdict.RETRY, Verdict.SLOW):
                    self._log.info("not erased", reason=str(error))
                    return None if reason is Verdict.GONE else reason
            await asyncio.sleep(pause)
            pause *= 2
        return reason
