"""`/stylize`."""

from __future__ import annotations

from typing import Literal

import discord
from discord import app_commands

from bot.client import Interaction
from bot.commands.contexts import usable_everywhere
from bot.interactions.message_pictures import attached
from bot.requests.new_painting import NewPainting
from bot.text.recipe_text import PRESET_WORDS
from engine.recipe.recipe import MAX_ITERATIONS, MAX_SIZE


@app_commands.command()
@usable_everywhere
@app_commands.describe(
    content="The picture to be painted",
    style="The picture to paint it like",
    recipe="How to paint; without it, as is usual here: fine, which gives the best picture, or the server's own",
    iterations="How many, e.g. 300; the preset's own number by default; of a film, for its first picture",
    size="Longest side of the painting in pixels, e.g. 512",
    strength="Style over content: 2 is twice the usual style, 0.5 half of it",
    start="What to begin with",
    seed="The same seed paints the same picture again, e.g. 42",
    style2="A second style, mixed with the first",
    blend="Share of the second style in percent, e.g. 30",
    colours="keep: the painting keeps the content's colours",
    quality="draft: a small one at once, to Finish if you like it; full by default",
    animate="Paint every picture of an animated GIF: the result is a film",
    mention="Mention me when it is done",
)
@app_commands.choices(
    recipe=[app_commands.Choice(name=f"{name} ({words})", value=name) for name, words in PRESET_WORDS.items()]
)
async def stylize(  # noqa: PLR0917 - a parameter for each option
    interaction: Interaction,
    content: discord.Attachment,
    style: discord.Attachment,
    recipe: str | None = None,
    iterations: app_commands.Range[int, 1, MAX_ITERATIONS] | None = None,
    size: app_commands.Range[int, 64, MAX_SIZE] | None = None,
    strength: app_commands.Range[float, 0.01, 100.0] | None = None,
    start: Literal["patches", "content", "style", "noise"] | None = None,
    seed: app_commands.Range[int, 0, 2**53 - 1] | None = None,
    style2: discord.Attachment | None = None,
    blend: app_commands.Range[int, 1, 99] | None = None,
    colours: Literal["keep"] | None = None,
    quality: Literal["draft", "full"] = "full",
    animate: bool = False,
    mention: bool = False,
) -> None:
    """Paint a picture in the style of another, in front of everyone, e.g. a photo like The Starry Night."""
    asked = NewPainting(
        preset=recipe,
        fields={
            "iterations": iterations,
            "size": size,
            "strength": strength,
            "start": start,
            "seed": seed,
            "colours": "content" if colours else None,
        },
        content=attached(content),
        styles=tuple(attached(picture) for picture in (style, style2) if picture is not None),
        blend=blend,
        mention=mention,
        animate=animate,
        draft=quality == "draft",
    )
    await interaction.client.services.submission.submit(interaction, asked)
