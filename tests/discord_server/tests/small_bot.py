"""A real discord.py client with one command of each kind, run in the test's own process."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import discord
from discord import app_commands, ui
from PIL import Image

from discord_server.driver import Discord
from discord_server.launch import point_discord_at


def png(side: int = 8) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (side, side), (200, 40, 40)).save(file, "PNG")
    return file.getvalue()


class Card(ui.LayoutView):
    """A Components V2 message with a picture and buttons."""

    def __init__(self, text: str) -> None:
        super().__init__(timeout=None)
        gallery: ui.MediaGallery[Card] = ui.MediaGallery(discord.MediaGalleryItem("attachment://card.png"))
        row: ui.ActionRow[Card] = ui.ActionRow()
        row.add_item(Press(label="Cancel"))
        row.add_item(Press(label="Ask me"))
        self.add_item(ui.Container(ui.TextDisplay(text), gallery, row))


class Press(ui.Button[Any]):
    async def callback(self, interaction: discord.Interaction) -> None:
        if self.label == "Ask me":
            await interaction.response.send_modal(Form())
        else:
            await interaction.response.send_message("cancelled", ephemeral=True)


class Form(ui.Modal, title="Another picture"):
    style: ui.Label[Form] = ui.Label(text="Style", component=ui.FileUpload(custom_id="style"))
    recipe: ui.Label[Form] = ui.Label(
        text="Recipe",
        component=ui.RadioGroup(
            custom_id="recipe",
            options=[discord.RadioGroupOption(label=name, value=name.lower()) for name in ("Fine", "Classic")],
        ),
    )
    note: ui.Label[Form] = ui.Label(text="Note", component=ui.TextInput(custom_id="note", required=False))

    async def on_submit(self, interaction: discord.Interaction) -> None:
        upload, radio, note = self.style.component, self.recipe.component, self.note.component
        assert isinstance(upload, ui.FileUpload)
        assert isinstance(radio, ui.RadioGroup)
        assert isinstance(note, ui.TextInput)
        size = len(await upload.values[0].read())
        await interaction.response.send_message(f"{upload.values[0].filename} {size} {radio.value} {note.value}")


class SmallBot(discord.Client):
    def __init__(self) -> None:
        super().__init__(intents=discord.Intents(guilds=True))
        self.tree = app_commands.CommandTree(self)
        self.failures: list[BaseException] = []
        self.posted: list[int] = []
        _register(self)

    async def setup_hook(self) -> None:
        await self.tree.sync()


def _register(bot: SmallBot) -> None:
    @bot.tree.command(description="Paints one picture in the style of another")
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    @app_commands.choices(size=[app_commands.Choice(name="Large", value=512)])
    async def stylize(
        interaction: discord.Interaction,
        content: discord.Attachment,
        recipe: str = "fine",
        size: int = 512,
        steps: app_commands.Range[int, 1, 100] = 10,
    ) -> None:
        await interaction.response.defer(thinking=True)
        data = await content.read()
        picture = discord.File(io.BytesIO(data), "card.png")
        message = await interaction.edit_original_response(view=Card(f"{recipe} {size} {steps}"), attachments=[picture])
        channel = interaction.channel
        if not interaction.is_guild_integration() or not isinstance(channel, discord.TextChannel):
            return
        thread = await channel.get_partial_message(message.id).create_thread(name="A painting")
        for index in range(2):
            file = discord.File(io.BytesIO(data), f"{index}.png", description="a picture")
            await thread.send(f"snapshot {index}", file=file, nonce=f"{interaction.id}.{index}")
        card = channel.get_partial_message(message.id)
        await card.edit(view=Card("done"))

    @stylize.autocomplete("recipe")
    async def recipes(interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=name, value=name) for name in ("fine", "classic") if name.startswith(typed)]

    @bot.tree.context_menu(name="Stylize this")
    async def menu(interaction: discord.Interaction, message: discord.Message) -> None:
        await interaction.response.send_message(f"you wrote {message.content!r}", ephemeral=True)


@asynccontextmanager
async def running(discord_server: Discord) -> AsyncIterator[SmallBot]:
    """Logged in, with its commands registered, until the block ends."""
    point_discord_at(discord_server.api_url, discord_server.gateway_url)
    bot = SmallBot()
    task = asyncio.create_task(bot.start(discord_server.token))
    try:
        await discord_server.until(lambda world: world.counts["sessions"] and world.commands, 10)
        yield bot
    finally:
        await bot.close()
        await asyncio.gather(task, return_exceptions=True)
