"""The menus of messages: **Stylize this** and **Use as style**."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import discord
from discord import app_commands
from redis.exceptions import RedisError

from bot.client import Interaction
from bot.commands.contexts import usable_everywhere
from bot.errors import UserError
from bot.guild_settings import USUAL_RECIPE
from bot.interactions.guild_rules import check_allowed
from bot.interactions.message_pictures import pictures_of
from bot.interactions.modals import PictureForm
from bot.interactions.picture_choice import PictureChoice
from bot.requests.paint_request import AttachedPicture
from bot.text.translation import _

_PATIENCE = 1.0  # s; of the three that Discord waits


@app_commands.context_menu(name="Stylize this")
@usable_everywhere
async def stylize_this(interaction: Interaction, message: discord.Message) -> None:
    """The message's picture is the content; a form asks for the style."""
    await _ask(interaction, message, as_style=False)


@app_commands.context_menu(name="Use as style")
@usable_everywhere
async def use_as_style(interaction: Interaction, message: discord.Message) -> None:
    """The message's picture is the style; a form asks for the content."""
    await _ask(interaction, message, as_style=True)


async def _ask(interaction: Interaction, message: discord.Message, *, as_style: bool) -> None:
    """For the other picture; first for one of the message's, where it has several."""
    services, pictures = interaction.client.services, pictures_of(message)
    if not pictures:
        raise UserError(_("There is no picture in this message: choose one that has a picture attached."))
    recipe = USUAL_RECIPE
    # Before the form is filled in for nothing; what it asks for is held against the rules once more. Redis may be away.
    with suppress(TimeoutError, RedisError):
        async with asyncio.timeout(_PATIENCE):
            recipe = (await check_allowed(services.backend.guilds, interaction)).recipe

    def form_of(picture: AttachedPicture) -> PictureForm:
        return PictureForm(services.submission, services.deduplication, picture, as_style=as_style, recipe=recipe)

    if len(pictures) == 1:
        await interaction.response.send_modal(form_of(pictures[0]))
    else:
        choice = PictureChoice(pictures, services.deduplication, form_of)
        await interaction.response.send_message(view=choice, ephemeral=True)
