"""`/style`: the styles that a server keeps."""

from __future__ import annotations

import asyncio
import time
from typing import Literal

import discord
from discord import app_commands

from bot.client import Interaction
from bot.commands.recipe_choices import RECIPE_CHOICES
from bot.errors import UserError
from bot.interactions.guild_rules import check_allowed
from bot.interactions.message_pictures import attached
from bot.interactions.permissions import age_restricted, check_may_attach, present
from bot.interactions.replies import reply_private
from bot.interactions.saved_styles import may_delete, server_of, style_choices, styles_here
from bot.interactions.style_list import settings_in_words, style_page
from bot.requests.pictures import check_upload
from bot.requests.style_names import no_such_style
from bot.text.sanitise import plain, safe
from bot.text.translation import _
from engine.contract.saved_styles import FOLDER, SavedStyle, StyleRefused, measured
from engine.contract.study import Value
from engine.recipe.recipe import MAX_ITERATIONS, MAX_SIZE

NAME = 40  # letters

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
    name: app_commands.Range[str, 1, NAME],
    picture: discord.Attachment,
    recipe: str | None = None,
    strength: app_commands.Range[float, 0.01, 100.0] | None = None,
    iterations: app_commands.Range[int, 1, MAX_ITERATIONS] | None = None,
    size: app_commands.Range[int, 64, MAX_SIZE] | None = None,
    colours: Literal["keep"] | None = None,
) -> None:
    """Keep a picture as a style of this server, with its settings, for everybody here."""
    services = interaction.client.services
    chosen: dict[str, Value | None] = {
        "recipe": recipe, "strength": strength, "iterations": iterations, "size": size,
        "colours": "content" if colours else None,
    }  # fmt: skip
    settings = {field: value for field, value in chosen.items() if value is not None}
    if "," in name:
        raise UserError(_("A style's name has no comma: `/gallery style_names:` parts names by it."))
    async with services.deferred.acknowledged(interaction):
        saved = await _saved(interaction, plain(name, NAME), picture, settings)
        told = f" ({', '.join(settings_in_words(settings))})" if settings else ""
        await reply_private(
            interaction,
            _("Saved as {name}: by `/stylize style_name:` everybody in this server can paint like it{settings}.",
              name=f"**{safe(saved.name, 60)}**", settings=told),
        )  # fmt: skip


async def _saved(
    interaction: Interaction, name: str, picture: discord.Attachment, settings: dict[str, Value]
) -> SavedStyle:
    """The style, taken in and kept. Raises `UserError`, `BadPicture`, `TooMany` or `StoreError`."""
    services, guild, owner = interaction.client.services, interaction.guild_id, interaction.user.id
    if guild is None or not present(interaction):
        raise UserError(_("Styles are saved for a server: use this in a server that I am in."))
    await check_allowed(services.backend.guilds, interaction)
    check_may_attach(interaction)
    upload, styles = attached(picture), services.backend.styles
    check_upload(upload)
    if await styles.find(guild, name):
        raise UserError(_refusal("name", name, 0))  # before anything is fetched; `save` checks again, for good
    key = f"{FOLDER}{guild}/{interaction.id}.png"
    with services.pictures.holding(owner):
        async with services.pictures.turn(owner):
            stored = (await services.pictures.keep(upload, key))[0]
    digest = (await asyncio.to_thread(measured, await services.backend.store.get(key)))[2]
    made = SavedStyle(
        name=name, picture=stored, digest=digest, settings=settings, owner=str(owner), saved=time.time(),
        age_restricted=age_restricted(interaction.channel),
    )  # fmt: skip
    limits = services.backend.settings
    try:
        await styles.save(guild, made, limits.impasto_user_styles, limits.impasto_guild_styles)
    except StyleRefused as refused:
        await services.backend.store.delete(key)
        most = limits.impasto_user_styles if refused.cap == "member" else limits.impasto_guild_styles
        raise UserError(_refusal(refused.cap, name, most)) from refused
    return made


def _refusal(cap: Literal["name", "member", "server"], name: str, most: int) -> str:
    if cap == "name":
        return _(
            "There is a style called {name} here already: choose another name, or delete that one first.",
            name=safe(name, 60),
        )  # fmt: skip
    if cap == "member":
        return _(
            "You have saved {most} styles here, and that is the most: delete one by `/style delete` first.", most=most
        )
    return _(
        "This server has {most} saved styles, and that is the most: delete one by `/style delete` first.", most=most
    )


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
        found = await styles.find(guild, name)
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
    """Those that the member may delete."""
    styles = interaction.client.services.backend.styles
    return await style_choices(styles, interaction, typed, lambda one: may_delete(interaction, one))
