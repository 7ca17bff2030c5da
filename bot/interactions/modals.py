"""The modals: forms that a member fills in."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import discord
from discord import ui

from bot.errors import UserError
from bot.interactions.deduplication import Deduplication
from bot.interactions.message_pictures import attached
from bot.interactions.private_view import OPEN_FOR, PrivateItem
from bot.interactions.style_list import settings_in_words
from bot.interactions.style_saving import StyleSaving
from bot.interactions.submission import Submission
from bot.post_ledger import LedgerPage
from bot.requests.follow_ups import MAX_STRENGTH, FromSnapshot, renewed
from bot.requests.new_painting import NewPainting
from bot.requests.paint_request import AttachedPicture
from bot.requests.style_names import LONGEST_NAME
from bot.text.formatting import COMMA, joined
from bot.text.recipe_text import PRESET_WORDS
from bot.text.sanitise import plain
from bot.text.titles import A_SPOILER
from bot.text.translation import N_, _, pgettext
from bot.text.typed_numbers import decimal_number, whole_number
from engine.contract.models import Job, StoredPicture
from engine.contract.study import Value
from engine.recipe.presets import PRESETS, preset_name, strength_of
from engine.recipe.recipe import MAX_ITERATIONS


class Form(PrivateItem, ui.Modal):
    """A form that one member fills in."""

    open: ClassVar[set[str]] = set()
    """The custom ids of those that this process has shown and can still take."""

    def __init__(self, title: str, deduplication: Deduplication) -> None:
        super().__init__(title=title, timeout=OPEN_FOR)
        self._deduplication = deduplication
        Form.open.add(self.custom_id)

    def stop(self) -> None:
        """Forget the form: it was taken."""
        Form.open.discard(self.custom_id)
        super().stop()

    async def on_timeout(self) -> None:
        """Forget the form: discord.py no longer takes it."""
        Form.open.discard(self.custom_id)


class PictureForm(Form):
    """Asks for the other picture of a message's one, the recipe and the strength."""

    def __init__(
        self,
        submission: Submission,
        deduplication: Deduplication,
        found: AttachedPicture,
        *,
        as_style: bool,
        recipe: str,
    ) -> None:
        """`found` is the message's picture; `as_style` says what it is to be; `recipe` is the one that is usual."""
        title = pgettext("command", "Use as style") if as_style else pgettext("command", "Stylize this")
        super().__init__(title, deduplication)
        self._submission, self._found, self._as_style = submission, found, as_style
        asked = _("Content: the picture to be painted") if as_style else _("Style: the picture to paint like")
        self._file: ui.FileUpload[Any] = ui.FileUpload(custom_id="picture")
        self._recipe = _recipes(recipe)
        self._strength = _number("strength", "1")
        self.add_item(ui.Label(text=asked, component=self._file))
        self.add_item(ui.Label(text=_("Recipe"), component=self._recipe))
        self.add_item(ui.Label(text=_("Strength of the style"), description=_(_STRENGTH), component=self._strength))

    async def on_submit(self, interaction: discord.Interaction, /) -> None:
        """Submit it."""
        other = attached(self._file.values[0])
        content, style = (other, self._found) if self._as_style else (self._found, other)
        name, fields = self._recipe.value, {"strength": _read_strength(self._strength.value)}
        await self._submission.submit(interaction, NewPainting(name, fields, content, (style,)))


