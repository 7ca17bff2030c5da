"""What `make screenshots` shows beside a painting: a study, what one passes on of a painting, and saved styles."""

from __future__ import annotations

from typing import Any

from discord_server.driver import Discord
from discord_server.message_text import files_of, text_of
from scene import card_of
from shots import EXAMPLES, LONGEST, shoot_channel

HARBOUR, STROKES = EXAMPLES / "harbour.png", EXAMPLES / "strokes.png"

Json = dict[str, Any]


async def show_study(discord: Discord) -> None:
    """A study of the style's strength: its card, its pictures, and the sheet."""
    guild = await discord.guild("Studio")
    channel, ada = await guild.channel("studies"), await guild.member("Ada")
    await ada.post(channel, "How much style can the harbour take?")
    asked = await ada.slash(channel, "study", content=HARBOUR, style=STROKES, vary="strength", size=192, iterations=60)
    card = await discord.until(lambda world: card_of(world, channel, asked.id))
    await _done(discord, card)
    await shoot_channel(discord, channel.id, "discord-study.png", card["id"], height=1400)


async def show_passing_on(discord: Discord) -> None:
    """Before and after, the short film, and the recipe code, which its member alone sees."""
    guild = await discord.guild("Studio")
    channel, ada = await guild.channel("gallery"), await guild.member("Ada")
    options = {"content": HARBOUR, "style": STROKES, "size": 320, "iterations": 100, "seed": 42}
    asked = await ada.slash(channel, "stylize", **options)
    card = await discord.until(lambda world: card_of(world, channel, asked.id))
    await _done(discord, card)
    for button in ("Before and after", "Short film", "Recipe code"):
        await (await ada.press(discord.world.message(card), button)).shown()
    await shoot_channel(discord, channel.id, "discord-passing-on.png", width=760, viewer=ada.id)


async def show_styles(discord: Discord) -> None:
    """`/style list` of a server that has saved one beside those that it began with."""
    guild = await discord.guild("Studio")
    channel, ada = await guild.channel("styles"), await guild.member("Ada")
    saved = {"name": "Evening strokes", "picture": STROKES, "recipe": "fine", "strength": 2.0}
    await (await ada.slash(channel, "style save", **saved)).shown()
    await (await ada.slash(channel, "style list")).shown()
    users = {ada.id: {"username": ada.name, "id": ada.id}}
    await shoot_channel(discord, channel.id, "discord-styles.png", width=760, viewer=ada.id, users=users)


async def _done(discord: Discord, card: Json) -> None:
    """Once the card says so, with the picture on it."""
    await discord.until(
        lambda world: "**Done**" in text_of(world.message(card)) and len(files_of(world.message(card))) == 3, LONGEST
    )
