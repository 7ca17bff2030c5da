"""The modals: forms that a member fills in."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import discord
from discord import ui

from bot.interactions.replies import tell_error
from bot.ledger import LedgerPage
from bot.errors import UserError
from bot.requests.follow_ups import MAX_STRENGTH, Upload, PaintRequest, new_recipe
from engine.contract.models import Job
from engine.recipe.presets import PRESETS
from engine.recipe.recipe import MAX_ITERATIONS

if TYPE_CHECKING:
    from bot.interactions.button_actions import ButtonActions
    from bot.interactions.submission import Submission

_OPEN_FOR = 900.0  # s; as long as an interaction's token lives
RECIPES = {
    "fine": "coarse to fine: the best picture",
    "classic": "the talk's own: Adam on one scale",
    "gatys": "the paper's: L-BFGS from noise",
}
"""The presets in a few words."""


def upload(attachment: discord.Attachment) -> Upload:
    """What Discord tells of an attachment."""
    return Upload(attachment.filename, attachment.url, attachment.size, attachment.content_type)


class Form(ui.Modal):
    """A form whose errors are told to the member."""

    open: ClassVar[set[str]] = set()
    """The custom ids of those that this process has shown and can still take."""

    def __init__(self, title: str) -> None:
        super().__init__(title=title, timeout=_OPEN_FOR)
        Form.open.add(self.custom_id)

    def stop(self) -> None:
        """It was taken."""
        Form.open.discard(self.custom_id)
        super().stop()

    async def on_timeout(self) -> None:
        """discord.py knows it no longer."""
        Form.open.discard(self.custom_id)

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        """Not twice."""
        return bool(interaction.client.deduplication.first(interaction.id))

    async def on_error(  # type: ignore[override]
        self, interaction: discord.Interaction[Any], error: Exception, /
    ) -> None:
        """One sentence."""
        await tell_error(interaction, error)


class PictureForm(Form):
    """Asks for the other picture of a message's one, the recipe and the strength."""

    def __init__(self, submission: Submission, found: Upload, *, as_style: bool) -> None:
        """`found` is the message's picture; `as_style` says what it is to be."""
        super().__init__("Use as style" if as_style else "Stylize this")
        self._submission, self._found, self._as_style = submission, found, as_style
        asked = "Content: the picture to be painted" if as_style else "Style: the picture to paint like"
        self._file: ui.FileUpload[Any] = ui.FileUpload(custom_id="picture")
        self._recipe = _recipes("fine")
        self._strength = _number("strength", "1")
        self.add_item(ui.Label(text=asked, component=self._file))
        self.add_item(ui.Label(text="Recipe", component=self._recipe))
        self.add_item(ui.Label(text="Strength of the style", description=_STRENGTH, component=self._strength))

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        """Take the wish."""
        other = upload(self._file.values[0])
        content, style = (other, self._found) if self._as_style else (self._found, other)
        name, fields = self._recipe.value or "fine", {"strength": _read_strength(self._strength.value)}
        await self._submission.take(interaction, lambda network: PaintRequest(new_recipe(name, network, fields), content, (style,)))


class SnapshotForm(Form):
    """Asks how to go on from a snapshot."""

    def __init__(self, button_actions: ButtonActions, job: Job, page: LedgerPage, picture: str) -> None:
        """`picture` is the snapshot's key in the store."""
        super().__init__("Go on from here")
        self._button_actions, self._job, self._page, self._picture = button_actions, job, page, picture
        self._recipe = _recipes(job.recipe.name)
        self._iterations = _number("iterations", str(job.recipe.still().iterations))
        self._strength = _number("strength", "1")
        self.add_item(ui.Label(text="Recipe", component=self._recipe))
        self.add_item(ui.Label(text="Iterations", description="How many, from here on", component=self._iterations))
        self.add_item(ui.Label(text="Strength of the style", description=_STRENGTH, component=self._strength))

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        """Take the wish."""
        fields = {
            "recipe": self._recipe.value or self._job.recipe.name,
            "iterations": round(read_number(self._iterations.value, "number of iterations", 1, MAX_ITERATIONS)),
            "strength": _read_strength(self._strength.value),
        }
        await self._button_actions.from_here(interaction, self._job, self._page, self._picture, fields)


_STRENGTH = "1 is usual, 2 is twice the style, 0.5 is half of it"


def read_number(text: str, what: str, least: float, most: float) -> float:
    """What a member typed, a comma for a point allowed. Raises `UserError`."""
    try:
        number = float(text.strip().replace(",", "."))
    except ValueError:
        number = math.nan
    if not least <= number <= most:
        raise UserError(f"The {what} must be a number from {least:g} to {most:,g}: try again.")
    return number


def _read_strength(text: str) -> float:
    return read_number(text, "strength", 1 / MAX_STRENGTH, MAX_STRENGTH)


def _recipes(chosen: str) -> ui.RadioGroup[Any]:
    options = [
        discord.RadioGroupOption(label=name, value=name, description=RECIPES[name], default=name == chosen)
        for name in PRESETS
    ]
    return ui.RadioGroup(custom_id="recipe", options=options)


def _number(custom_id: str, default: str) -> ui.TextInput[Any]:
    return ui.TextInput(custom_id=custom_id, default=default, max_length=8)
