"""`create_bot(settings)`: a client with its commands, which connects to nothing by itself."""

from __future__ import annotations

from bot.client import Impasto
from bot.commands import add_commands
from bot.settings import BotSettings


def create_bot(settings: BotSettings) -> Impasto:
    """A client that is ready for `start(token)`, and has connected to nothing yet. Raises `SettingsError`."""
    settings.require_redis()
    bot = Impasto(settings)
    add_commands(bot.tree)
    return bot
