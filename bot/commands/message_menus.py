"""The menus of messages: **Stylize this** and **Use as style**."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from bot.client import Interaction
from bot.commands.contexts import usable_everywhere
from bot.errors import UserError
from bot.interactions.modals import PictureForm, upload
from bot.requests.follow_ups import Upload


@app_commands.context_menu(name="Stylize this")
@usable_everywhere
async def stylize_this(interaction: Interaction, message: discord.Message) -> None:
    """The message's picture is the content; a form asks for the style."""
    form = PictureForm(interaction.client.submission, picture_of(message), as_style=False)
    await interaction.response.send_modal(form)


@app_commands.context_menu(name="Use as style")
@usable_everywhere
async def use_as_style(interaction: Interaction, message: discord.Message) -> None:
    """The message's picture is the style; a form asks for the content."""
    form = PictureForm(interaction.client.submission, picture_of(message), as_style=True)
    await interaction.response.send_modal(form)


def picture_of(message: discord.Message) -> Upload:
    """The first picture of a message. Raises `UserError`."""
    for attachment in message.attachments:
        if (attachment.content_type or "").startswith("image/"):
            return upload(attachment)
    raise UserError("There is no picture in this message: choose one that has a picture attached.")
