"""Keeping a picture as a style of a server: by `/style save`, from a message, or from a painting with its settings."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Literal

import discord

from bot.backend import Backend
from bot.errors import UserError
from bot.interactions.deferred import DeferredInteractions
from bot.interactions.guild_rules import check_allowed
from bot.interactions.permissions import age_restricted, check_may_attach, present
from bot.interactions.replies import reply_private
from bot.interactions.style_list import settings_in_words
from bot.requests.paint_request import AttachedPicture
from bot.requests.pictures import Pictures, check_upload
from bot.requests.style_names import as_saved
from bot.text.formatting import COMMA, joined
from bot.text.sanitise import safe
from bot.text.translation import _
from engine.contract.models import Job, StoredPicture
from engine.contract.saved_styles import FOLDER, SavedStyle, StyleRefused, measured
from engine.contract.study import Value
from engine.recipe.presets import preset, preset_name

_KEPT = ("strength", "iterations", "size", "colours")
"""The recipe's fields that `/style save` takes too."""


class StyleSaving:
    """Saves pictures as styles of a server; one for the whole bot."""

    def __init__(self, backend: Backend, pictures: Pictures, deferred: DeferredInteractions) -> None:
        self._backend, self._pictures, self._deferred = backend, pictures, deferred

    async def save(
        self,
        interaction: discord.Interaction,
        name: str,
        picture: AttachedPicture | StoredPicture,
        settings: Mapping[str, Value],
    ) -> None:
        """Keep it, and say how to paint like it. Raises `UserError`, `BadPicture`, `TooMany` or `StoreError`."""
        if COMMA.search(name):
            raise UserError(_("A style's name has no comma: `/gallery style_names:` parts names by it."))
        if not as_saved(name):
            raise UserError(_("Nothing of that name would be seen: choose another one."))
        async with self._deferred.acknowledged(interaction):
            saved = await self._kept(interaction, as_saved(name), picture, settings)
            told = f" ({joined(settings_in_words(settings))})" if settings else ""
            text = _(
                "Saved as {name}: by `/stylize style_name:` everybody in this server can paint like it{settings}.",
                name=f"**{safe(saved.name, 60)}**",
                settings=told,
            )
            await reply_private(interaction, text)

    async def _kept(
        self,
        interaction: discord.Interaction,
        name: str,
        picture: AttachedPicture | StoredPicture,
        settings: Mapping[str, Value],
    ) -> SavedStyle:
        """The style, taken in and kept. Raises as `save`."""
        guild, owner, styles = server_to_save_in(interaction), interaction.user.id, self._backend.styles
        await check_allowed(self._backend.guilds, interaction)
        check_may_attach(interaction)
        if isinstance(picture, AttachedPicture):
            check_upload(picture)
        if await styles.find(guild, name):
            raise UserError(_refusal("name", name, 0))  # before anything is fetched; `save` checks again, for good
        key = f"{FOLDER}{guild}/{interaction.id}.png"
        with self._pictures.holding(owner):
            async with self._pictures.turn(owner):
                stored = (await self._pictures.keep(picture, key))[0]
        digest = (await asyncio.to_thread(measured, await self._backend.store.get(key)))[2]
        made = SavedStyle(
            name=name, picture=stored, digest=digest, settings=dict(settings), owner=str(owner), saved=time.time(),
            age_restricted=age_restricted(interaction.channel),
        )  # fmt: skip
        limits = self._backend.settings
        try:
            await styles.save(guild, made, limits.impasto_user_styles, limits.impasto_guild_styles)
        except StyleRefused as refused:
            await styles.delete_pictures(key)
            most = limits.impasto_user_styles if refused.cap == "member" else limits.impasto_guild_styles
            raise UserError(_refusal(refused.cap, name, most)) from refused
        return made


def server_to_save_in(interaction: discord.Interaction) -> int:
    """The id of the server that a style is saved in. Raises `UserError` where there is none."""
    if interaction.guild_id is None or not present(interaction):
        raise UserError(_("Styles are saved for a server: use this in a server that I am in."))
    return interaction.guild_id


def settings_of(job: Job) -> dict[str, Value]:
    """How a painting is made, as far as a saved style keeps that: its recipe, and what differs from it.

    Of a draft, how it is to be finished.
    """
    asked, recipe = job.draft_of, job.recipe
    if asked is not None:
        fields = {field: value for field in _KEPT if isinstance(value := asked.fields.get(field), Value)}
        return {"recipe": asked.recipe, **fields}
    name = preset_name(recipe)
    usual = preset(name, weights=recipe.weights, network=recipe.network)
    sized = preset(name, weights=recipe.weights, network=recipe.network, size=recipe.size)
    still = recipe.still()
    own = {
        "strength": float(f"{recipe.beta / usual.beta:.3g}"),
        "iterations": still.iterations - still.extra,
        "size": recipe.size,
        "colours": recipe.colours,
    }
    held = {"strength": 1.0, "iterations": sized.iterations, "size": usual.size, "colours": usual.colours}
    return {"recipe": name, **{field: value for field, value in own.items() if value != held[field]}}


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
