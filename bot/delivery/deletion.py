"""Deletes all that there is of a job: messages, pictures, and what Redis knows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import discord
import structlog

from bot.backend import Backend
from bot.cards.buttons import Action, JobButton
from bot.cards.thumbnails import job_of
from bot.delivery.sender import LOOK_BACK, REQUEST_TIMEOUT, Sender, file_names
from bot.discord_api import private_api
from bot.discord_api.error_sentences import Verdict, verdict
from bot.discord_api.pacing import time_limit
from bot.discord_api.retry import FAILURES, persist
from bot.post_ledger import NEUTRAL, Ledger, LedgerPage
from bot.text.translation import _
from engine.contract.store import StoreError

_AT_A_TIME = 4
"""Requests for all that is being forgotten: what is painted need not wait behind it."""
_SAID = (
    discord.MessageType.default,
    discord.MessageType.reply,
    discord.MessageType.chat_input_command,
    discord.MessageType.context_menu_command,
)
"""Kinds of messages that somebody wrote, as against what Discord notes down by itself."""

_log = structlog.get_logger(__name__)


class _Unanswered(Exception):
    """Discord has said neither that it is deleted nor that it may not be."""


class Deletion:
    """Deletes what was posted for jobs, and jobs that have ended; one for the whole bot."""

    def __init__(self, client: discord.Client, backend: Backend) -> None:
        self._client, self._backend = client, backend
        self._turns = asyncio.Semaphore(_AT_A_TIME)

    async def delete(self, page: LedgerPage, *, ended: bool) -> None:
        """Delete it all, however long Discord does not answer; of a job that has not `ended`, the messages alone.

        Each message that Discord has answered for is struck off the page, so that a restart goes on from there. What
        Discord does not let the bot delete stays, and is logged. Raises `StoreError` or a `RedisError`.
        """
        job = page.address.job
        store_away: StoreError | None = None
        if ended:
            try:
                await self._backend.store.delete_folder(f"jobs/{job}")
            except StoreError as error:
                store_away = error  # what everybody sees goes all the same
        try:
            await _JobMessages(self._client, self._backend, self._turns, page).erase()
        except _Unanswered as error:
            _log.error("a forgotten painting is still on Discord: the next start goes on", job=job, reason=str(error))
            ended = False  # or nobody would know what is left there
        if store_away is not None:
            raise store_away
        await self._close(job, ended=ended)

    async def delete_stored(self, job: str, *, ended: bool) -> None:
        """Delete what the store and Redis have of a job whose page is gone, once it has ended. Raises as `delete`."""
        if ended:
            await self._backend.store.delete_folder(f"jobs/{job}")
        await self._close(job, ended=ended)

    async def _close(self, job: str, *, ended: bool) -> None:
        if ended:
            await self._backend.jobs.forget(job)
            await self._backend.ledger.close(job)
            _log.info("forgotten", job=job)


async def erase_message(client: discord.Client, channel: int, message: int) -> None:
    """Delete one message, if Discord lets the bot."""

    async def attempt() -> None:
        async with time_limit(client, REQUEST_TIMEOUT):
            await private_api.delete_message(client, channel, message)

    try:
        await persist(attempt)
    except FAILURES as error:
        _log.info("a message could not be deleted", channel=channel, message=message, reason=str(error))


async def withdraw_card(client: discord.Client, ledger: Ledger, job: str) -> None:
    """Delete the card of a job that was not queued, where one was posted before; nothing would ever change it."""
    page = await ledger.page(job)
    if page is not None and page.card is not None:
        await erase_message(client, page.card_channel, page.card)


async def withdraw_unqueued(sender: Sender, ledger: Ledger, job: str) -> None:
    """Delete the card and close the page of a job that a process which has ended did not get to queue.

    Without a job a card is posted in direct messages alone, and may not have been noted.
    """
    page = await ledger.page(job)
    if page is None or page.forget:  # all of what is to be forgotten is deleted elsewhere
        return
    card, channel = page.card, page.card_channel
    if card is None and page.address.guild is None:
        marker = JobButton(Action.CANCEL, job).custom_id
        try:
            card = await persist(partial(sender.find_sent, channel, job, marker), job=job)
        except FAILURES as error:
            _log.info("a card could not be looked for", job=job, channel=channel, reason=str(error))
    if card is not None:
        await erase_message(sender.client, channel, card)
    await ledger.close(job)


class _JobMessages:
    """Thread, pictures, and each card that there ever was."""

    def __init__(self, client: discord.Client, backend: Backend, turns: asyncio.Semaphore, page: LedgerPage) -> None:
        self._client, self._ledger, self._turns, self._page = client, backend.ledger, turns, page
        self._job = page.address.job
        self._closed: set[int] = set()
        """Channels in which the bot may delete nothing: one answer is enough."""
        self._unnoted: list[int] = []
        """Messages of the job in its thread that the page does not know: posted by a process that was killed then."""

    async def erase(self) -> None:
        """Raises `_Unanswered`."""
        await self._client.wait_until_ready()  # what the bot may do where is told by the gateway
        page = self._page
        if page.thread is None:
            await self._erase_posts()
        else:
            await self._erase_thread(page.thread)
        for card, channel in page.former.items():
            await self._erase(channel, card, f"former:{card}")
        for message, channel in page.shared.items():
            await self._erase(channel, message, f"shared:{message}")
        if page.card is not None:
            # `/show` notes the card in both ways: struck off one alone, it would count as a message that is left.
            await self._erase(page.card_channel, page.card, "card", f"former:{page.card}")

    async def _erase_posts(self) -> None:
        for post, message in self._page.posts.items():
            await self._erase(self._page.channel, message, f"post:{post}")

    async def _erase_thread(self, thread: int) -> None:
        """Delete the thread with one request, where the bot may and nobody else wrote there; else what is the job's.

        Of a thread that stays the name goes too.
        """
        alone = await self._nobody_elses(thread)
        may = self._may("manage_threads", thread, unknown=False)
        if alone and may and await self._done(thread, partial(private_api.delete_thread, self._client, thread)):
            await self._ledger.strike(self._job, "thread", *(f"post:{post}" for post in self._page.posts))
            return
        neutral = _(NEUTRAL)
        if getattr(self._client.get_channel(thread), "name", self._page.title) != neutral:
            await self._done(thread, partial(private_api.rename_thread, self._client, thread, neutral))
        await self._erase_posts()
        for message in self._unnoted:
            await self._erase(thread, message)
        if alone:
            await self._done(thread, partial(private_api.archive_thread, self._client, thread))
        await self._ledger.strike(self._job, "thread")

    async def _nobody_elses(self, thread: int) -> bool:
        """Whether whatever is said there is the owner's, or of paintings that the owner wants forgotten."""
        if not self._may("read_message_history", thread, unknown=True):
            return False
        history = self._client.get_partial_messageable(thread).history
        try:
            found = await persist(partial(self._in_turn, lambda: _all(history(limit=LOOK_BACK))), job=self._job)
        except FAILURES:
            return False
        # An empty history is one that the bot may not read; a long one has more than a painting.
        jobs, others = set(), len(found) in (0, LOOK_BACK)
        known = {self._page.card, *self._page.former, *self._page.shared, *self._page.posts.values()}
        for message in found:
            if message.type not in _SAID or message.author.id == self._page.address.owner or message.id in known:
                continue
            found_jobs = {job for job in map(job_of, file_names(message)) if job}
            if message.author != self._client.user or not found_jobs:
                others = True
            elif found_jobs == {self._job}:
                self._unnoted.append(message.id)
            jobs |= found_jobs
        pages = (await self._ledger.pages(*jobs)).values()
        mine = all(page and page.forget and page.address.owner == self._page.address.owner for page in pages)
        return mine and not others

    async def _erase(self, channel: int, message: int, *fields: str) -> None:
        if not await self._done(channel, partial(private_api.delete_message, self._client, channel, message)):
            _log.warning("a message of a forgotten painting stays", job=self._job, message=message, channel=channel)
        await self._ledger.strike(self._job, *fields)

    async def _done(self, channel: int, request: Callable[[], Awaitable[Any]], *, woken: bool = False) -> bool:
        """Whether it is done, or there is nothing to do it to; False where the bot may not. Raises `_Unanswered`."""
        if channel in self._closed or not self._may("view_channel", channel, unknown=True):
            return False
        try:
            await persist(partial(self._in_turn, request), job=self._job)
        except discord.NotFound:
            return True
        except FAILURES as error:
            reason = verdict(error)
            if reason is Verdict.UNARCHIVE_FIRST and not woken:
                if await self._done(channel, partial(private_api.wake_thread, self._client, channel), woken=True):
                    return await self._done(channel, request, woken=True)
                self._closed.add(channel)
                return False
            if reason is Verdict.GONE:
                self._closed.add(channel)
            if reason not in (Verdict.GONE, Verdict.FORBIDDEN, Verdict.UNARCHIVE_FIRST):
                raise _Unanswered(str(error)) from error
            return False
        return True

    async def _in_turn(self, request: Callable[[], Awaitable[Any]]) -> Any:
        async with self._turns, time_limit(self._client, REQUEST_TIMEOUT):
            return await request()

    def _may(self, right: str, channel: int, *, unknown: bool) -> bool:
        """Whether the bot has a right there: a look saves a request that would be refused, and counted."""
        # Archived threads are not told by the gateway; their rights are the channel's.
        found = self._client.get_channel(self._page.address.channel if channel == self._page.thread else channel)
        if not isinstance(found, discord.abc.GuildChannel | discord.Thread) or found.guild.me is None:
            return unknown
        if isinstance(found, discord.Thread) and found.parent is None:
            return unknown
        return bool(getattr(found.permissions_for(found.guild.me), right))


async def _all(history: Any) -> list[discord.Message]:
    return [message async for message in history]