class SnapshotForm(Form):
    """Asks how to go on from a snapshot; left as it is, with the painting's own settings."""

    def __init__(
        self, submission: Submission, deduplication: Deduplication, job: Job, page: LedgerPage, picture: str
    ) -> None:
        """`picture` is the snapshot's key in the store. Raises `RecipeError`."""
        super().__init__(_("Go on from here"), deduplication)
        job = renewed(job)
        self._submission = submission
        self._job, self._page, self._picture = job, page, picture
        self._recipe = _recipes(preset_name(job.recipe))
        self._iterations = _number("iterations", str(job.recipe.still().iterations))
        self._strength = _number("strength", _in_digits(strength_of(job.recipe)))
        own = _("The one chosen now keeps all of this painting's settings")
        self.add_item(ui.Label(text=_("Recipe"), description=own, component=self._recipe))
        more = _("How many, from here on")
        self.add_item(ui.Label(text=_("Iterations"), description=more, component=self._iterations))
        self.add_item(ui.Label(text=_("Strength of the style"), description=_(_STRENGTH), component=self._strength))

    async def on_submit(self, interaction: discord.Interaction, /) -> None:
        """Submit it."""
        fields: dict[str, Any] = {
            "iterations": _read(whole_number, self._iterations.value, _OF_ITERATIONS, 1, MAX_ITERATIONS)
        }
        if self._strength.value.strip() != self._strength.default:  # a study's may be beyond what can be chosen
            fields["strength"] = _read_strength(self._strength.value)
        preset = self._recipe.value or preset_name(self._job.recipe)
        asked = FromSnapshot(self._job, self._picture, preset, fields)
        await self._submission.submit(interaction, asked, self._page)


class StyleForm(Form):
    """Asks what to call a picture that is to be saved as a style; of several, which one."""

    def __init__(
        self,
        saving: StyleSaving,
        deduplication: Deduplication,
        pictures: Sequence[AttachedPicture | StoredPicture],
        settings: Mapping[str, Value],
    ) -> None:
        """`settings` are kept with the style."""
        super().__init__(_("Save as style"), deduplication)
        self._saving, self._pictures, self._settings = saving, pictures, settings
        names = [_(A_SPOILER) if picture.spoiler else plain(picture.name, LONGEST_NAME) for picture in pictures]
        proposed = "" if pictures[0].spoiler else _stem(names[0])
        self._name: ui.TextInput[Any] = ui.TextInput(
            custom_id="name", default=proposed or None, max_length=LONGEST_NAME
        )
        self._which: ui.RadioGroup[Any] | None = None
        told = joined(settings_in_words(settings))
        kept = plain(_("Kept with its settings: {settings}", settings=told), 100) if settings else None
        self.add_item(ui.Label(text=_("What to call it"), description=kept, component=self._name))
        if len(pictures) > 1:
            options = [
                discord.RadioGroupOption(label=f"{number}. {name}", value=str(number), default=number == 1)
                for number, name in enumerate(names, 1)
            ]
            self._which = ui.RadioGroup(custom_id="which", options=options)
            self.add_item(ui.Label(text=_("Which of its styles"), component=self._which))

    async def on_submit(self, interaction: discord.Interaction, /) -> None:
        """Save it."""
        number = int(self._which.value or 1) if self._which else 1
        await self._saving.save(interaction, self._name.value, self._pictures[number - 1], self._settings)


def _stem(name: str) -> str:
    """The file's name without its ending, and without the commas that no style's name has."""
    return COMMA.sub("", name.rpartition(".")[0] or name)


_STRENGTH = N_("1 is usual, 2 is twice the style, 0.5 is half of it")
_OF_ITERATIONS = N_("The number of iterations must be a whole number from {least:g} to {most:,g}: try again.")
_OF_STRENGTH = N_("The strength must be a number from {least:g} to {most:,g}: try again.")


def _read(read: Callable[[str], float], text: str, sentence: str, least: float, most: float) -> float:
    """What a member typed. Raises `UserError` with that sentence."""
    try:
        number = read(text)
    except ValueError:
        number = math.nan
    if not least <= number <= most:
        raise UserError(_(sentence, least=least, most=most))
    return number


def _read_strength(text: str) -> float:
    return _read(decimal_number, text, _OF_STRENGTH, 1 / MAX_STRENGTH, MAX_STRENGTH)


def _in_digits(number: float) -> str:
    """Three of them that count, as somebody would type it."""
    return f"{float(f'{number:.3g}'):g}"


def _recipes(chosen: str) -> ui.RadioGroup[Any]:
    options = [
        discord.RadioGroupOption(label=name, value=name, description=_(PRESET_WORDS[name]), default=name == chosen)
        for name in PRESETS
    ]
    return ui.RadioGroup(custom_id="recipe", options=options)


def _number(custom_id: str, default: str) -> ui.TextInput[Any]:
    return ui.TextInput(custom_id=custom_id, default=default, max_length=max(8, len(default)))
