"""Where a painting is shown, whether the bot may do there what it takes, and what a member may see."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

import discord

from bot.discord_api.retry import persist
from bot.errors import UserError
from bot.interactions.replies import TOKEN_LIVES
from bot.post_ledger import Address, LedgerPage
from bot.requests.destination import Destination
from bot.text.translation import N_, _, listed, ngettext

_EVERYWHERE = ("view_channel", "read_message_history", "attach_files", "embed_links")
_NEEDS = {
    "thread": (*_EVERYWHERE, "send_messages", "create_public_threads", "send_messages_in_threads"),
    "replies": (*_EVERYWHERE, "send_messages"),
    "inside": (*_EVERYWHERE, "send_messages_in_threads"),  # in a thread, where send_messages has no effect
}
_THREADED = (discord.ChannelType.text, discord.ChannelType.news)
_THREADS = (discord.ChannelType.public_thread, discord.ChannelType.private_thread, discord.ChannelType.news_thread)


_NO_WAY_OUT = N_(
    "I am no member here, so the painting would leave this channel, which is age-restricted, as far as I can tell: "
    "ask in a server that I am in."
)
_STAYS = N_("That painting is in an age-restricted channel, and is shown in no other: look at it in {place}.")
_RIGHTS = {
    "view_channel": N_("View Channel"), "read_message_history": N_("Read Message History"),
    "attach_files": N_("Attach Files"), "embed_links": N_("Embed Links"), "send_messages": N_("Send Messages"),
    "create_public_threads": N_("Create Public Threads"),
    "send_messages_in_threads": N_("Send Messages in Threads"),
}  # fmt: skip
"""The permissions' names in Discord's client."""


async def destination_of(interaction: discord.Interaction) -> Destination:
    """The place for what this interaction asks for.

    Raises `UserError` that names each missing permission. Where the bot is no member, the place is the direct messages.
    """
    channel, guild = interaction.channel, interaction.guild_id
    if channel is None:
        raise UserError(_("I cannot see this channel: try it in another one."))
    restricted = age_restricted(channel)
    if not present(interaction):
        if restricted:
            raise UserError(_(_NO_WAY_OUT))
        return await _direct_messages(interaction)
    if guild is None:
        return Destination(channel.id, "replies", None)
    inside = channel.type in _THREADS
    if inside and getattr(channel, "locked", False) and not interaction.app_permissions.manage_threads:
        raise UserError(_("This thread is locked: ask a moderator to unlock it, or paint in another channel."))
    kind: Literal["thread", "replies"] = "thread" if channel.type in _THREADED else "replies"
    _check(interaction.app_permissions, _NEEDS["inside" if inside else kind])
    check_may_attach(interaction)
    if channel.type is discord.ChannelType.private_thread:
        await _check_added(interaction, channel.id)
    return Destination(channel.id, kind, guild, restricted, parent=getattr(channel, "parent_id", None))


async def _check_added(interaction: discord.Interaction, private_thread: int) -> None:
    """Raises `UserError` where the bot was not added to a private thread, of which its permissions say nothing."""
    if interaction.guild is not None and interaction.guild.get_thread(private_thread) is not None:
        return
    try:
        await persist(lambda: interaction.client.fetch_channel(private_thread), within=TOKEN_LIVES)
    except discord.Forbidden:
        raise UserError(
            _("I was not added to this private thread: mention me in it, which adds me, or paint in another channel.")
        ) from None


def present(interaction: discord.Interaction) -> bool:
    """Whether the bot itself is there; otherwise only the interaction's token reaches the place, and not for long."""
    if interaction.guild_id is None:
        return interaction.context.dm_channel
    return interaction.is_guild_integration() or interaction.client.get_guild(interaction.guild_id) is not None


def may_see(interaction: discord.Interaction, channel: int) -> bool:
    """Whether the member may see a channel or thread; False for what the bot itself does not know."""
    if channel == interaction.channel_id:
        return True
    found = interaction.guild and interaction.guild.get_channel_or_thread(channel)
    if found is None or not isinstance(interaction.user, discord.Member):
        return False
    # Who is in a private thread is not told to the bot; moderators see them all.
    private = isinstance(found, discord.Thread) and (found.is_private() or found.parent is None)
    parent = found.parent if isinstance(found, discord.Thread) else found
    granted = parent.permissions_for(interaction.user) if parent else discord.Permissions.none()
    return granted.view_channel and (granted.manage_threads or not private)


def seen_by_everybody(interaction: discord.Interaction, page: LedgerPage) -> bool:
    """Whether it is shown where everybody in the interaction's server may look; False for private threads."""
    found = interaction.guild and interaction.guild.get_channel_or_thread(page.address.channel)
    return page.address.guild == interaction.guild_id and is_everybodys(page.address, found)


def is_everybodys(address: Address, channel: Any) -> bool:
    """Whether everybody in the address's server may look into its `channel`; None is one that the bot does not know.

    False for private threads, for what is age-restricted or was when the painting was asked for, and outside servers.
    """
    if address.guild is None or address.age_restricted or age_restricted(channel):
        return False
    if isinstance(channel, discord.Thread):
        channel = None if channel.is_private() else channel.parent
    return channel is not None and bool(channel.permissions_for(channel.guild.default_role).view_channel)


