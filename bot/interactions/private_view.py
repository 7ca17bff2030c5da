"""What a message for one member alone holds: selects and buttons that work as long as its interaction's token."""

from __future__ import annotations

from typing import Any, ClassVar

import discord
from discord import ui
from discord.ui.select import BaseSelect

from bot.interactions.deduplication import Deduplication
from bot.interactions.languages import speak_to
from bot.interactions.replies import TOKEN_LIVES, tell_error
from bot.text.translation import _

OPEN_FOR = TOKEN_LIVES
"""Seconds; as long as an interaction's token lives."""


class PrivateItem:
    """What a view and a form of one member have in common: presses count once, errors are told to the member."""

    _deduplication: Deduplication

    async def interaction_check(self, interaction: discord.Interaction, /) -> bool:
        """Whether the interaction is new; what its task says from here on is in the member's language."""
        speak_to(interaction)
        return self._deduplication.first(interaction.id)

    async def on_error(self, interaction: discord.Interaction, error: Exception, /, *_item: Any) -> None:
        """Tell the member one sentence."""
        await tell_error(interaction, error)


class PrivateView(PrivateItem, ui.LayoutView):
    """A view that one member alone sees and uses."""

    open: ClassVar[set[str]] = set()
    """The custom ids of what this process has shown and can still take."""

    def __init__(self, deduplication: Deduplication) -> None:
        super().__init__(timeout=OPEN_FOR)
        self._deduplication = deduplication

    def note_open(self) -> None:
        """To be called once all its items are added."""
        PrivateView.open.update(self._custom_ids())

    async def on_timeout(self) -> None:
        """Forget the view's custom ids: discord.py no longer takes them."""
        PrivateView.open.difference_update(self._custom_ids())

    def _custom_ids(self) -> list[str]:
        return [
            item.custom_id
            for item in self.walk_children()
            if isinstance(item, ui.Button | BaseSelect) and item.custom_id
        ]


class PagedView(PrivateView):
    """A page of a list, with buttons to the one before and the one after."""

    def _add_turning(self, first: int, a_page: int, total: int) -> None:
        """The buttons, where there are such pages; `first` of `total` is the number with which this one begins."""
        starts = (_("Previous"), first - a_page), (_("Next"), first + a_page)
        buttons = [self._turning(label, start) for label, start in starts if 0 <= start < total]
        if buttons:
            self.add_item(ui.ActionRow(*buttons))

    def _turning(self, label: str, start: int) -> ui.Button[Any]:
        async def pressed(interaction: discord.Interaction) -> None:
            await interaction.response.defer()
            await self._turn(interaction, start)

        button: ui.Button[Any] = ui.Button(label=label)
        button.callback = pressed  # type: ignore[method-assign]
        return button

    async def _turn(self, interaction: discord.Interaction, first: int) -> None:
        """Show the page that begins with number `first`."""
        raise NotImplementedError
