"""`/stylize`."""

from __future__ import annotations

from typing import Literal

import discord
from discord import app_commands

from bot.client import Interaction
from bot.commands.contexts import usable_everywhere
from bot.commands.recipe_options import RECIPE_CHOICES, Iterations, Seed, Size, Strength
from bot.commands.style_options import STYLE_NAME, saved_names, style_given
from bot.interactions.message_pictures import attached
from bot.requests.from_recipe_code import FromCode
from bot.requests.new_painting import NewPainting
from bot.requests.paint_request import AttachedPicture
from engine.contract.recipe_code import read_code


@app_commands.command()
@usable_everywhere
@app_commands.describe(
    content="The picture to be painted",
    style="The picture to paint it like",
    style_name=STYLE_NAME,
    recipe="How to paint; without it, as is usual here: fine, which gives the best picture, or the server's own",
    iterations="How many, e.g. 300; the preset's own number by default; of a film, for its first picture",
    size="Longest side of the painting in pixels, e.g. 512",
    strength="Style over content: 2 is twice the usual style, 0.5 half of it",
    start="What to begin with",
    start_picture="A picture of yours to begin with",
    snapshots="Iterations to show, like 100,300,1000; auto: where it changes; every:50: each fiftieth",
    mask="Where in the painting the style applies: white; with two styles one for each",
    mask2="Where in the painting the second style applies",
    style_mask="Which part of the style counts: white",
    style2_mask="Which part of the second style counts",
    recipe_code="A line from under another painting: its recipe, seed and size, with a content of yours",
    seed="The same seed paints the same picture again, e.g. 42",
    style2="A second style, mixed with the first",
    blend="Share of the second style in percent, e.g. 30",
    colours="keep: the painting keeps the content's colours",
    quality="draft: a small one at once, to Finish if you like it; full by default",
    animate="Paint every picture of an animated GIF: the result is a film",
    film="no: without the film of its making",
    mention="Mention me when it is done",
)
@app_commands.choices(recipe=RECIPE_CHOICES)
async def stylize(  # noqa: PLR0917 - a parameter for each option
    interaction: Interaction,
    content: discord.Attachment,
    style: discord.Attachment | None = None,
    style_name: str | None = None,
    recipe: str | None = None,
    iterations: Iterations | None = None,
    size: Size | None = None,
    strength: Strength | None = None,
    start: Literal["patches", "content", "style", "noise"] | None = None,
    seed: Seed | None = None,
    style2: discord.Attachment | None = None,
    blend: app_commands.Range[int, 1, 99] | None = None,
    colours: Literal["keep"] | None = None,
    quality: Literal["draft", "full"] = "full",
    animate: bool = False,
    film: Literal["yes", "no"] = "yes",
    mention: bool = False,
    snapshots: app_commands.Range[str, 1, 200] | None = None,
    start_picture: discord.Attachment | None = None,
    mask: discord.Attachment | None = None,
    mask2: discord.Attachment | None = None,
    style_mask: discord.Attachment | None = None,
    style2_mask: discord.Attachment | None = None,
    recipe_code: str | None = None,
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
        styles=(*style_given(style, style_name, needed=recipe_code is None), *_all(style2)),
        blend=blend,
        mention=mention,
        animate=animate,
        draft=quality == "draft",
        film=film == "yes",
        snapshots=snapshots,
        start=None if start_picture is None else attached(start_picture),
        content_masks=_all(mask, mask2),
        style_masks=_all(style_mask, style2_mask),
    )
    by_code = None if recipe_code is None else FromCode.of(asked, read_code(recipe_code))
    await interaction.client.services.submission.submit(interaction, by_code or asked)


stylize.autocomplete("style_name")(saved_names)


def _all(*given: discord.Attachment | None) -> tuple[AttachedPicture, ...]:
    """The pictures that were attached, in order."""
    return tuple(attached(picture) for picture in given if picture is not None)
