"""What has been posted for a job, and where: a hash in Redis that outlives every process.

A post is noted together with the acknowledgement of the event that it tells of, in one MULTI, so that after a crash
either both are known or neither is.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import structlog
from arq.connections import ArqRedis
from pydantic import BaseModel, ConfigDict
from redis.asyncio.client import Pipeline

from bot.text.translation import ENGLISH, N_, _
from engine.contract.connection import readable
from engine.contract.events import STREAM
from engine.contract.models import KEEP_DAYS, MOST_KEEP_DAYS

GROUP = "discord"
"""The consumer group of the event stream that the bot reads in."""
NEUTRAL = N_("A painting")
"""What card and thread are called where AutoMod or Server Discovery does not like the pictures' names."""


class Address(BaseModel):
    """Where a job's messages go, and whose it is. Ids are Discord's."""

    model_config = ConfigDict(frozen=True)

    job: str
    owner: int
    guild: int | None
    """The server's id; None in direct messages."""
    channel: int
    """Where the card is posted."""
    place: Literal["thread", "replies"]
    """Whether a thread opens under the card, or the pictures answer it."""
    title: str
    """The title of card and thread; plain text, 1 to 100 characters."""
    mention: bool = False
    """Whether the owner asked to be mentioned at the end."""
    age_restricted: bool = False
    """Whether the channel was, so that the pictures must not leave it."""
    language: str = ENGLISH
    """The language of what everybody sees of the job."""


@dataclass(frozen=True)
class LedgerPage:
    """A job's page in the ledger."""

    address: Address
    card: int | None
    card_channel: int
    """Where the card is now: `/show` brings it elsewhere."""
    card_guild: int | None
    former: Mapping[int, int]
    """Message -> channel of the cards that `/show` left behind, and of those that were lost, and may be there still."""
    shared: Mapping[int, int]
    """Message -> channel of the pictures and films that were made for passing on."""
    films: frozenset[int]
    """The messages in `shared` that are short films."""
    brought: frozenset[int]
    """Channels that `/show` brings it to, known before it is to be seen there."""
    title: str
    """The title as posted: the address's, or a neutral one where the server's AutoMod did not like that."""
    thread: int | None
    posts: Mapping[str, int]
    """Post -> message id: `snapshot:300`, `final`, …"""
    pictures: Mapping[int, str]
    """Iteration -> the snapshot's key in the store, to go on from."""
    files: tuple[str, ...]
    """Names of the pictures on the card."""
    parent: str
    """Link to the card of the painting that this one came from; empty without one."""
    left_out: str
    """Why not all of it was posted, in a sentence; empty where it was."""
    stopped: str
    """Why nothing more is posted, in a sentence; empty while all is well."""
    forget: bool
    """Whether the owner wants all of the painting deleted."""

    @property
    def language(self) -> str:
        """The language of what everybody sees of the job."""
        return self.address.language

    @property
    def mentioned(self) -> int | None:
        """Who asked to be mentioned at the end; None where they did not."""
        return self.address.owner if self.address.mention else None

    @property
    def shown_title(self) -> str:
        """The title in the current language, where it is the neutral one."""
        return _(NEUTRAL) if self.title == NEUTRAL else self.title

    @property
    def channel(self) -> int:
        """Where the pictures go."""
        return self.thread or self.address.channel

    @property
    def shown(self) -> frozenset[int]:
        """The channels and threads in which it is to be seen."""
        return frozenset((self.card_channel, self.channel, self.address.channel, *self.former.values())) | self.brought

    @property
    def card_place(self) -> dict[str, str | int]:
        """The fields of this page that say where the card is, as the ledger notes them."""
        return {"card": self.card or "", "card_channel": self.card_channel, "card_guild": self.card_guild or ""}

    @property
    def messages(self) -> int:
        """How many of the job's messages there are on Discord."""
        return len(self.posts) + len(self.former) + len(self.shared) + (self.card is not None)

    @property
    def link(self) -> str:
        """The link to the card; empty where there is none."""
        if self.card is None:
            return ""
        return f"https://discord.com/channels/{self.card_guild or '@me'}/{self.card_channel}/{self.card}"


