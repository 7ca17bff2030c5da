"""The presets as commands offer them."""

from __future__ import annotations

from discord import app_commands

from bot.text.recipe_text import PRESET_WORDS
from engine.recipe.presets import ALIASES

_ALIAS_WORDS = {"talk": "talk (classic, by another name)"}

RECIPE_CHOICES = [
    *(app_commands.Choice(name=f"{name} ({words})", value=name) for name, words in PRESET_WORDS.items()),
    *(app_commands.Choice(name=_ALIAS_WORDS[alias], value=alias) for alias in ALIASES),
]
