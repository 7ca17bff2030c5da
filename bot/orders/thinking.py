"""Whom the bot owes an answer: noted in Redis, so that a bot that was killed still answers after its restart."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import discord
import structlog

from bot.cards.answers import acknowledge
from bot.desk import Desk

if TYPE_CHECKING:
    from bot.client import Impasto

_KEY = "impasto:thinking"
_SECONDS = 900  # an interaction's token lives no longer

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def thinking(desk: Desk, interaction: discord.Interaction[Any]) -> AsyncIterator[None]:
    """Acknowledge at once, with an answer that only the member will see; the block must give it."""
    await acknowledge(interaction)
    note = json.dumps({"application": interaction.application_id, "token": interaction.token})
    await desk.redis.set(f"{_KEY}:{interaction.id}", note, ex=_SECONDS)
    try:
        yield
    finally:
        await desk.redis.delete(f"{_KEY}:{interaction.id}")


async def answer_left(client: Impasto) -> None:
    """Tell those that the last process left waiting."""
    redis = client.desk.redis
    async with aiohttp.ClientSession() as session:
        async for key in redis.scan_iter(f"{_KEY}:*", count=500):
            raw = await redis.getdel(key)
            if raw is None:
                continue
            note, job = json.loads(raw), key.decode().rpartition(":")[2]
            accepted = await client.desk.jobs.state(job) is not None
            text = "It is accepted." if accepted else "I was restarted while I took your pictures: please ask again."
            webhook = discord.Webhook.partial(note["application"], note["token"], session=session)
            try:
                await webhook.edit_message("@original", content=text)  # type: ignore[call-overload]
            except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
                _log.info("an answer came too late", interaction=job, reason=str(error))
