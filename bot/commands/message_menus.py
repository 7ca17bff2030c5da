"""The menus of messages: **Stylize this** and **Use as style**."""

from __future__ import annotations

import discord
from discord import app_commands

from bot.client import Interaction
from bot.commands.contexts import usable_everywhere
from bot.errors import UserError
from bot.interactions.modals import PictureForm, attached
from bot.requests.paint_request import AttachedPicture


@app_commands.context_menu(name="Stylize this")
@usable_everywhere
async def stylize_this(interaction: Interaction, message: discord.Message) -> None:
    """The message's picture is the content; a form asks for the style."""
    form = _form(interaction, message, as_style=False)
    await interaction.response.send_modal(form)


@app_commands.context_menu(name="Use as style")
@usable_everywhere
async def use_as_style(interaction: Interaction, message: discord.Message) -> None:
    """The message's picture is the style; a form asks for the content."""
    form = _form(interaction, message, as_style=True)
    await interaction.response.send_modal(form)


def _form(interaction: Interaction, message: discord.Message, *, as_style: bool) -> PictureForm:
    services = interaction.client.services
    return PictureForm(services.submission, services.deduplication, picture_of(message), as_style=as_style)


def picture_of(message: discord.Message) -> AttachedPicture:
    """The first picture of a message. Raises `UserError`."""
    for attachment in message.attachments:
        if (attachment.content_type or "").startswith("image/"):
            return attached(attachment)
    raise UserError("There is no picture in this message: choose one that has a picture attached.")
