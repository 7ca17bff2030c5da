"""A style as commands take it: attached, or a saved one by its name."""

from __future__ import annotations

import discord
from discord import app_commands

from bot.client import Interaction
from bot.errors import UserError
from bot.interactions.message_pictures import attached
from bot.interactions.saved_styles import style_choices
from bot.requests.paint_request import Style, StyleName
from bot.text.translation import _

STYLE_NAME = "In place of style: one that is saved here; /style list shows them"
"""What the option is for."""


def style_given(picture: discord.Attachment | None, name: str | None, *, needed: bool = True) -> tuple[Style, ...]:
    """The one that is given by either option. Raises `UserError` for both, and for none where one is `needed`."""
    if picture is not None and name is not None:
        raise UserError(_("`style` and `style_name` both say what the style is: leave out one of them."))
    if picture is not None:
        return (attached(picture),)
    if name is not None:
        return (StyleName(name),)
    if needed:
        raise UserError(_("There is no style: attach one as `style`, or choose a saved one as `style_name`."))
    return ()


async def saved_names(interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
    """The styles saved there whose names hold what was typed."""
    return await style_choices(interaction.client.services.backend.styles, interaction, typed)
