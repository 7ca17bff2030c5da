"""Sends one message exactly once, whatever breaks on the way.

The nonce makes Discord drop a repetition for some minutes; what may be older is first looked for in the channel's
history, by the name of its files or by a button.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit
from weakref import WeakValueDictionary

import discord
import structlog
from discord import ui

from bot.delivery.size_fallback import OutgoingFile
from bot.discord_api.error_sentences import Verdict, sentence, verdict
from bot.discord_api.pacing import time_limit
from bot.discord_api.retry import FAILURES, persist
from bot.discord_api.spoilers import bare_name
from bot.text.translation import N_
from engine.process.metrics import DUPLICATES, POSTS

REQUEST_TIMEOUT = 25.0
"""Seconds for one request, beside what the bytes of its files take; discord.py's own time-out is five minutes."""
NONCE_HOLDS = 60.0
"""Seconds for which a nonce surely still holds; Discord says "a few minutes"."""
LOOK_BACK = 500
"""Messages of a channel that are looked through for one that may have been sent."""
_SLOWEST = 50_000  # bytes a second: a fifth of 2 Mbit/s, for uploads share the line
_SENDERS = 8  # uploads at a time, each held in memory whole

_log = structlog.get_logger(__name__)


class Undeliverable(Exception):
    """Discord will not take it, now or later; the text is one sentence for the audience."""

    def __init__(self, verdict: Verdict, text: str) -> None:
        super().__init__(text)
        self.verdict = verdict


@dataclass(frozen=True)
class OutgoingMessage:
    """A message before it is sent."""

    job: str
    key: str
    """Unique within the job; decides the nonce."""
    marker: str
    """What the name of its first file begins with, or the custom id of one of its buttons; no other message's."""
    text: Callable[[str], str] | None
    """The content, given the note of its upload; None for a message that is all view."""
    variants: AsyncIterator[Sequence[OutgoingFile]]
    """The message's files, from the best down to the smallest; the next are tried when these were too large."""
    view: Callable[[Sequence[OutgoingFile]], ui.View | ui.LayoutView] | None = None
    alt: Sequence[str] = ()
    spoiler: bool = False
    """Whether the message's files are covered."""
    mention: int | None = None
    """The one user that the message may ping, by id."""
    rings: bool = False
    """Whether whoever follows the place is notified of it."""
    answers: int | None = None
    """The message that this one is a reply to, by id."""


class Sender:
    """Sends messages, each once; one for the whole bot."""

    def __init__(self, client: discord.Client) -> None:
        self.client = client
        self._sending = asyncio.Semaphore(_SENDERS)
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    def limit(self, guild: int | None) -> int:
        """Bytes that a file may have there, at this time."""
        found = self.client.get_guild(guild) if guild else None
        return found.filesize_limit if found else discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES

    async def send(self, channel: int, message: OutgoingMessage, *, look_first: bool) -> int:
        """The message's id. Waits out what passes; raises `Undeliverable`."""
        loop = asyncio.get_running_loop()
        turn = self._turns.setdefault(channel, asyncio.Lock())
        first = float("inf")  # when one that is not known to be missing may have arrived, at the earliest

        async def attempt(files: Sequence[OutgoingFile]) -> int:
            nonlocal look_first, first
            parts, limit = message_parts(channel, message, files), request_limit(files)
            # One at a time per channel: what waits for the channel's rate limit must not run out of time.
            async with turn, self._sending:
                # Not before the wait for these two, which may outlast the nonce; neither may the upload itself.
                if look_first or loop.time() + limit > first + NONCE_HOLDS:
                    found = await self.find_sent(channel, message.job, message.marker)
                    if found is not None:
                        DUPLICATES.labels("post").inc()
                        return found
                    look_first, first = False, float("inf")
                first = min(first, loop.time())
                once = loop.time() + limit > first + NONCE_HOLDS
                async with time_limit(self.client, limit):
                    sent = await self.client.get_partial_messageable(channel).send(
                        files=fresh_files(files, message.alt, spoiler=message.spoiler, once=once), **parts
                    )
            POSTS.labels(message.key.partition(":")[0]).inc()
            return sent.id

        async for files in message.variants:
            try:
                return await persist(partial(attempt, files), job=message.job, post=message.key)
            except FAILURES as error:
                reason = verdict(error)
                _log.info("it was refused", job=message.job, post=message.key, reason=str(error), verdict=str(reason))
                if reason is not Verdict.SMALLER:
                    raise Undeliverable(reason, sentence(error)) from error
        raise Undeliverable(Verdict.SMALLER, N_("The picture is too large for this server, even at its smallest."))

    async def find_sent(self, channel: int, job: str, marker: str) -> int | None:
        """The job's message with this marker, if it was sent before: the newest first, back to the job's beginning.

        Job ids are Discord's, so they tell when that was.
        """
        me = self.client.user
        history = self.client.get_partial_messageable(channel).history(
            limit=LOOK_BACK, after=discord.Object(int(job)), oldest_first=False
        )
        async with time_limit(self.client, 2 * REQUEST_TIMEOUT):
            async for sent in history:
                ours = me is not None and sent.author.id == me.id
                named = any(name.startswith(marker) for name in file_names(sent))
                if ours and (named or marker in button_ids(sent.components)):
                    return sent.id
        return None


