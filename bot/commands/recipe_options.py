"""The options of commands that say how to paint: presets to choose from, and what numbers may be given."""

from __future__ import annotations

from typing import TypeAlias

from discord import app_commands

from bot.requests.follow_ups import MAX_STRENGTH
from bot.text.recipe_text import PRESET_WORDS
from engine.recipe.presets import ALIASES
from engine.recipe.recipe import MAX_ITERATIONS, MAX_SIZE

_ALIAS_WORDS = {"talk": "talk (classic, by another name)"}

RECIPE_CHOICES = [
    *(app_commands.Choice(name=f"{name} ({words})", value=name) for name, words in PRESET_WORDS.items()),
    *(app_commands.Choice(name=_ALIAS_WORDS[alias], value=alias) for alias in ALIASES),
]

_SMALLEST = 64  # px; the engine paints smaller ones too, but nobody would look at them

Iterations: TypeAlias = app_commands.Range[int, 1, MAX_ITERATIONS]
Seed: TypeAlias = app_commands.Range[int, 0, 2**53 - 1]
Size: TypeAlias = app_commands.Range[int, _SMALLEST, MAX_SIZE]
Strength: TypeAlias = app_commands.Range[float, 1 / MAX_STRENGTH, MAX_STRENGTH]
