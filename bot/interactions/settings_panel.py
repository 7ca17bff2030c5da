"""What a server's moderators see and change by `/impasto settings`: a private message with selects, and two forms."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

import discord
from discord import ui
from discord.ui.select import BaseSelect

from bot.backend import Backend
from bot.discord_api.limits import MOST_CHOICES
from bot.errors import UserError
from bot.guild_settings import Choices, Rules
from bot.interactions.deduplication import Deduplication
from bot.interactions.modals import Form
from bot.interactions.private_view import OPEN_FOR, PrivateView
from bot.interactions.replies import patience
from bot.text.formatting import count, relative
from bot.text.recipe_text import PRESET_WORDS
from bot.text.translation import LANGUAGE_NAMES, N_, _, listed, pgettext
from bot.text.typed_numbers import whole_number

_LONGEST = 1900
"""Characters of what was changed; a message holds 2,000."""
# Not the channels of media, which a select offers by no word of Discord's description.
_PLACES = [
    discord.ChannelType.text, discord.ChannelType.news, discord.ChannelType.voice, discord.ChannelType.stage_voice,
    discord.ChannelType.forum,
]  # fmt: skip
_LIMITS = ("member_jobs", "guild_jobs", "size", "iterations", "keep_days")
_NAMES = {
    "member_jobs": N_("paintings at a time of one member"), "guild_jobs": N_("paintings at a time in this server"),
    "size": N_("longest side, px"), "iterations": N_("iterations"),
    "keep_days": N_("days for which paintings are kept"),
    "channels": N_("channels"), "roles": N_("roles"), "blocked": N_("blocked members"), "recipe": N_("usual recipe"),
    "language": N_("language"),
}  # fmt: skip
_OWNERS_NAMES = {
    "blocked": N_("blocked by who runs me"),
    "guild_jobs": N_("paintings at a time in this server, as who runs me allows"),
}  # fmt: skip
_AS_DISCORD_HAS_IT = "server"
"""The choice of no language."""
_MENTIONS = {"channels": "<#{}>", "roles": "<@&{}>", "blocked": "<@{}>"}


@dataclass(frozen=True)
class PanelAccess:
    """How long settings may be changed after the command, and by which right: both may end while the panel is open."""

    until: datetime
    by_permission: bool
    """Whether the member had Manage Server; others are let in by the server's integration settings."""

    @classmethod
    def of(cls, interaction: discord.Interaction) -> PanelAccess:
        """What the command gives."""
        until = interaction.created_at + timedelta(seconds=OPEN_FOR)
        return cls(until, interaction.permissions.manage_guild)

    def check(self, interaction: discord.Interaction) -> None:
        """Raises `UserError` where the member may change nothing any more."""
        if interaction.created_at >= self.until:
            raise UserError(_("These settings have been open for too long: use `/impasto settings` again."))
        if self.by_permission and not interaction.permissions.manage_guild:
            raise UserError(_("You no longer have Manage Server here: ask another moderator."))