def request_limit(files: Sequence[OutgoingFile]) -> float:
    """Seconds that the request which brings the files may take."""
    return REQUEST_TIMEOUT + sum(len(file.data) for file in files) / _SLOWEST


def message_parts(channel: int, message: OutgoingMessage, files: Sequence[OutgoingFile]) -> dict[str, Any]:
    """What discord.py is given of a message, beside its files."""
    parts: dict[str, Any] = {
        "content": message.text(" ".join(file.note for file in files if file.note)) if message.text else None,
        "nonce": nonce(message.job, message.key),
        "silent": not message.rings,
        "allowed_mentions": mentions(message.mention),
    }
    if message.answers:
        parts["reference"] = discord.MessageReference(
            message_id=message.answers, channel_id=channel, fail_if_not_exists=False
        )
    if message.view:
        parts["view"] = message.view(files)
    return parts


def file_names(message: discord.Message) -> Iterator[str]:
    """All of a message's: files that a component shows are not among the attachments; what is covered has a longer
    name."""
    yield from (bare_name(file.filename) for file in message.attachments)
    for box in message.components:
        for part in getattr(box, "children", ()):
            yield from (
                unquote(urlsplit(item.media.url).path).rpartition("/")[2] for item in getattr(part, "items", ())
            )


def button_ids(components: Iterable[discord.Component]) -> Iterator[str]:
    """The custom ids of the buttons among a message's components, and in what these hold."""
    for part in components:
        yield getattr(part, "custom_id", None) or ""
        yield from button_ids(getattr(part, "children", ()))


class _SentOnce(discord.File):
    """A file that discord.py cannot send again by itself: `Sender` looks for the message first."""

    def reset(self, *, seek: int | bool = True) -> None:
        """Called before each of discord.py's tries; `seek` is how many there were."""
        if seek:
            raise ConnectionError("a long upload is looked for before it is repeated")
        super().reset(seek=seek)


def fresh_files(
    files: Sequence[OutgoingFile], alt: Sequence[str], *, spoiler: bool = False, once: bool = False
) -> list[discord.File]:
    """New files for each attempt: discord.py sends one that was sent before as zero bytes, without an error.

    `once`: the nonce may run out before discord.py's own repetition has arrived.
    """
    described = [*alt, *[""] * len(files)]
    kind = _SentOnce if once else discord.File
    return [
        kind(io.BytesIO(file.data), filename=file.name, description=words[:1024] or None, spoiler=spoiler)
        for file, words in zip(files, described, strict=False)
    ]


def nonce(job: str, key: str) -> str:
    """Twenty-five characters, Discord's most, that stand for this message."""
    return hashlib.sha256(f"{job}:{key}".encode()).hexdigest()[:25]


def mentions(user: int | None) -> discord.AllowedMentions:
    """Nobody is pinged but this user."""
    if user is None:
        return discord.AllowedMentions.none()
    return discord.AllowedMentions(everyone=False, roles=False, replied_user=False, users=[discord.Object(user)])
