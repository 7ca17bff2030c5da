"""Answers what discord.py drops without a word: forms from before a restart, and buttons that are not there."""

from __future__ import annotations

from typing import Any

import discord
from discord import ui

from bot.cards.buttons import JobButton
from bot.errors import UserError
from bot.interactions.deduplication import Deduplication
from bot.interactions.languages import speak_to
from bot.interactions.modals import Form
from bot.interactions.private_view import PrivateView
from bot.interactions.replies import tell_error
from bot.text.translation import N_, _

_CLOSED = N_("I was restarted while this form was open, or it was open for too long: open it again.")
_OLD_CHOICE = N_("I was restarted while this choice was open, or it was open for too long: open it again.")
_SELECTS = tuple(kind.value for kind in discord.ComponentType if kind.name.endswith("select"))
_UNKNOWN = N_("This button has gone: press another one, or start a new painting with `/stylize`.")


async def answer_unknown(interaction: discord.Interaction, deduplication: Deduplication) -> None:
    """Say what to do instead; nothing where the form or button is known."""
    data: Any = interaction.data or {}
    custom_id: str = data.get("custom_id", "")
    text = ""
    if interaction.type is discord.InteractionType.modal_submit and custom_id not in Form.open:
        text = _CLOSED
    elif interaction.type is discord.InteractionType.component and not _comes_to_us(interaction, custom_id):
        text = _OLD_CHOICE if data.get("component_type") in _SELECTS else _UNKNOWN
    if text and deduplication.first(interaction.id):
        speak_to(interaction)
        await tell_error(interaction, UserError(_(text)))


def _comes_to_us(interaction: discord.Interaction, custom_id: str) -> bool:
    """Whether discord.py gives the press to its button or select: one of ours, and on the message as it is now."""
    if custom_id in PrivateView.open:
        return True
    message = interaction.message
    if message is None or not JobButton.knows(custom_id):
        return False
    kind = ui.LayoutView if message.flags.components_v2 else ui.View
    view = kind.from_message(message, timeout=None)
    return any(getattr(item, "custom_id", None) == custom_id for item in view.walk_children())
