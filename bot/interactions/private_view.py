"""What a message for one member alone holds: selects and buttons that work as long as its interaction's token."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
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
Turn = Callable[[discord.Interaction, int], Awaitable[None]]
"""Shows the page that begins with that number."""


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

    def _add_turning(self, first: int, a_page: int, total: int, turn: Turn) -> None:
        """Buttons to the pages before and after, where there are such; `first` of `total` begins this one."""
        starts = (_("Previous"), first - a_page), (_("Next"), first + a_page)
        buttons = [_turning(label, start, turn) for label, start in starts if 0 <= start < total]
        if buttons:
            self.add_item(ui.ActionRow(*buttons))


def _turning(label: str, start: int, turn: Turn) -> ui.Button[Any]:
    async def pressed(interaction: discord.Interaction) -> None:
        await interaction.response.defer()
        await turn(interaction, start)

    button: ui.Button[Any] = ui.Button(label=label)
    button.callback = pressed  # type: ignore[method-assign]
    return button
