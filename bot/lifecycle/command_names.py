"""Names and descriptions of commands, options and choices as members read them, in the languages of their clients."""

from __future__ import annotations

from collections.abc import Mapping

from discord import Locale, app_commands
from discord.app_commands import TranslationContextLocation as Place

from bot.text.translation import ENGLISH, command_text, language_of

CONTEXTS: Mapping[Place, str] = {
    Place.command_name: "command", Place.group_name: "command", Place.parameter_name: "option",
    Place.command_description: "description", Place.group_description: "description",
    Place.parameter_description: "description", Place.choice_name: "choice",
}  # fmt: skip
"""The context in the catalogue of what stands in a place; names have other rules than sentences."""


class CommandTranslator(app_commands.Translator):
    """Looks them up; where a language has none, members see the English."""

    async def translate(
        self, string: app_commands.locale_str, locale: Locale, context: app_commands.TranslationContextTypes
    ) -> str | None:
        """The text of a command in the locale; None where the locale has no text of its own."""
        language = language_of(locale)
        return None if language == ENGLISH else command_text(CONTEXTS[context.location], str(string), language)