_FORGETTING = "impasto:forgetting"
_log = structlog.get_logger(__name__)


def _key(job: str) -> str:
    return f"impasto:posted:{job}"


def _owner_key(owner: int) -> str:
    """The jobs of a member's pages, by when each page was last written on."""
    return f"impasto:pages:{owner}"


class Ledger:
    """Every read and write of the ledger."""

    def __init__(self, redis: ArqRedis, keep_days: int = KEEP_DAYS) -> None:
        """`keep_days` is for how long jobs are kept: their pages are no shorter."""
        self._redis, self._keep = redis, max(KEEP_DAYS, keep_days) * 86400

    async def open(self, address: Address, parent: str = "") -> None:
        """Begin a job's page; before the job is created, so that no event of it finds none."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hsetnx(_key(address.job), "address", address.model_dump_json())
            if parent:
                pipe.hset(_key(address.job), "parent", parent)
            # Ends by itself when the job was never accepted; `note` keeps it.
            self._index(pipe, address.owner, address.job)
            await pipe.execute()

    async def restore(self, page: LedgerPage) -> None:
        """Write again what the page has and the ledger has not."""
        title = page.title if page.title != page.address.title else ""
        known = {"files": " ".join(page.files), "parent": page.parent, "thread": str(page.thread or ""), "title": title}
        known = {"address": page.address.model_dump_json()} | {name: told for name, told in known.items() if told}
        known |= {f"former:{card}": str(channel) for card, channel in page.former.items()}
        before = await self.page(page.address.job)
        if page.card and (before is None or before.card is None):  # else the ledger's card would be sought in its place
            known |= {name: str(value) for name, value in page.card_place.items()}
        known |= {f"former:{page.card}": str(page.card_channel)} if page.card else {}
        async with self._redis.pipeline(transaction=True) as pipe:
            for name, value in known.items():
                pipe.hsetnx(_key(page.address.job), name, value)
            self._index(pipe, page.address.owner, page.address.job)
            await pipe.execute()

    async def page(self, job: str) -> LedgerPage | None:
        """A job's page; None when the job is not the bot's, or the page cannot be read."""
        return (await self.pages(job))[job]

    async def pages(self, *jobs: str) -> dict[str, LedgerPage | None]:
        """The page of each of them, in one question."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for job in jobs:
                pipe.hgetall(_key(job))
            found = await readable(pipe)
        return {job: _read(job, raw or {}) for job, raw in zip(jobs, found, strict=True)}

    async def of_owner(self, owner: int) -> list[str]:
        """The jobs of a member's pages, the newest first: also those that have expired before their pages."""
        members: Any = await self._redis.zrevrange(_owner_key(owner), 0, -1)
        return [member.decode(errors="replace") for member in members]

    async def note(self, job: str, fields: Mapping[str, str | int], entry: str | None = None) -> None:
        """Write fields, and acknowledge the event that they answer, at once."""
        async with self._redis.pipeline(transaction=True) as pipe:
            if fields:
                pipe.hset(_key(job), mapping=dict(fields))
                self._keep_on(pipe, _key(job))
            if entry is not None:
                pipe.xack(STREAM, GROUP, entry)
            await pipe.execute()
        # Afterwards: what is on Discord by now is to be known at once, and the owner was to be found from the start.
        if fields and (owner := await self._owner(job)) is not None:
            async with self._redis.pipeline(transaction=True) as pipe:
                self._index(pipe, owner, job)
                await pipe.execute()

    async def note_kept(self, job: str, fields: Mapping[str, str | int]) -> bool:
        """Write fields; False where `/forget` has been, so that what they tell of is to be deleted by who posted it."""
        await self.note(job, fields)
        page = await self.page(job)  # only now: a deletion that comes later finds them
        if page is None:
            await self.strike(job, *fields)
        return page is not None and not page.forget

    async def forget(self, *jobs: str) -> None:
        """All that there is of these jobs is to be deleted; known until each page is closed."""
        async with self._redis.pipeline(transaction=True) as pipe:
            for job in jobs:
                pipe.hset(_key(job), "forget", "1")
                pipe.sadd(_FORGETTING, job)
            await pipe.execute()

    async def to_forget(self) -> list[str]:
        """The jobs that are being forgotten."""
        members: Any = await self._redis.smembers(_FORGETTING)  # type: ignore[misc]
        return sorted(member.decode(errors="replace") for member in members)

    async def stop(self, job: str, why: str) -> None:
        """Nothing more is posted, for this reason, a sentence; the first reason stays."""
        await self._redis.hsetnx(_key(job), "stopped", why)  # type: ignore[misc]

    async def strike(self, job: str, *fields: str) -> None:
        """Forget fields: what they tell of is no longer there."""
        if fields:
            await self._redis.hdel(_key(job), *fields)  # type: ignore[misc]

    async def acknowledge(self, *entries: str) -> None:
        """The events are dealt with; there was nothing to post."""
        if entries:
            await self._redis.xack(STREAM, GROUP, *entries)

    async def close(self, job: str) -> None:
        """Forget the page."""
        owner = await self._owner(job)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.delete(_key(job))
            pipe.srem(_FORGETTING, job)
            if owner is not None:
                pipe.zrem(_owner_key(owner), job)
            await pipe.execute()

    async def _owner(self, job: str) -> int | None:
        raw: Any = await self._redis.hget(_key(job), "address")  # type: ignore[misc]
        page = _read(job, {b"address": raw} if raw else {})
        return page.address.owner if page else None

    def _index(self, pipe: Pipeline, owner: int, job: str) -> None:
        """The page is kept, and found by its owner for as long."""
        key, now = _owner_key(owner), time.time()
        pipe.zadd(key, {job: now})
        # Not by the settings of today: pages from when they said more are still there.
        pipe.zremrangebyscore(key, 0, now - MOST_KEEP_DAYS * 86400)
        for kept in (key, _key(job)):
            self._keep_on(pipe, kept)

    def _keep_on(self, pipe: Pipeline, key: str) -> None:
        """Keep it for as long as the settings say, or longer where it already is."""
        pipe.expire(key, self._keep, nx=True)
        pipe.expire(key, self._keep, gt=True)