async def child_destination(interaction: discord.Interaction, page: LedgerPage) -> Destination | None:
    """A child is shown where its parent is; where that is gone, or hidden from the member, it is shown here (None).

    An owner's goes home from wherever they press, out of another server and into a private thread too, for as long as
    they may look and post there. Of others it is known in this server alone, and not of private threads. Raises
    `UserError` where it may not be shown here; may ask Discord, and raise one of `FAILURES`.
    """
    address = page.address
    restricted = _stays(interaction, page)
    home = Destination(address.channel, address.place, address.guild, restricted)
    if may_see(interaction, address.channel):
        found = interaction.client.get_channel(address.channel) or interaction.channel
        return dataclasses.replace(home, parent=getattr(found, "parent_id", None))
    if interaction.user.id == address.owner:
        # They may have left the server since, or lost the channel; direct messages nobody can take from them.
        reached = home if address.guild is None else await _reached(interaction, home, address.guild)
        if reached is not None:
            return reached
    if restricted:
        raise UserError(_(_STAYS, place=f"<#{address.channel}>"))
    return None


async def _reached(interaction: discord.Interaction, home: Destination, guild_id: int) -> Destination | None:
    """The destination by what Discord answers, not the gateway; None where member or bot lack a right there."""
    guild, here = interaction.client.get_guild(guild_id), interaction.guild_id == guild_id
    known = guild and guild.get_channel_or_thread(home.channel)
    if guild is None or (here and known and not isinstance(known, discord.Thread)):
        return None  # the bot has left; or the gateway has said all that there is to say

    async def ask() -> Destination | None:
        # A thread that is archived, which a message wakes, is not known from the gateway.
        found = known or await interaction.client.fetch_channel(home.channel)
        thread = found if isinstance(found, discord.Thread) else None
        parent = thread.parent if thread else found
        if not isinstance(parent, discord.abc.GuildChannel) or (thread and thread.locked):
            return None
        asker = interaction.user
        member = asker if here and isinstance(asker, discord.Member) else await guild.fetch_member(asker.id)
        granted, own = ((thread or parent).permissions_for(who) for who in (member, guild.me))
        needed = _NEEDS["inside" if thread else home.kind]
        if not (granted.view_channel and _may_attach(granted, inside=bool(thread)) and _lacking(own, needed) == []):
            return None
        if thread and thread.is_private() and not granted.manage_threads:
            await thread.fetch_member(member.id)
        roles = frozenset(role.id for role in member.roles)
        return dataclasses.replace(home, parent=parent.id, roles=roles)

    try:
        return await persist(ask, within=TOKEN_LIVES)
    except (discord.NotFound, discord.Forbidden):
        return None


def check_showing(interaction: discord.Interaction, page: LedgerPage) -> None:
    """Raises `UserError` where a painting may not be shown: out of an age-restricted channel."""
    if interaction.channel_id not in page.shown and _stays(interaction, page):
        raise UserError(_(_STAYS, place=f"<#{page.address.channel}>"))


def _stays(interaction: discord.Interaction, page: LedgerPage) -> bool:
    """Whether the painting's channel is age-restricted, or was when the painting was asked for."""
    return page.address.age_restricted or age_restricted(interaction.client.get_channel(page.address.channel))


def age_restricted(channel: Any) -> bool:
    """Whether a channel or thread is age-restricted; True for a thread whose channel the bot does not know."""
    if isinstance(channel, discord.Thread) and channel.parent is None:
        return True
    return bool(hasattr(channel, "is_nsfw") and channel.is_nsfw())


async def _direct_messages(interaction: discord.Interaction) -> Destination:
    try:
        channel = await interaction.client.create_dm(interaction.user)
    except discord.Forbidden:
        raise UserError(direct_messages_closed()) from None
    return Destination(channel.id, "replies", None, by_dm=True)


def direct_messages_closed() -> str:
    """The sentence that the member takes no direct messages."""
    return _(
        "I am no member here, so the painting comes by direct message, and yours are closed to me: "
        "allow direct messages in your privacy settings, or ask in a server that I am in."
    )


def check_may_attach(interaction: discord.Interaction) -> None:
    """The bot takes nobody's pictures where they may post none; who may not write there may attach nothing either.

    Raises `UserError`.
    """
    if not _may_attach(interaction.permissions, inside=getattr(interaction.channel, "type", None) in _THREADS):
        raise UserError(_("You may not attach files here, so I post none for you: ask in a channel where you may."))


def _may_attach(granted: discord.Permissions, *, inside: bool) -> bool:
    """`inside` of a thread, writing is a right of its own."""
    return granted.attach_files and (granted.send_messages_in_threads if inside else granted.send_messages)


def _lacking(granted: discord.Permissions, needed: tuple[str, ...]) -> list[str]:
    if not granted.view_channel:
        needed = ("view_channel",)  # without it Discord counts none of the others as granted
    return [name for name in needed if not getattr(granted, name)]


def _check(granted: discord.Permissions, needed: tuple[str, ...]) -> None:
    missing = [f"**{_(_RIGHTS[name])}**" for name in _lacking(granted, needed)]
    if missing:
        raise UserError(
            ngettext(
                "I lack the permission {names} here: ask someone who manages this channel to grant it.",
                "I lack the permissions {names} here: ask someone who manages this channel to grant it.",
                len(missing), names=listed(missing),
            )
        )  # fmt: skip
