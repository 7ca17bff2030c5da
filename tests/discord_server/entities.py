"""What the world consists of. Ids are integers here and strings on the wire; moments are Unix seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from discord_server.codes import MIB, ChannelType, MessageType, StickerFormat

Json = dict[str, Any]


@dataclass
class User:
    id: int
    name: str
    bot: bool = False
    locale: str = "en-US"
    dms_open: bool = True
    installed: bool = False
    """Has the application installed for themselves."""
    upload_limit: int = 10 * MIB
    """Bytes per file; more with Nitro."""
    flags: int = 0
    primary_guild: Json | None = None
    """The server whose tag they wear, as the API has it."""


@dataclass
class Role:
    id: int
    name: str
    permissions: int
    mentionable: bool = False
    bot_id: int | None = None


@dataclass
class Overwrite:
    """Of one role or member in one channel."""

    id: int
    for_member: bool
    allow: int = 0
    deny: int = 0


@dataclass
class Member:
    user_id: int
    joined_at: float
    role_ids: list[int] = field(default_factory=list)
    timed_out_until: float | None = None


@dataclass
class Guild:
    id: int
    name: str
    owner_id: int
    boost_tier: int = 0
    locale: str = "en-US"
    roles: dict[int, Role] = field(default_factory=dict)
    members: dict[int, Member] = field(default_factory=dict)
    blocked_words: list[str] = field(default_factory=list)

    @property
    def upload_limit(self) -> int:
        """Bytes per file."""
        return {2: 50 * MIB, 3: 100 * MIB}.get(self.boost_tier, 10 * MIB)


@dataclass
class ThreadState:
    owner_id: int
    created_at: float
    archived_at: float
    auto_archive_minutes: int = 4320
    archived: bool = False
    locked: bool = False
    invitable: bool = True
    starter: tuple[int, int] | None = None
    """The message that it was made from: the id it has in the thread, and its own channel's id."""
    sent: int = 0
    member_ids: list[int] = field(default_factory=list)


@dataclass
class Channel:
    id: int
    type: ChannelType
    name: str
    guild_id: int | None = None
    parent_id: int | None = None
    position: int = 0
    overwrites: dict[int, Overwrite] = field(default_factory=dict)
    recipient_ids: list[int] = field(default_factory=list)
    last_message_id: int | None = None
    thread: ThreadState | None = None
    nsfw: bool = False


@dataclass
class Attachment:
    """An uploaded file. `expires_at` is set for an option's or a modal's upload only: those are ephemeral."""

    id: int
    channel_id: int
    filename: str
    data: bytes
    content_type: str | None
    """None where the name says nothing that Discord knows."""
    width: int | None = None
    height: int | None = None
    description: str | None = None
    title: str | None = None
    """The name as it was typed, without its ending, where `filename` had to be changed."""
    flags: int = 0
    expires_at: float | None = None

    @property
    def size(self) -> int:
        return len(self.data)


@dataclass
class Sticker:
    id: int
    name: str
    format: StickerFormat
    data: bytes


@dataclass
class Message:
    id: int
    channel_id: int
    author_id: int
    type: MessageType = MessageType.DEFAULT
    content: str = ""
    flags: int = 0
    embeds: list[Json] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    edited_at: float | None = None
    nonce: str | None = None
    mentions: Json = field(default_factory=dict)
    reply_to: int | None = None
    stickers: list[Sticker] = field(default_factory=list)
    snapshot: Message | None = None
    """What it forwards, as that was at that moment."""
    interaction_id: int | None = None
    interaction: Json | None = None
    """`interaction_metadata`, and `interaction` for a command, as Discord sends them."""
    viewer_id: int | None = None
    """The only one to see it: it is ephemeral."""
    has_thread: bool = False
    history: list[Json] = field(default_factory=list)
    """How it looked before each edit."""


@dataclass
class Interaction:
    id: int
    token: str
    payload: Json
    user_id: int
    channel_id: int
    guild_id: int | None
    asked: float
    """Seconds of the loop's clock, for the 3 seconds are real ones."""
    source_message_id: int | None = None
    """Of the message whose component was used, or from whose component the modal came."""
    source_interaction_id: int | None = None
    """Of the interaction that opened the modal."""
    response_type: int | None = None
    latency_s: float | None = None
    ephemeral: bool = False
    void: bool = False
    """No response came in time."""
    original_id: int | None = None
    message_ids: list[int] = field(default_factory=list)
    """What it made, in order: the response and the follow-ups."""
    followups: int = 0
    modal: Json | None = None
    choices: list[Json] | None = None
    upload_limit: int = 10 * MIB

    @property
    def type(self) -> int:
        return int(self.payload["type"])

    @property
    def user_installed_only(self) -> bool:
        return "0" not in self.payload["authorizing_integration_owners"]