class SettingsPanel(PrivateView):
    """A fresh one for each edit."""

    def __init__(
        self, backend: Backend, deduplication: Deduplication, guild: int, rules: Rules, access: PanelAccess
    ) -> None:
        super().__init__(deduplication)
        self._backend, self._guild, self._rules, self._access = backend, guild, rules, access
        choices = rules.choices
        self.add_item(ui.TextDisplay("### " + _("Impasto in this server")))
        channels = _several(
            ui.ChannelSelect, _("Channels in which I paint: all"), choices.channels, channel_types=_PLACES
        )
        self._add(channels, "channels", _("Channels: {channels}", channels=_value("channels", choices.channels)))
        roles = _several(ui.RoleSelect, _("Roles for whose members I paint: all"), choices.roles)
        self._add(roles, "roles", _("Roles: {roles}", roles=_value("roles", choices.roles)))
        blocked = _several(ui.UserSelect, _("Members for whom I do not paint"), choices.blocked)
        self._add(blocked, "blocked", _("Blocked members: {members}", members=_value("blocked", choices.blocked)))
        self._add(_recipes(rules.recipe), "recipe", _("Usual recipe: {name}", name=rules.recipe))
        self._add(_languages(choices.language), "language", _("Language: {name}", name=_named(choices.language)))
        self.add_item(ui.TextDisplay(_limits(rules)))
        buttons = self._button(_("Limits"), self._ask_limits), self._button(_("Changes"), self._tell)
        self.add_item(ui.ActionRow(*buttons))
        self.note_open()

    async def interaction_check(self, interaction: discord.Interaction, /) -> bool:
        """Whether the interaction is new. Raises `UserError` where it comes too late, or from who may no longer."""
        is_new = await super().interaction_check(interaction)
        if is_new:
            self._access.check(interaction)
        return is_new

    def _add(self, select: BaseSelect[Any], field: str, says: str) -> None:
        """Under what holds now: a select in which something is chosen does not say what it is for."""

        async def chosen(interaction: discord.Interaction) -> None:
            values: tuple[Any, ...] = tuple(getattr(value, "id", value) for value in select.values)
            if field in _MENTIONS:
                await self._change(interaction, {field: await self._merged(interaction, field, values)})
            else:
                await self._change(interaction, {field: None if values[0] == _AS_DISCORD_HAS_IT else values[0]})

        select.callback = chosen  # type: ignore[method-assign]
        self.add_item(ui.TextDisplay(says))
        self.add_item(ui.ActionRow(select))

    def _button(self, label: str, callback: Callable[[discord.Interaction], Any]) -> ui.Button[Any]:
        button: ui.Button[Any] = ui.Button(label=label)
        button.callback = callback  # type: ignore[method-assign, assignment]
        return button

    async def _merged(self, interaction: discord.Interaction, field: str, values: Sequence[int]) -> tuple[int, ...]:
        """What the list is now, with what was added and removed here: another moderator may have changed it since."""
        shown = getattr(self._rules.choices, field)
        async with patience(interaction):
            now = getattr((await self._backend.guilds.rules(self._guild)).choices, field)
        kept = [one for one in now if one in values or one not in shown]
        added = [one for one in values if one not in shown and one not in now]
        return (*kept, *added)[:MOST_CHOICES]  # with more there would be no panel any more

    async def _change(self, interaction: discord.Interaction, changed: Mapping[str, Any]) -> None:
        async with patience(interaction):
            rules = await self._backend.guilds.choose(self._guild, interaction.user.id, **changed)
        try:
            await interaction.response.edit_message(
                view=SettingsPanel(self._backend, self._deduplication, self._guild, rules, self._access)
            )
        finally:  # whom the server blocks is blocked, whether or not the moderator sees it
            for member in set(changed.get("blocked", ())) - set(self._rules.choices.blocked):
                await self._backend.cancel_all(member=member, guild=self._guild)

    async def _ask_limits(self, interaction: discord.Interaction) -> None:
        async with patience(interaction):
            rules = await self._backend.guilds.rules(self._guild)
        await interaction.response.send_modal(
            LimitsForm(self._deduplication, rules.choices, self._access, self._change)
        )

    async def _tell(self, interaction: discord.Interaction) -> None:
        async with patience(interaction):
            changes = await self._backend.guilds.changes(self._guild)
        lines = [_change_in_words(change) for change in changes]
        ends = accumulate(len(line) + 1 for line in lines)
        shown = [line for line, end in zip(lines, ends, strict=True) if end < _LONGEST]
        await interaction.response.send_message("\n".join(shown) or _("Nothing was changed yet."), ephemeral=True)


class LimitsForm(Form):
    """Asks for the numbers; an empty field is what the operator allows."""

    def __init__(
        self,
        deduplication: Deduplication,
        choices: Choices,
        access: PanelAccess,
        change: Callable[[discord.Interaction, Any], Any],
    ) -> None:
        super().__init__(_("Limits in this server"), deduplication)
        self._access, self._change = access, change
        self._inputs: dict[str, ui.TextInput[Any]] = {}
        self._shown: dict[str, str] = {}
        for field in _LIMITS:
            value = getattr(choices, field)
            self._shown[field] = "" if value is None else str(value)
            self._inputs[field] = ui.TextInput(
                custom_id=field, default=self._shown[field] or None, required=False, max_length=8
            )
            self.add_item(ui.Label(text=_label(field), component=self._inputs[field]))

    async def on_submit(self, interaction: discord.Interaction, /) -> None:
        """Take all that were changed here, or none: another moderator may have changed the others since."""
        self._access.check(interaction)
        texts = {field: self._inputs[field].value.strip() for field in _LIMITS}
        given = {field: text for field, text in texts.items() if text != self._shown[field]}
        if wrong := [field for field, text in given.items() if text and not _is_within(field, text)]:
            limit, span = _label(wrong[0]), _span(wrong[0])
            raise UserError(_("{limit}: give a whole number, {span}, or leave it empty.", limit=limit, span=span))
        await self._change(interaction, {field: whole_number(text) if text else None for field, text in given.items()})