def _read(job: str, raw: dict[bytes, bytes]) -> LedgerPage | None:
    if b"address" not in raw:
        return None
    try:
        fields = {name.decode(): value.decode() for name, value in raw.items()}
        address, card = Address.model_validate_json(fields["address"]), fields.get("card")
        guild = fields.get("card_guild", str(address.guild or ""))
        return LedgerPage(
            address=address,
            card=int(card) if card else None,
            card_channel=int(fields.get("card_channel", address.channel)),
            card_guild=int(guild) if guild else None,
            former={int(name[7:]): int(v) for name, v in fields.items() if name[:7] == "former:" and name[7:] != card},
            shared={int(name.removeprefix("shared:")): int(v) for name, v in fields.items() if name[:7] == "shared:"},
            films=frozenset(int(name.removeprefix("film:")) for name in fields if name[:5] == "film:"),
            brought=frozenset(int(name.removeprefix("brought:")) for name in fields if name[:8] == "brought:"),
            title=fields.get("title", address.title),
            thread=int(fields["thread"]) if fields.get("thread") else None,
            posts={name.removeprefix("post:"): int(v) for name, v in fields.items() if name.startswith("post:")},
            pictures={int(name.removeprefix("at:")): v for name, v in fields.items() if name.startswith("at:")},
            files=tuple(fields.get("files", "").split()),
            **{name: fields.get(name, "") for name in ("parent", "left_out", "stopped")},
            forget="forget" in fields,
        )
    except ValueError as error:
        _log.warning("a job's page cannot be read", job=job, reason=str(error)[:300])
        return None
