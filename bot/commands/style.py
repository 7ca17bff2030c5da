"""`/style`: the styles that a server keeps."""

from __future__ import annotations

from typing import Literal

import discord
from discord import app_commands

from bot.client import Interaction
from bot.commands.recipe_options import RECIPE_CHOICES, Iterations, Size, Strength
from bot.errors import UserError
from bot.interactions.message_pictures import attached
from bot.interactions.replies import reply_private
from bot.interactions.saved_styles import may_delete, server_of, style_choices, styles_here
from bot.interactions.style_list import style_page
from bot.requests.paint_request import chosen
from bot.requests.style_names import LONGEST_NAME, as_saved, no_such_style
from bot.text.sanitise import safe
from bot.text.translation import _
from engine.contract.saved_styles import SavedStyle
from engine.contract.study import Value
from engine.recipe.presets import ALIASES

style: app_commands.Group = app_commands.Group(
    name="style",
    description="The styles that this server keeps, to paint like them by name",
    allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
    allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=False),
)


@style.command()
@app_commands.describe(
    name="What to call it, e.g. dusk",
    picture="The picture to paint like",
    recipe="How to paint like it; without it, as is usual here",
    strength="Style over content: 2 is twice the usual style, 0.5 half of it",
    iterations="How many, e.g. 300; the preset's own number by default",
    size="Longest side of the painting in pixels, e.g. 512",
    colours="keep: the painting keeps the content's colours",
)
@app_commands.choices(recipe=RECIPE_CHOICES)
async def save(  # noqa: PLR0917 - a parameter for each option
    interaction: Interaction,
    name: app_commands.Range[str, 1, LONGEST_NAME],
    picture: discord.Attachment,
    recipe: str | None = None,
    strength: Strength | None = None,
    iterations: Iterations | None = None,
    size: Size | None = None,
    colours: Literal["keep"] | None = None,
) -> None:
    """Keep a picture as a style of this server, with its settings, for everybody here."""
    given: dict[str, Value | None] = {
        "recipe": recipe and ALIASES.get(recipe, recipe), "strength": strength, "iterations": iterations, "size": size,
        "colours": "content" if colours else None,
    }  # fmt: skip
    await interaction.client.services.style_saving.save(interaction, name, attached(picture), chosen(given))


@style.command(name="list")
async def show(interaction: Interaction) -> None:
    """The styles that are kept here, with their pictures."""
    services = interaction.client.services
    async with services.deferred.acknowledged(interaction):
        found = await styles_here(services.backend.styles, interaction)
        if not found:
            raise UserError(_("No style is saved here: `/style save` keeps one."))
        page = await style_page(services.deduplication, services.backend.store, found)
        await interaction.edit_original_response(view=page, attachments=page.files)


@style.command()
@app_commands.describe(name="The style's name")
async def delete(interaction: Interaction, name: str) -> None:
    """Delete a style that I have saved; moderators any."""
    services = interaction.client.services
    async with services.deferred.acknowledged(interaction):
        guild, styles = server_of(interaction), services.backend.styles
        found = await styles.find(guild, as_saved(name))
        if found is None or not guild:
            raise no_such_style(name)
        if not may_delete(interaction, found):
            raise UserError(_not_yours(found))
        await styles.delete(guild, found)
        await reply_private(
            interaction, _("Deleted: {name}. What was painted like it stays.", name=safe(found.name, 60))
        )


def _not_yours(style: SavedStyle) -> str:
    if style.owner is None:
        return _("Only a member with Manage Messages can delete this style.")
    owner = f"<@{style.owner}>"
    return _("Only {owner}, who saved it, or a member with Manage Messages can delete this style.", owner=owner)


@delete.autocomplete("name")
async def _deletable(interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
    """The saved styles that hold what was typed and that the member may delete."""
    styles = interaction.client.services.backend.styles
    return await style_choices(styles, interaction, typed, lambda one: may_delete(interaction, one))
