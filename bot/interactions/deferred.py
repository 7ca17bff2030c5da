"""Whom the bot owes an answer: noted in Redis, so that a bot that was killed still answers after its restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import discord
import structlog
from arq.connections import ArqRedis
from pydantic import BaseModel
from redis.exceptions import ResponseError

from bot.interactions.replies import acknowledge, persist
from bot.backend import Backend
from engine.contract.connection import within

if TYPE_CHECKING:
    from bot.client import Impasto

_KEY = "impasto:thinking"
_SECONDS = 900  # an interaction's token lives no longer
_REQUEST_TIMEOUT = 1.0  # s; of the three that Discord waits
_RESTARTED = "I was restarted before I was done with this: please ask again."

_log = structlog.get_logger(__name__)


class _Note(BaseModel):
    """What it takes to answer an interaction."""

    application: int
    token: str


@asynccontextmanager
async def thinking(backend: Backend, interaction: discord.Interaction[Any], *, ephemeral: bool = True) -> AsyncIterator[None]:
    """Acknowledge at once; the block must give the answer, which the member alone will see if it is `ephemeral`."""
    client, task = interaction.client, asyncio.current_task()
    await client.confirm()
    key = f"{_KEY}:{interaction.id}"
    note = _Note(application=interaction.application_id, token=interaction.token).model_dump_json()
    # Before the acknowledgement, or a bot that is killed right after it would not know; but Redis may be away.
    noting = asyncio.ensure_future(backend.redis.set(key, note, ex=_SECONDS))
    await asyncio.wait([noting], timeout=_REQUEST_TIMEOUT)
    client.answering.add(task)
    try:
        await acknowledge(interaction, ephemeral=ephemeral)
        await noting
        yield
    finally:
        noting.cancel()
        client.answering.discard(task)
        if not client.is_closed():  # else it is for the next process to answer
            await backend.redis.delete(key)


async def left_waiting(redis: ArqRedis) -> Sequence[bytes]:
    """Whom the last process owes an answer; to be asked before this one listens to anybody."""
    return [key async for key in redis.scan_iter(f"{_KEY}:*", count=500)]


async def answer_left(client: Impasto, keys: Sequence[bytes]) -> None:
    """Answer those."""
    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(_answer(client, key, session) for key in keys))


async def _answer(client: Impasto, key: bytes, session: aiohttp.ClientSession) -> None:
    job = key.decode(errors="replace").rpartition(":")[2]
    try:
        raw = await client.backend.redis.get(key)
        if raw is None:
            return
        note = _Note.model_validate_json(within(raw))
    except (ValueError, ResponseError) as error:
        _log.warning("the note of an answer cannot be read", interaction=job, reason=str(error)[:300])
        await client.backend.redis.delete(key)
        return
    webhook = discord.Webhook.partial(note.application, note.token, session=session)
    text = await _outcome(client.backend, job)
    try:
        await persist(lambda: webhook.edit_message("@original", content=text))  # type: ignore[call-overload]
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        _log.info("an answer came too late", interaction=job, reason=str(error))
    await client.backend.redis.delete(key)


async def _outcome(backend: Backend, job: str) -> str:
    """What became of an interaction: jobs have the id of theirs."""
    if await backend.jobs.state(job) is None:
        return _RESTARTED
    page = await backend.ledger.page(job)
    return f"Accepted: watch it in <#{page.thread}>." if page and page.thread else "Accepted: watch it below."
