"""The menus of messages: **Stylize this**, **Use as style** and **Save as style**."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial

import discord
from discord import app_commands
from redis.exceptions import RedisError

from bot.client import Interaction
from bot.commands.contexts import usable_everywhere, usable_in_servers
from bot.errors import UserError
from bot.guild_settings import USUAL_RECIPE
from bot.interactions.guild_rules import check_allowed
from bot.interactions.message_pictures import pictures_of
from bot.interactions.modals import Form, PictureForm, StyleForm
from bot.interactions.picture_choice import PictureChoice
from bot.interactions.replies import patience
from bot.interactions.style_saving import server_to_save_in
from bot.requests.paint_request import AttachedPicture
from bot.text.translation import _


@app_commands.context_menu(name="Stylize this")
@usable_everywhere
async def stylize_this(interaction: Interaction, message: discord.Message) -> None:
    """The message's picture is the content; a form asks for the style."""
    await _ask(interaction, message, partial(_picture_form, interaction, as_style=False))


@app_commands.context_menu(name="Use as style")
@usable_everywhere
async def use_as_style(interaction: Interaction, message: discord.Message) -> None:
    """The message's picture is the style; a form asks for the content."""
    await _ask(interaction, message, partial(_picture_form, interaction, as_style=True))


@app_commands.context_menu(name="Save as style")
@usable_in_servers
async def save_as_style(interaction: Interaction, message: discord.Message) -> None:
    """The message's picture is kept as a style of the server; a form asks what to call it."""
    services = interaction.client.services
    server_to_save_in(interaction)
    await _ask(
        interaction,
        message,
        lambda picture, _: StyleForm(services.style_saving, services.deduplication, (picture,), {}),
    )


def _picture_form(interaction: Interaction, picture: AttachedPicture, recipe: str, *, as_style: bool) -> Form:
    services = interaction.client.services
    return PictureForm(services.submission, services.deduplication, picture, as_style=as_style, recipe=recipe)


async def _ask(
    interaction: Interaction, message: discord.Message, form_of: Callable[[AttachedPicture, str], Form]
) -> None:
    """By a form of one of the message's pictures, and the usual recipe here; first which, where it has several."""
    services, pictures = interaction.client.services, pictures_of(message)
    if not pictures:
        raise UserError(_("There is no picture in this message: choose one that has a picture attached."))
    recipe = USUAL_RECIPE
    # Before the form is filled in for nothing; what it asks for is held against the rules once more. Redis may be away.
    with suppress(RedisError):
        async with patience(interaction):
            recipe = (await check_allowed(services.backend.guilds, interaction)).recipe
    if len(pictures) == 1:
        await interaction.response.send_modal(form_of(pictures[0], recipe))
    else:
        choice = PictureChoice(pictures, services.deduplication, lambda picture: form_of(picture, recipe))
        await interaction.response.send_message(view=choice, ephemeral=True)
