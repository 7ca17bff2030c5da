"""Who reads what in which language: a member their own, everybody the server's."""

from __future__ import annotations

import discord

from bot.guild_settings import Rules
from bot.requests.destination import Destination
from bot.text.translation import ENGLISH, language_of, speak


def speak_to(interaction: discord.Interaction) -> None:
    """From here on in this task: what the member alone sees is in the language of their client."""
    speak(language_of(interaction.locale))


def public_language(interaction: discord.Interaction, destination: Destination, rules: Rules) -> str:
    """The language of a painting there: as its moderators chose, else the server's; in direct messages the member's."""
    if destination.guild is None:
        return language_of(interaction.locale)
    if rules.choices.language is not None:
        return rules.choices.language
    guild = interaction.client.get_guild(destination.guild)
    return ENGLISH if guild is None else language_of(guild.preferred_locale)
