"""What members type, and what they find in the menus of messages."""

from __future__ import annotations

from typing import Any

from discord import app_commands

from bot.commands.about import about
from bot.commands.forget import forget
from bot.commands.message_menus import save_as_style, stylize_this, use_as_style
from bot.commands.moderation import impasto
from bot.commands.queue import queue
from bot.commands.show_and_cancel import cancel, show
from bot.commands.study import gallery, study
from bot.commands.style import style
from bot.commands.stylize import stylize


def add_commands(tree: app_commands.CommandTree[Any]) -> None:
    """Add them all, installable to servers and to users, usable everywhere."""
    typed: tuple[Any, ...] = (stylize, study, gallery, style, queue, show, cancel, forget, about, impasto)
    menus: tuple[Any, ...] = (stylize_this, use_as_style, save_as_style)
    for command in typed + menus:
        tree.add_command(command)
