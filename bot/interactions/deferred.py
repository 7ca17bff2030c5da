"""Deferred interactions: whom the bot owes an answer is noted in Redis, so that it answers even after it was killed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

import discord
import structlog
from pydantic import BaseModel
from redis.exceptions import ResponseError

from bot.backend import Backend
from bot.delivery.deletion import withdraw_unqueued
from bot.delivery.sender import Sender
from bot.discord_api.retry import FAILURES, persist
from bot.interactions.replies import TOKEN_LIVES, acknowledge
from bot.post_ledger import LedgerPage
from bot.text.translation import ENGLISH, N_, _, current_language, speaking
from engine.contract.connection import within
from engine.process.metrics import ACKNOWLEDGED

_KEY = "impasto:thinking"
_NOTING = 1.0  # s, of the three that Discord waits, for whatever Redis is asked before the acknowledgement
_RESTARTED = N_("I was restarted before I was done with this: please ask again.")

_log = structlog.get_logger(__name__)


class _Note(BaseModel):
    """What it takes to answer an interaction."""

    application: int
    token: str
    language: str = ENGLISH
    channel: int | None = None
    """The channel of the interaction, by its id."""
    ephemeral: bool = True
    """Whether the member alone sees that the bot is thinking."""


class DeferredInteractions:
    """Acknowledges interactions at once and answers them later, also after a restart; one for the whole bot."""

    def __init__(self, sender: Sender, backend: Backend, confirm: Callable[[], Awaitable[None]]) -> None:
        """`confirm` raises where this process leads no longer: then another one answers."""
        self._sender, self._backend, self._confirm = sender, backend, confirm
        self._answering: set[asyncio.Task[Any] | None] = set()

    @asynccontextmanager
    async def acknowledged(self, interaction: discord.Interaction, *, ephemeral: bool = True) -> AsyncIterator[None]:
        """Acknowledge at once; the block must give the answer, which the member alone will see if it is `ephemeral`."""
        task, redis, loop = asyncio.current_task(), self._backend.redis, asyncio.get_running_loop()
        until = loop.time() + _NOTING
        await self._confirm()
        key = f"{_KEY}:{interaction.id}"
        who = _Note(
            application=interaction.application_id, token=interaction.token, language=current_language(),
            channel=interaction.channel_id, ephemeral=ephemeral,
        )  # fmt: skip
        note = who.model_dump_json()
        # Before the acknowledgement, or a bot that is killed right after it would not know; but Redis may be away.
        noting = asyncio.ensure_future(redis.set(key, note, ex=int(TOKEN_LIVES)))
        await asyncio.wait([noting], timeout=max(0.0, until - loop.time()))
        self._answering.add(task)
        ending = False
        try:
            await acknowledge(interaction, ephemeral=ephemeral)
            ACKNOWLEDGED.observe(max(0.0, time.time() - interaction.created_at.timestamp()))
            await noting
            yield
        except asyncio.CancelledError:
            ending = True  # at an orderly end what the block waits for is cancelled before the client is closed
            raise
        finally:
            noting.cancel()
            self._answering.discard(task)
            if not ending and not interaction.client.is_closed():  # else it is for the next process to answer
                await redis.delete(key)

    async def finish(self, seconds: float) -> None:
        """Let what is at work on an answer come to an end, for at most so long."""
        tasks = [task for task in self._answering if task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)

    async def left_waiting(self) -> Sequence[bytes]:
        """Whom the last process owes an answer; to be asked before this one listens to anybody."""
        return [key async for key in self._backend.redis.scan_iter(f"{_KEY}:*", count=500)]

    async def answer_left(self, keys: Sequence[bytes]) -> None:
        """Answer the interactions noted under these keys."""
        await asyncio.gather(*(self._answer(key) for key in keys))

    async def _answer(self, key: bytes) -> None:
        redis, job = self._backend.redis, key.decode(errors="replace").rpartition(":")[2]
        try:
            raw = await redis.get(key)
            if raw is None:
                return
            note = _Note.model_validate_json(within(raw))
        except (ValueError, ResponseError) as error:
            _log.warning("the note of an answer cannot be read", interaction=job, reason=str(error)[:300])
            await redis.delete(key)
            return
        webhook = discord.Webhook.partial(note.application, note.token, client=self._sender.client)
        with speaking(note.language):
            text = await self._outcome(job, note.channel)
        try:
            if note.ephemeral:
                await persist(partial(webhook.edit_message, "@original", content=text), within=TOKEN_LIVES)
            else:
                await persist(partial(_answer_privately, webhook, text), within=TOKEN_LIVES)
        except FAILURES as error:
            _log.info("an answer came too late", interaction=job, reason=str(error))
        await redis.delete(key)

    async def _outcome(self, job: str, asked_in: int | None) -> str:
        """The sentence that says what became of an interaction, whose id is its job's."""
        if await self._backend.jobs.state(job) is None:
            await withdraw_unqueued(self._sender, self._backend.ledger, job)
            return _(_RESTARTED)
        return where_to_look(await self._backend.ledger.page(job), asked_in)


async def _answer_privately(webhook: discord.Webhook, text: str) -> None:
    """Say it to the member alone, in place of a public "is thinking"; nothing where that was answered."""
    with suppress(discord.NotFound):  # the first of two attempts may have taken it back
        answer = await webhook.fetch_message("@original")  # type: ignore[arg-type]  # as `edit_message` is given it
        if not answer.flags.loading:
            return
        await webhook.delete_message("@original")  # type: ignore[arg-type]
    webhook.type = discord.WebhookType.application  # of a partial one discord.py does not know
    await webhook.send(text, ephemeral=True)


def where_to_look(page: LedgerPage | None, asked_in: int | None) -> str:
    """The sentence that a job was accepted, and where it can be watched by who asked for it in channel `asked_in`."""
    if page and (page.thread or page.address.channel != asked_in):
        return _("Accepted: watch it in {place}.", place=f"<#{page.channel}>")
    return _("Accepted: watch it below.")
