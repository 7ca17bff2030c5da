"""The thread under a card."""

from __future__ import annotations

from typing import Literal

import discord
import structlog

from bot.delivery.sender import REQUEST_TIMEOUT, Undeliverable
from bot.discord_api.error_sentences import Verdict, sentence, verdict
from bot.discord_api.pacing import time_limit
from bot.discord_api.private_api import add_thread_member, start_thread
from bot.discord_api.retry import FAILURES, persist
from bot.post_ledger import NEUTRAL, LedgerPage

_ARCHIVE: Literal[1440] = 1440  # minutes without a message; the next one brings it back
_EXISTS = 160004
_INVALID = 50035
_PATIENCE = 30.0  # s; the pictures are more than who is told of them

_log = structlog.get_logger(__name__)


async def open_thread(client: discord.Client, page: LedgerPage) -> int:
    """Open the thread under the card, if it is not, for the owner to follow; its id, which is the card's.

    Raises `Undeliverable`.
    """
    card = page.card
    assert card is not None  # noqa: S101 - the card comes first

    async def attempt() -> int:
        async with time_limit(client, REQUEST_TIMEOUT):
            return await start_thread(client, page.address.channel, card, page.shown_title, _ARCHIVE)

    try:
        thread = await persist(attempt, job=page.address.job, post="thread")
    except FAILURES as error:
        if not isinstance(error, discord.HTTPException) or error.code != _EXISTS:
            raise Undeliverable(_reason(error, page), sentence(error)) from error
        thread = card
    await add_owner(client, thread, page)
    return thread


def _reason(error: Exception, page: LedgerPage) -> Verdict:
    """What to do about an error of opening a thread."""
    # Servers in Server Discovery refuse words in a thread's name by this code, not by AutoMod's.
    if isinstance(error, discord.HTTPException) and error.code == _INVALID and page.title != NEUTRAL:
        return Verdict.BLOCKED
    return verdict(error)


async def add_owner(client: discord.Client, thread: int, page: LedgerPage) -> None:
    """Make who asked a member of the thread, or nobody would be told of what is posted there."""

    async def attempt() -> None:
        async with time_limit(client, REQUEST_TIMEOUT):
            await add_thread_member(client, thread, page.address.owner)

    try:
        await persist(attempt, within=_PATIENCE, job=page.address.job, post="thread member")
    except FAILURES as error:
        _log.info("who asked could not be added to the thread", job=page.address.job, reason=str(error))
