"""Where commands can be used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from discord import app_commands

C = TypeVar("C", bound=Callable[..., Any])


def usable_everywhere(command: C) -> C:
    """Installable to servers and to users; in servers, direct messages and group chats."""
    installable = app_commands.allowed_installs(guilds=True, users=True)
    return app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)(installable(command))


def usable_in_servers(command: C) -> C:
    """Where the bot is a member alone."""
    return app_commands.guild_only(app_commands.guild_install(command))