def _label(field: str) -> str:
    name = _(_NAMES[field])
    return name[0].upper() + name[1:]


def _is_within(field: str, text: str) -> bool:
    try:
        Choices(**{field: whole_number(text)})  # type: ignore[arg-type]
    except ValueError:
        return False
    return True


def _span(field: str) -> str:
    limits = {type(limit).__name__: limit for limit in Choices.model_fields[field].metadata}
    most = getattr(limits.get("Le"), "le", None)
    least = getattr(limits.get("Ge"), "ge", 1)
    if most is None:
        return _("{least} or more", least=least)
    return _("{least} to {most:,}", least=least, most=most)


def _several(
    kind: Callable[..., BaseSelect[Any]], placeholder: str, chosen: Sequence[int], **more: Any
) -> BaseSelect[Any]:
    """A select of any number, with what is chosen now."""
    now = [discord.Object(one) for one in chosen]
    return kind(placeholder=placeholder, min_values=0, max_values=MOST_CHOICES, default_values=now, **more)


def _recipes(chosen: str) -> ui.Select[Any]:
    options = [
        discord.SelectOption(label=name, value=name, description=_(words), default=name == chosen)
        for name, words in PRESET_WORDS.items()
    ]
    return ui.Select(placeholder=_("The usual recipe"), options=options)


def _languages(chosen: str | None) -> ui.Select[Any]:
    usual = discord.SelectOption(label=_named(None), value=_AS_DISCORD_HAS_IT, default=chosen is None)
    options = [
        discord.SelectOption(label=_named(language), value=language, default=language == chosen)
        for language in LANGUAGE_NAMES
    ]
    return ui.Select(placeholder=_("Language"), options=[usual, *options])


def _named(language: str | None) -> str:
    return _("as the server has it in Discord") if language is None else LANGUAGE_NAMES.get(language, language)


def _limits(rules: Rules) -> str:
    members = count(rules.member_jobs, "painting")
    at_a_time = _(
        "At a time: {paintings} of one member, {more:,} in this server", paintings=members, more=rules.caps.guild
    )
    iterations, days = count(rules.max_iterations, "iteration"), count(rules.keep_days, "day")
    most = _(
        "At most {size:,} px and {iterations}; kept for {days}", size=rules.max_size, iterations=iterations, days=days
    )
    return f"{at_a_time}\n{most}"


def _listed(field: str, ids: Sequence[int]) -> str:
    return listed([_MENTIONS[field].format(one) for one in ids])


def _change_in_words(change: Mapping[str, Any]) -> str:
    what = change["what"]
    # Older lines do not say whose they are; only the owner's have a truth value.
    is_owners = change.get("of") == "allowance" or any(isinstance(after, bool) for _before, after in what.values())
    tell, names = (_owners_value, _OWNERS_NAMES) if is_owners else (_value, _NAMES)
    parts = [
        f"{_(names.get(field, field))}: {tell(field, before)} → {tell(field, after)}"
        for field, (before, after) in what.items()
    ]
    return f"- {relative(change['at'])} <@{change['by']}>: {'; '.join(parts)}"


def _value(field: str, value: Any) -> str:
    if field in _MENTIONS:
        return _listed(field, value) or (pgettext("members", "none") if field == "blocked" else _("all"))
    if field == "language" and value is not None:
        return _named(value)
    return _("as usual") if value is None else str(value)


def _owners_value(_field: str, value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return _("as usual") if value is None else str(value)
