"""`/about`: what the bot does, with a picture of it."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import discord
from discord import app_commands, ui

from bot.client import Interaction
from bot.commands.contexts import usable_everywhere
from bot.guild_settings import Rules
from bot.interactions.replies import patience
from bot.text.formatting import count
from bot.text.translation import N_, _

_PICTURE = "before-and-after.jpg"
_PAPER = "Gatys, Ecker and Bethge, Image Style Transfer Using Convolutional Neural Networks, 2016"
_WEIGHTS = {
    "imagenet": N_("VGG19, trained on ImageNet"),
    "starter": N_("our small starter network, taught by a pretrained VGG16"),
    "random": N_("random stand-ins: a VGG19 that was never trained"),
}


@app_commands.command()
@usable_everywhere
async def about(interaction: Interaction) -> None:
    """What I do, with a picture of it; the weights in use, and the limits here."""
    client = interaction.client
    async with patience(interaction):
        network = await client.services.admission.network()
        rules = await client.services.backend.guilds.rules(interaction.guild_id)
    picture = discord.File(str(files("bot.commands") / _PICTURE), filename=_PICTURE)
    page = _page(rules, network.weights if network else None)
    await interaction.response.send_message(view=page, file=picture, ephemeral=True)


def _page(rules: Rules, weights: str | None) -> ui.LayoutView:
    box: ui.Container[Any] = ui.Container(accent_colour=discord.Colour(0xD9822B))
    box.add_item(
        ui.TextDisplay(
            "### Impasto\n"
            + _(
                "I paint one picture in the style of another while you watch: `/stylize`, with two pictures attached. "
                "Or open the menu of a message with a picture, under Apps: **Stylize this**, or **Use as style**."
            )
            + "\n"
            + _(
                "In the thread come snapshots as the painting grows, then the final picture, the loss curve and a film "
                "of its making. The buttons go on from there: more iterations, a new seed, swapped pictures, more "
                "style or less."
            )
        )
    )
    box.add_item(
        ui.MediaGallery(
            discord.MediaGalleryItem(
                f"attachment://{_PICTURE}", description=_("A harbour, a picture of strokes, and the harbour painted so")
            )
        )
    )
    box.add_item(
        ui.TextDisplay(
            "\n".join(
                f"-# {line}"
                for line in (
                    _("Weights: {weights}.", weights=_in_words(weights)),
                    f"{_limits(rules)} {_('`/forget` deletes all of yours.')}",
                    _kept(rules.keep_days),
                    _("The method: {paper}.", paper=_PAPER),
                )
            )
        )
    )
    view = ui.LayoutView(timeout=None)
    view.add_item(box)
    return view


def _in_words(weights: str | None) -> str:
    return _("not known before a worker has started") if weights is None else _(_WEIGHTS.get(weights, weights))


def _kept(days: int) -> str:
    return _(
        "For {days} after it was posted a painting can be gone on from; then I delete its pictures.",
        days=count(days, "day"),
    )  # fmt: skip


def _limits(rules: Rules) -> str:
    values = {"size": rules.max_size, "iterations": count(rules.max_iterations, "iteration")}
    values["paintings"] = count(rules.member_jobs, "painting")
    if not rules.caps.user_seconds:
        return _("Here: up to {size:,} px and {iterations}, {paintings} at a time for each member.", **values)
    return _(
        "Here: up to {size:,} px and {iterations}, {paintings} at a time for each member, {minutes} of painting a day.",
        **values, minutes=count(max(1, round(rules.caps.user_seconds / 60)), "minute"),
    )  # fmt: skip
