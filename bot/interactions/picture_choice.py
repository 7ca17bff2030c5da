"""The choice of one of a message's pictures, for its member alone; in a message, since forms show no pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import discord
from discord import ui

from bot.interactions.deduplication import Deduplication
from bot.interactions.modals import OPEN_FOR, Form
from bot.interactions.replies import tell_error
from bot.requests.paint_request import AttachedPicture
from bot.text.sanitise import plain

MOST = 10
"""Pictures that a gallery holds."""


class PictureChoice(ui.LayoutView):
    """Shows the pictures, and opens the form of the one that is chosen."""

    open: ClassVar[set[str]] = set()
    """The custom ids of the selects that this process has shown and can still take."""

    def __init__(
        self,
        pictures: Sequence[AttachedPicture],
        deduplication: Deduplication,
        form_of: Callable[[AttachedPicture], Form],
    ) -> None:
        super().__init__(timeout=OPEN_FOR)
        self._pictures, self._deduplication, self._form_of = pictures[:MOST], deduplication, form_of
        self._select: ui.Select[Any] = ui.Select(
            placeholder="Which picture?",
            options=[
                discord.SelectOption(label=label, value=str(number)) for number, label in enumerate(self._labels())
            ],
        )
        self._select.callback = self._chosen  # type: ignore[method-assign]
        gallery: ui.MediaGallery[Any] = ui.MediaGallery()
        for picture, label in zip(self._pictures, self._labels(), strict=True):
            gallery.add_item(media=picture.url, description=label, spoiler=picture.spoiler)
        self.add_item(ui.TextDisplay("There are several pictures in this message: choose one."))
        self.add_item(gallery)
        self.add_item(ui.ActionRow(self._select))
        PictureChoice.open.add(self._select.custom_id)

    async def interaction_check(self, interaction: discord.Interaction, /) -> bool:
        """Not twice."""
        return self._deduplication.first(interaction.id)

    async def on_timeout(self) -> None:
        """discord.py knows it no longer."""
        PictureChoice.open.discard(self._select.custom_id)

    async def on_error(self, interaction: discord.Interaction, error: Exception, _item: ui.Item[Any], /) -> None:
        """One sentence."""
        await tell_error(interaction, error)

    def _labels(self) -> list[str]:
        return [f"{number}. {plain(picture.name, 80)}" for number, picture in enumerate(self._pictures, 1)]

    async def _chosen(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_modal(self._form_of(self._pictures[int(self._select.values[0])]))
