"""`/style list`: a server's saved styles with thumbnails, a page at a time, for one member alone."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import discord
from discord import ui

from bot.cards.card import STYLE_ALT
from bot.cards.thumbnails import Thumbnail, small_jpeg
from bot.interactions.deduplication import Deduplication
from bot.interactions.private_view import PrivateView
from bot.stored_pngs import Broken
from bot.text.formatting import count, day
from bot.text.sanitise import plain, safe
from bot.text.translation import N_, _
from engine.contract.saved_styles import SavedStyle
from engine.contract.store import BlobMissing, Store
from engine.contract.study import Value

_A_PAGE = 8
"""Styles; Discord takes ten files in a message."""


class StyleList(PrivateView):
    """The private message with one page of the saved styles; a new one for each edit."""

    def __init__(
        self, deduplication: Deduplication, store: Store, styles: Sequence[SavedStyle], first: int,
        pictures: Mapping[str, Thumbnail],
    ) -> None:  # fmt: skip
        """`pictures` are the thumbnails of those on this page, by name; a style whose picture is lost has none."""
        super().__init__(deduplication)
        self._store, self._styles, self._first, self._pictures = store, styles, first, pictures
        self.add_item(
            ui.TextDisplay(f"### {count(len(styles), 'saved style')}\n{_('`/stylize style_name:` paints like one.')}")
        )
        for style in styles[first : first + _A_PAGE]:
            self.add_item(self._section(style))
        self._add_turning(first, _A_PAGE, len(styles), self._turn)
        self.note_open()

    @property
    def files(self) -> list[discord.File]:
        """Fresh ones."""
        return [picture.file() for picture in self._pictures.values()]

    def _section(self, style: SavedStyle) -> ui.Item[Any]:
        text = f"**{safe(style.name, 50)}**\n-# {_about(style)}"
        picture = self._pictures.get(style.name)
        if picture is None:
            return ui.TextDisplay(f"{text}\n-# {_('Its picture is lost: save it again.')}")
        described, spoiler = _(STYLE_ALT, name=plain(style.name, 100)), style.picture.spoiler
        return ui.Section(
            text, accessory=ui.Thumbnail(f"attachment://{picture.name}", description=described, spoiler=spoiler)
        )

    async def _turn(self, interaction: discord.Interaction, first: int) -> None:
        page = await style_page(self._deduplication, self._store, self._styles, first)
        await interaction.edit_original_response(view=page, attachments=page.files)


async def style_page(
    deduplication: Deduplication, store: Store, styles: Sequence[SavedStyle], first: int = 0
) -> StyleList:
    """The page that begins with the style of that number. Raises `StoreError`."""
    pictures = {}
    for number, style in enumerate(styles[first : first + _A_PAGE], first):
        try:
            small = await asyncio.to_thread(small_jpeg, await store.get(style.picture.key))
        except (BlobMissing, Broken):
            continue
        pictures[style.name] = Thumbnail(f"style-{number}.jpg", small)
    return StyleList(deduplication, store, styles, first, pictures)


def _about(style: SavedStyle) -> str:
    """Who saved the style, and with which settings it is painted."""
    whose = _("drawn by this project")
    if style.owner is not None:
        whose = _("by {member}, {day}", member=f"<@{style.owner}>", day=day(style.saved))
    return " · ".join([whose, *settings_in_words(style.settings)])


_WORDS = {
    "recipe": "{value}", "strength": N_("strength {value:g}"), "size": "{value} px",
    "colours": N_("the content's colours"),
}  # fmt: skip


def settings_in_words(settings: Mapping[str, Value]) -> list[str]:
    """A saved style's settings, each in a word or two."""
    told = {field: _(words, value=settings[field]) for field, words in _WORDS.items() if field in settings}
    if "iterations" in settings:
        told["iterations"] = count(int(settings["iterations"]), "iteration")
    return [told[field] for field in settings if field in told]
