"""What a server's moderators see and change by `/impasto settings`: a private message with selects, and two forms."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import discord
from discord import ui
from discord.ui.select import BaseSelect

from bot.backend import Backend
from bot.errors import UserError
from bot.guild_settings import Choices, Rules
from bot.interactions.deduplication import Deduplication
from bot.interactions.modals import Form
from bot.interactions.private_view import PrivateView
from bot.text.formatting import count, listed, relative
from bot.text.recipe_text import PRESET_WORDS

_MOST = 25
"""Of what a select holds."""
_PLACES = [discord.ChannelType.text, discord.ChannelType.news, discord.ChannelType.voice, discord.ChannelType.forum]
_LIMITS = {
    "member_jobs": "Paintings at a time of one member",
    "guild_jobs": "Paintings at a time in this server",
    "size": "Longest side, px",
    "iterations": "Iterations",
    "keep_days": "Days for which paintings are kept",
}
_NAMES = {
    **{field: words.lower() for field, words in _LIMITS.items()},
    "channels": "channels", "roles": "roles", "blocked": "blocked members", "recipe": "usual recipe",
    "guild_jobs": "paintings at a time in this server",
}  # fmt: skip
_MENTIONS = {"channels": "<#{}>", "roles": "<@&{}>", "blocked": "<@{}>"}


class SettingsPanel(PrivateView):
    """A fresh one for each edit."""

    def __init__(self, backend: Backend, deduplication: Deduplication, guild: int, rules: Rules) -> None:
        super().__init__(deduplication)
        self._backend, self._guild, self._rules = backend, guild, rules
        choices = rules.choices
        self.add_item(ui.TextDisplay("### Impasto in this server"))
        channels = _several(ui.ChannelSelect, "Channels in which I paint: all", choices.channels, channel_types=_PLACES)
        self._add(channels, "channels", f"Channels: {_listed('channels', choices.channels) or 'all'}")
        roles = _several(ui.RoleSelect, "Roles for whose members I paint: all", choices.roles)
        self._add(roles, "roles", f"Roles: {_listed('roles', choices.roles) or 'all'}")
        blocked = _several(ui.UserSelect, "Members for whom I do not paint", choices.blocked)
        self._add(blocked, "blocked", f"Blocked members: {_listed('blocked', choices.blocked) or 'none'}")
        self._add(_recipes(rules.recipe), "recipe", f"Usual recipe: {rules.recipe}")
        self.add_item(ui.TextDisplay(_limits(rules)))
        self.add_item(ui.ActionRow(self._button("Limits", self._ask_limits), self._button("Changes", self._tell)))
        self.note_open()

    def _add(self, select: BaseSelect[Any], field: str, says: str) -> None:
        """Under what holds now: a select in which something is chosen does not say what it is for."""

        async def chosen(interaction: discord.Interaction) -> None:
            values = tuple(getattr(value, "id", value) for value in select.values)
            await self._change(interaction, {field: values[0] if field == "recipe" else values})

        select.callback = chosen  # type: ignore[method-assign]
        self.add_item(ui.TextDisplay(says))
        self.add_item(ui.ActionRow(select))

    def _button(self, label: str, callback: Callable[[discord.Interaction], Any]) -> ui.Button[Any]:
        button: ui.Button[Any] = ui.Button(label=label)
        button.callback = callback  # type: ignore[method-assign, assignment]
        return button

    async def _change(self, interaction: discord.Interaction, changed: Mapping[str, Any]) -> None:
        rules = await self._backend.guilds.choose(self._guild, interaction.user.id, **changed)
        await interaction.response.edit_message(
            view=SettingsPanel(self._backend, self._deduplication, self._guild, rules)
        )

    async def _ask_limits(self, interaction: discord.Interaction) -> None:
        form = LimitsForm(self._deduplication, self._rules.choices, self._change)
        await interaction.response.send_modal(form)

    async def _tell(self, interaction: discord.Interaction) -> None:
        changes = await self._backend.guilds.changes(self._guild)
        text = "\n".join(_change_in_words(change) for change in changes) or "Nothing was changed yet."
        await interaction.response.send_message(text[:1900], ephemeral=True)


class LimitsForm(Form):
    """Asks for the numbers; an empty field is what the operator allows."""

    def __init__(
        self, deduplication: Deduplication, choices: Choices, change: Callable[[discord.Interaction, Any], Any]
    ) -> None:
        super().__init__("Limits in this server", deduplication)
        self._change = change
        self._inputs: dict[str, ui.TextInput[Any]] = {}
        for field, words in _LIMITS.items():
            value = getattr(choices, field)
            self._inputs[field] = ui.TextInput(
                custom_id=field, default=None if value is None else str(value), required=False, max_length=8
            )
            self.add_item(ui.Label(text=words, component=self._inputs[field]))

    async def on_submit(self, interaction: discord.Interaction, /) -> None:
        """Take them all, or none."""
        given = {field: self._inputs[field].value.strip() for field in _LIMITS}
        if wrong := [field for field, text in given.items() if text and not _is_within(field, text)]:
            raise UserError(f"{_LIMITS[wrong[0]]}: give a whole number, {_span(wrong[0])}, or leave it empty.")
        await self._change(interaction, {field: int(text) if text else None for field, text in given.items()})


def _is_within(field: str, text: str) -> bool:
    try:
        Choices(**{field: int(text)})  # type: ignore[arg-type]
    except ValueError:
        return False
    return True


def _span(field: str) -> str:
    limits = {type(limit).__name__: limit for limit in Choices.model_fields[field].metadata}
    most = getattr(limits.get("Le"), "le", None)
    least = getattr(limits.get("Ge"), "ge", 1)
    return f"{least} or more" if most is None else f"{least} to {most:,}"


def _several(
    kind: Callable[..., BaseSelect[Any]], placeholder: str, chosen: Sequence[int], **more: Any
) -> BaseSelect[Any]:
    """A select of any number, with what is chosen now."""
    now = [discord.Object(one) for one in chosen]
    return kind(placeholder=placeholder, min_values=0, max_values=_MOST, default_values=now, **more)


def _recipes(chosen: str) -> ui.Select[Any]:
    options = [
        discord.SelectOption(label=f"Usual recipe: {name}", value=name, description=words, default=name == chosen)
        for name, words in PRESET_WORDS.items()
    ]
    return ui.Select(placeholder="The usual recipe", options=options)


def _limits(rules: Rules) -> str:
    return (
        f"At a time: {count(rules.member_jobs, 'painting')} of one member, {rules.caps.guild:,} in this server\n"
        f"At most {rules.max_size:,} px and {rules.max_iterations:,} iterations; "
        f"kept for {count(rules.keep_days, 'day')}"
    )


def _listed(field: str, ids: Sequence[int]) -> str:
    return listed([_MENTIONS[field].format(one) for one in ids])


def _change_in_words(change: Mapping[str, Any]) -> str:
    parts = [
        f"{_NAMES.get(field, field)}: {_value(field, before)} → {_value(field, after)}"
        for field, (before, after) in change["what"].items()
    ]
    return f"- {relative(change['at'])} <@{change['by']}>: {'; '.join(parts)}"


def _value(field: str, value: Any) -> str:
    if field in _MENTIONS:
        return _listed(field, value) or ("none" if field == "blocked" else "all")
    return "as usual" if value is None else str(value)
