"""`/study` and `/gallery`: several paintings that differ in one thing, and their sheet."""

from __future__ import annotations

from typing import Literal

import discord
from discord import app_commands

from bot.client import Interaction
from bot.commands.contexts import usable_everywhere
from bot.commands.recipe_options import RECIPE_CHOICES, Iterations, Seed, Size, Strength
from bot.commands.style_options import STYLE_NAME, saved_names, style_given
from bot.discord_api.limits import LONGEST_CHOICE
from bot.errors import UserError
from bot.interactions.message_pictures import attached
from bot.interactions.saved_styles import style_choices
from bot.requests.new_study import NewStudy
from bot.requests.paint_request import Style, StyleName
from bot.requests.style_names import as_saved
from bot.text.formatting import COMMA, between_commas
from bot.text.translation import _
from engine.recipe.studies import KINDS, MOST_STYLES, STYLE

_HELD = {
    "recipe": "How to paint; without it, as is usual here: fine, which gives the best picture, or the server's own",
    "iterations": "Of each painting, e.g. 100; the preset's own number by default",
    "size": "Longest side of each painting in pixels, e.g. 256",
    "strength": "Style over content: 2 is twice the usual style, 0.5 half of it",
    "seed": "The same seed paints the same pictures again, e.g. 42",
    "mention": "Mention me when it is done",
    "film": "no: without the film of its making",
}


@app_commands.command()
@usable_everywhere
@app_commands.describe(
    content="The picture to be painted",
    style="The picture to paint it like",
    style_name=STYLE_NAME,
    vary="What is to differ from painting to painting; all else is held",
    snapshots="With iterations: those to show, like 100,300,3300; without it eight, where it changes",
    **_HELD,
)
@app_commands.choices(
    recipe=RECIPE_CHOICES,
    vary=[
        app_commands.Choice(name=f"{vary}: {kind.axis}"[:LONGEST_CHOICE], value=vary)
        for vary, kind in KINDS.items()
        if vary != STYLE
    ],
)
async def study(  # noqa: PLR0917 - a parameter for each option
    interaction: Interaction,
    content: discord.Attachment,
    vary: str,
    style: discord.Attachment | None = None,
    style_name: str | None = None,
    recipe: str | None = None,
    iterations: Iterations | None = None,
    size: Size | None = None,
    strength: Strength | None = None,
    seed: Seed | None = None,
    mention: bool = False,
    film: Literal["yes", "no"] = "yes",
    snapshots: app_commands.Range[str, 1, 200] | None = None,
) -> None:
    """Paint the same several times, vary one thing, and show it all in one sheet."""
    fields = {"iterations": iterations, "size": size, "strength": strength, "seed": seed}
    asked = NewStudy(
        vary, recipe, fields, attached(content), style_given(style, style_name), mention, snapshots, film=film == "yes"
    )
    await interaction.client.services.submission.submit(interaction, asked)


study.autocomplete("style_name")(saved_names)


@app_commands.command()
@usable_everywhere
@app_commands.describe(
    content="The picture to be painted",
    style1="The first picture to paint it like",
    style2="The second",
    style3="A third, and so on",
    style_names="Saved styles too, with commas: night, ink; /style list shows them",
    **_HELD,
)
@app_commands.choices(recipe=RECIPE_CHOICES)
async def gallery(  # noqa: PLR0917 - a parameter for each option
    interaction: Interaction,
    content: discord.Attachment,
    style1: discord.Attachment | None = None,
    style2: discord.Attachment | None = None,
    style3: discord.Attachment | None = None,
    style4: discord.Attachment | None = None,
    style5: discord.Attachment | None = None,
    style6: discord.Attachment | None = None,
    style7: discord.Attachment | None = None,
    style8: discord.Attachment | None = None,
    style_names: str | None = None,
    recipe: str | None = None,
    iterations: Iterations | None = None,
    size: Size | None = None,
    strength: Strength | None = None,
    seed: Seed | None = None,
    mention: bool = False,
    film: Literal["yes", "no"] = "yes",
) -> None:
    """Paint one picture in up to eight styles, each by itself, and show them in one sheet."""
    fields = {"iterations": iterations, "size": size, "strength": strength, "seed": seed}
    given = (style1, style2, style3, style4, style5, style6, style7, style8)
    styles: list[Style] = [attached(style) for style in given if style is not None]
    styles += map(StyleName, between_commas(style_names or ""))
    if len(styles) > MOST_STYLES:
        raise UserError(
            _("These are {given} styles, and {most} are the most: leave some out.", given=len(styles), most=MOST_STYLES)
        )
    asked = NewStudy(STYLE, recipe, fields, attached(content), tuple(styles), mention, film=film == "yes")
    await interaction.client.services.submission.submit(interaction, asked)


@gallery.autocomplete("style_names")
async def _further(interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
    """What was typed up to the last comma, with each name that may follow."""
    *before, last = COMMA.split(typed)
    given = between_commas(",".join(before))
    saved = {as_saved(name) for name in given}
    choices = await style_choices(
        interaction.client.services.backend.styles, interaction, last,
        lambda style: style.name not in saved and not COMMA.search(style.name),  # older ones may have one of Japan's
    )  # fmt: skip
    lists = [", ".join([*given, choice.value]) for choice in choices]
    return [app_commands.Choice(name=names, value=names) for names in lists if len(names) <= LONGEST_CHOICE]
