"""The one world in memory: who and what there is, what has been said, and what changed since when."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from discord_server.clock import Clock
from discord_server.codes import EVERYONE, ChannelType, Intent
from discord_server.entities import Channel, Guild, Interaction, Member, Message, Role, Sticker, User
from discord_server.media import Media
from discord_server.rate_limits import InvalidRequests, Limits
from discord_server.refusals import Refusal

Json = dict[str, Any]
Key = tuple[str, int]


@dataclass(frozen=True)
class Event:
    """For the gateway. Without a guild it goes to shard 0."""

    name: str
    data: Json
    guild_id: int | None = None


class Journal:
    """Which thing changed last at which version, so that a reader can be told only what is new."""

    def __init__(self) -> None:
        self.version = 0
        self._last: dict[Key, int] = {}
        self._changed = asyncio.Event()

    def touch(self, kind: str, number: int = 0) -> None:
        self.version += 1
        key = (kind, number)
        self._last.pop(key, None)
        self._last[key] = self.version
        self._changed.set()
        self._changed = asyncio.Event()

    def since(self, version: int) -> list[Key]:
        """The keys touched after `version`, oldest first."""
        keys = []
        for key, last in reversed(self._last.items()):
            if last <= version:
                break
            keys.append(key)
        return keys[::-1]

    async def beyond(self, version: int) -> None:
        """Waits until there is something new."""
        while self.version <= version:
            await self._changed.wait()


@dataclass
class Counts:
    """What was asked of the server, for tests to bound."""

    requests: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    busiest_second: int = 0
    identifies: int = 0
    resumes: int = 0
    command_syncs: int = 0
    commands_created: int = 0
    connections: int = 0

    def as_json(self) -> Json:
        invalid = sum(self.statuses[status] for status in (401, 403, 429))
        return {
            "requests": dict(self.requests),
            "statuses": {str(status): times for status, times in self.statuses.items()},
            "invalid_requests": invalid,
            "rate_limited": self.statuses[429],
            "busiest_second": self.busiest_second,
            "identifies": self.identifies,
            "resumes": self.resumes,
            "command_syncs": self.command_syncs,
            "commands_created": self.commands_created,
            "connections": self.connections,
        }


class World:
    """All state of the server. Whatever changes it calls `touch`; what the bot must hear of goes through `emit`."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.journal, self.counts = clock, Journal(), Counts()
        self.media, self.limits, self.invalid = Media(clock), Limits(), InvalidRequests(clock)
        self.gateway_url = ""
        self.users: dict[int, User] = {}
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.messages: dict[int, dict[int, Message]] = {}
        self.stickers: dict[int, Sticker] = {}
        self.interactions: dict[int, Interaction] = {}
        self.commands: dict[int, list[Json]] = {}
        """By guild; 0 holds the global ones."""
        kinds = ("violation", "refusal", "ping", "ring", "unguarded", "request", "own_fault")
        self.notes: dict[str, list[Json]] = {kind: [] for kind in kinds}
        self.privileged_intents = 0
        self.token = secrets.token_urlsafe(24)
        self.bot = self.add_user("Bot", bot=True)
        self.application_id = self.bot.id
        self._listeners: list[Callable[[Event], None]] = []

    def listen(self, listener: Callable[[Event], None]) -> None:
        self._listeners.append(listener)

    def emit(self, name: str, data: Json, guild_id: int | None = None) -> None:
        """Of a guild that the bot is not in, it hears nothing."""
        if guild_id is not None and self.bot.id not in self.guilds[guild_id].members:
            return
        for listener in self._listeners:
            listener(Event(name, data, guild_id))

    def touch(self, kind: str, number: int = 0) -> None:
        self.journal.touch(kind, number)

    def note(self, kind: str, **what: Any) -> None:
        """Adds to one of the lists that tests read."""
        self.notes[kind].append(what)
        self.touch(kind, len(self.notes[kind]) - 1)

    def add_user(self, name: str, bot: bool = False) -> User:
        user = User(self.clock.snowflake(), name, bot=bot)
        self.users[user.id] = user
        self.touch("user", user.id)
        return user

    def add_guild(self, name: str, owner: User) -> Guild:
        guild = Guild(self.clock.snowflake(), name, owner.id)
        guild.roles[guild.id] = Role(guild.id, "@everyone", int(EVERYONE))
        guild.members[owner.id] = Member(owner.id, self.clock.now())
        self.guilds[guild.id] = guild
        self.touch("guild", guild.id)
        return guild

    def add_channel(self, channel: Channel) -> Channel:
        self.channels[channel.id] = channel
        self.messages.setdefault(channel.id, {})
        self.touch("channel", channel.id)
        return channel

    def dm_with(self, user: User) -> Channel:
        """The bot's direct messages with one user; made when first asked for."""
        for channel in self.channels.values():
            if channel.type == ChannelType.DM and {self.bot.id, user.id} == set(channel.recipient_ids):
                return channel
        recipients = [self.bot.id, user.id]
        return self.add_channel(Channel(self.clock.snowflake(), ChannelType.DM, "", recipient_ids=recipients))

    def channel(self, channel_id: int) -> Channel:
        if channel_id not in self.channels:
            raise Refusal(10003)
        return self.channels[channel_id]

    def message(self, channel_id: int, message_id: int) -> Message:
        """Of a channel that exists; ephemeral or not."""
        message = self.messages[self.channel(channel_id).id].get(message_id)
        if message is None:
            raise Refusal(10008)
        return message

    def guild_of(self, channel: Channel) -> Guild | None:
        return None if channel.guild_id is None else self.guilds[channel.guild_id]

    def bot_guilds(self) -> list[Guild]:
        return [guild for guild in self.guilds.values() if self.bot.id in guild.members]

    def shares_guild(self, user: User) -> bool:
        return any(user.id in guild.members for guild in self.bot_guilds())

    @property
    def may_read_content(self) -> bool:
        """Whether the application has been granted the MESSAGE_CONTENT intent."""
        return bool(self.privileged_intents & Intent.MESSAGE_CONTENT)

    def threads_of(self, guild_id: int) -> list[Channel]:
        return [channel for channel in self.channels.values() if channel.guild_id == guild_id and channel.thread]

    def upload_limit(self, channel: Channel) -> int:
        """Bytes per file that the bot may post there."""
        guild = self.guild_of(channel)
        return self.bot.upload_limit if guild is None else guild.upload_limit
