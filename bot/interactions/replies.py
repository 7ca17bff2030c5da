"""Answers that only the member sees: one sentence, however the interaction stands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import discord
import structlog
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeout

from bot.discord_api.retry import persist
from bot.errors import UserError
from bot.intake import BadPicture
from bot.text.cap_messages import cap_message
from bot.text.formatting import relative
from bot.text.translation import _, stored
from engine.contract.models import TooMany
from engine.contract.store import StoreError
from engine.recipe.recipe import RecipeError

_log = structlog.get_logger(__name__)

_ALREADY = 40060
"""Discord's code for an interaction that was acknowledged before."""
_PUBLIC = "public"
"""Among an interaction's extras: whether everybody sees its answer."""
TOKEN_LIVES = 900.0
"""Seconds for which an interaction can be answered."""
_PATIENCE = 1.5  # s; of the three that Discord waits, and what follows may take another one


@asynccontextmanager
async def patience(interaction: discord.Interaction) -> AsyncIterator[None]:
    """For what Redis is asked before an interaction is answered: while it is away, its client tries again for ever.

    All such blocks of an interaction share one time, which begins with the first. Raises `RedisError` when it is over.
    """
    until = interaction.extras.setdefault("patience", asyncio.get_running_loop().time() + _PATIENCE)
    try:
        async with asyncio.timeout_at(until):
            yield
    except TimeoutError:
        raise RedisTimeout("timeout") from None


async def acknowledge(interaction: discord.Interaction, *, ephemeral: bool = True) -> None:
    """Within three seconds: the bot is thinking, and the answer will be for the member alone if it is `ephemeral`.

    Discord may have taken an acknowledgement that seemed to fail; then it is one. Raises `discord.NotFound` when it is
    too late for any.
    """
    interaction.extras[_PUBLIC] = not ephemeral
    try:
        await persist(lambda: interaction.response.defer(ephemeral=ephemeral, thinking=True), within=TOKEN_LIVES)
    except discord.HTTPException as error:
        if error.code != _ALREADY:
            raise


async def reply_private(interaction: discord.Interaction, text: str, **more: Any) -> None:
    """Say it to the member alone: as the answer, in place of "is thinking", or after what was said before.

    A public "is thinking" is taken back.
    """
    if not interaction.response.is_done():
        try:
            await interaction.response.send_message(text, ephemeral=True, **more)
            return
        except discord.HTTPException as error:
            if error.code != _ALREADY:
                raise
        await persist(lambda: interaction.edit_original_response(content=text, **more), within=TOKEN_LIVES)
    elif interaction.extras.get(_PUBLIC):
        # First: what is said while "is thinking" stands takes its place, before everybody.
        await take_back(interaction)
        await interaction.followup.send(text, ephemeral=True, **more)
    elif interaction.response.type == discord.InteractionResponseType.deferred_channel_message:
        await persist(lambda: interaction.edit_original_response(content=text, **more), within=TOKEN_LIVES)
    else:
        await interaction.followup.send(text, ephemeral=True, **more)


async def take_back(interaction: discord.Interaction) -> None:
    """Delete the answer, unless somebody else has."""
    with suppress(discord.NotFound):
        await persist(interaction.delete_original_response, within=TOKEN_LIVES)


def user_sentence(error: Exception) -> str | None:
    """What the member is told of an error that is an answer; None for an error of the program's own."""
    match error:
        case TooMany():
            return cap_message(error, relative)
        case UserError():
            return str(error)
        case BadPicture() | RecipeError():  # of modules that know no language but English
            return stored(str(error))
    return None


async def tell_error(interaction: discord.Interaction, error: Exception, **where: str) -> None:
    """Tell the member what went wrong; what is the program's own fault goes to the log, whole. Never raises."""
    text = user_sentence(error)
    log = _log.bind(interaction=str(interaction.id), user=str(interaction.user.id), **where)
    if isinstance(error, (RedisError, StoreError)):
        log.warning("an interaction could not be served", reason=str(error))
        text = _("My memory does not answer at the moment: try again in a minute.")
    if text is None:
        log.error("an interaction broke off", exc_info=error)
        text = _(
            "Something went wrong on my side: try again, and if it stays so, tell the operators {id}.",
            id=f"`{interaction.id}`",
        )  # fmt: skip
    try:
        await reply_private(interaction, text)
    except (discord.HTTPException, OSError) as silent:
        log.warning("the member could not be told", reason=str(silent), text=text)
