"""The choice of one of a message's pictures, for its member alone; in a message, since forms show no pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import discord
from discord import ui

from bot.interactions.deduplication import Deduplication
from bot.interactions.modals import Form
from bot.interactions.private_view import PrivateView
from bot.requests.paint_request import AttachedPicture
from bot.text.sanitise import plain
from bot.text.titles import A_SPOILER
from bot.text.translation import _

MOST = 10
"""Pictures that a gallery holds."""


class PictureChoice(PrivateView):
    """Shows the pictures, and opens the form of the one that is chosen."""

    def __init__(
        self,
        pictures: Sequence[AttachedPicture],
        deduplication: Deduplication,
        form_of: Callable[[AttachedPicture], Form],
    ) -> None:
        super().__init__(deduplication)
        self._pictures, self._form_of = pictures[:MOST], form_of
        self._select: ui.Select[Any] = ui.Select(
            placeholder=_("Which picture?"),
            options=[
                discord.SelectOption(label=label, value=str(number)) for number, label in enumerate(self._labels())
            ],
        )
        self._select.callback = self._chosen  # type: ignore[method-assign]
        gallery: ui.MediaGallery[Any] = ui.MediaGallery()
        for picture, label in zip(self._pictures, self._labels(), strict=True):
            gallery.add_item(media=picture.url, description=label, spoiler=picture.spoiler)
        self.add_item(ui.TextDisplay(_("There are several pictures in this message: choose one.")))
        self.add_item(gallery)
        self.add_item(ui.ActionRow(self._select))
        self.note_open()

    def _labels(self) -> list[str]:
        names = [_(A_SPOILER) if picture.spoiler else plain(picture.name, 80) for picture in self._pictures]
        return [f"{number}. {name}" for number, name in enumerate(names, 1)]

    async def _chosen(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_modal(self._form_of(self._pictures[int(self._select.values[0])]))
