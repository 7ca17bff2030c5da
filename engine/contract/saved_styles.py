"""Saved styles: pictures that a server's members keep by name, with settings, to paint like them again.

A server's styles are one hash in Redis, by name; their pictures lie in the store under `styles/`, apart from those of
jobs, so that nothing that deletes expired paintings reaches them.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any, Literal, NamedTuple

import structlog
from arq.connections import ArqRedis
from PIL import Image
from pydantic import BaseModel, ConfigDict

from engine.contract.connection import readable, within
from engine.contract.lua_scripts import script
from engine.contract.models import StoredPicture
from engine.contract.store import Blob, BlobMissing, Store, StoreError
from engine.contract.stored_blobs import note
from engine.contract.study import Value

FOLDER = "styles/"
"""Where the pictures of saved styles lie in the store: `styles/<server>/<id>.png`."""
_DRAWN = "drawn/"
"""Where the pictures lie of the styles that every server begins with."""
_OURS = re.compile(rf"{FOLDER}[0-9]+/[^/]+\.png")
"""The names of these pictures alone: the store's folder may hold a folder `styles` of somebody else's."""
LEFT_DAYS = 7
"""How long the styles of a server are kept that the bot was removed from: it may have been by mistake."""
_BEGUN = b""
"""The field that says that a server has had its first styles: no style has an empty name."""

_log = structlog.get_logger(__name__)


class SavedStyle(BaseModel):
    """A style that somebody saved, or that every server begins with."""

    model_config = ConfigDict(frozen=True)

    name: str
    picture: StoredPicture
    digest: str
    """Digest of the picture's pixels, by which a recipe code finds the style."""
    settings: dict[str, Value] = {}
    """What it is painted with unless something else is asked for: `recipe`, and the recipe's fields."""
    owner: str | None = None
    """Who saved the style; None for the ones that every server begins with."""
    saved: float = 0.0
    """When the style was saved, in Unix time."""
    age_restricted: bool = False
    """Whether it was saved in an age-restricted channel: then it is shown and used in such channels alone."""


class StyleRefused(Exception):
    """A style was not saved: its name is taken, or the member or the server has as many as there may be."""

    def __init__(self, cap: Literal["name", "member", "server"]) -> None:
        super().__init__(cap)
        self.cap = cap


class Used(NamedTuple):
    """Keys of pictures: those `used` by saved styles, and those `spared` since a style of their server cannot be read.

    Nobody knows whether any style here ever used the latter.
    """

    used: set[str]
    spared: set[str]


class SavedStyles:
    """Reads and writes saved styles."""

    def __init__(self, redis: ArqRedis, store: Store, drawn: Mapping[str, bytes] | None = None) -> None:
        """`drawn` are the styles that each server begins with: name -> PNG."""
        self._redis, self._store, self._drawn = redis, store, drawn or {}
        self._first: list[SavedStyle] | None = None
        self._save = redis.register_script(script("save_style"))
        self._forget = redis.register_script(script("forget_styles"))

    async def all(self, guild: int) -> list[SavedStyle]:
        """A server's styles, sorted by name. One that cannot be read is logged and left out."""
        raw = await self._raw(guild)
        if raw is not None and _BEGUN not in raw:
            raw = await self._begin(guild)
        return sorted(_styles(raw, guild), key=lambda style: folded(style.name))

    async def find(self, guild: int, name: str) -> SavedStyle | None:
        """The server's style of that name, whether its letters are large or small."""
        return next((style for style in await self.all(guild) if folded(style.name) == folded(name)), None)

    async def save(self, guild: int, style: SavedStyle, most_of_member: int, most_of_server: int) -> None:
        """Save a style. Raises `StyleRefused`."""
        await self.all(guild)  # the first ones have their names before any other
        caps = (most_of_member, most_of_server)
        keys = [_key(guild), _owner_key(str(style.owner))]
        about = (folded(style.name), style.model_dump_json(), str(style.owner), guild, *caps)
        refused: bytes = await self._save(keys=keys, args=about)
        if refused:
            raise StyleRefused(refused.decode())  # type: ignore[arg-type]

    async def delete(self, guild: int, *styles: SavedStyle) -> None:
        """Delete these styles; a picture that the store does not delete at once goes with a sweep, once a day old."""
        if not styles:
            return
        await self._redis.hdel(_key(guild), *(folded(style.name) for style in styles))  # type: ignore[misc]
        await self.delete_pictures(*(style.picture.key for style in styles))

    async def forget(self, owner: str) -> int:
        """Delete all that a member saved, in every server; how many there were."""
        guilds: Any = await self._redis.smembers(_owner_key(owner))  # type: ignore[misc]
        deleted = 0
        for guild in map(int, guilds):
            raw: Any = await self._forget(keys=[_key(guild), _owner_key(owner)], args=[owner, guild])
            mine = [style for style in (_read(one, guild) for one in raw) if style]
            await self.delete_pictures(*(style.picture.key for style in mine))
            deleted += len(raw)
        return deleted

    async def delete_pictures(self, *keys: str) -> None:
        """Delete pictures that no style uses any more; those that the store does not delete are left to the sweep."""
        ours = [key for key in keys if key.startswith(FOLDER)]
        try:
            await self._store.delete(*ours)
        except StoreError as error:
            _log.warning("pictures of deleted styles are left to the sweep", reason=str(error))
            with suppress(StoreError):  # then they are noted only if they were when they were stored
                await note(self._redis, self._store, *ours)

    async def let_expire(self, guild: int) -> None:
        """Let the styles of a server expire in `LEFT_DAYS`, unless the bot is in it again by then."""
        await self._redis.expire(_key(guild), LEFT_DAYS * 86400, nx=True)

    async def keep(self, guild: int) -> None:
        """Let the styles of a server that the bot is in again not expire."""
        await self._redis.persist(_key(guild))

    async def keep_alone(self, guilds: Collection[int]) -> None:
        """Let the styles of all servers but `guilds` expire in `LEFT_DAYS`, unless the bot is in them again by then."""
        async for key in self._redis.scan_iter(_key("*"), count=500):
            if key.rpartition(b":")[2].decode() in {"0", *map(str, guilds)}:
                await self._redis.persist(key)
            else:
                await self._redis.expire(key, LEFT_DAYS * 86400, nx=True)

    async def pictures(self) -> list[Blob]:
        """All pictures in the store that are, or were, of saved styles."""
        return [blob for blob in await self._store.blobs(FOLDER) if _OURS.fullmatch(blob.key)]

    async def used(self, pictures: Collection[Blob]) -> Used:
        """Which of these a saved style uses, and which may be used by one that cannot be read."""
        of_guilds: dict[str, set[str]] = {}
        for blob in pictures:
            of_guilds.setdefault(blob.key.split("/")[1], set()).add(blob.key)
        async with self._redis.pipeline(transaction=False) as pipe:
            for guild in of_guilds:
                pipe.hgetall(_key(guild))
            answers = await readable(pipe)
        used: set[str] = set()
        spared: set[str] = set()
        for (guild, keys), raw in zip(of_guilds.items(), answers, strict=True):
            styles = [_read(one, guild) for field, one in (raw or {}).items() if field != _BEGUN]
            used |= keys & {style.picture.key for style in styles if style}
            if raw is None or None in styles:
                spared |= keys
        return Used(used, spared - used)

    async def _raw(self, guild: int) -> dict[bytes, bytes] | None:
        """A server's hash; None where something of another kind lies under its key."""
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.hgetall(_key(guild))
            raw: dict[bytes, bytes] | None = (await readable(pipe))[0]
        return raw

    async def _begin(self, guild: int) -> dict[bytes, bytes]:
        """The server's first styles; none of them comes back once it was deleted. Raises `StoreError`."""
        if self._first is None:
            self._first = await asyncio.gather(*(self._stored(name, png) for name, png in self._drawn.items()))
        first = {folded(style.name): style.model_dump_json() for style in self._first}
        async with self._redis.pipeline(transaction=True) as pipe:
            for field, one in {_BEGUN.decode(): "", **first}.items():
                pipe.hsetnx(_key(guild), field, one)
            await pipe.execute()
        found: Any = await self._redis.hgetall(_key(guild))  # type: ignore[misc]
        return dict(found)

    async def _stored(self, name: str, drawn: bytes) -> SavedStyle:
        """The first style of that name; its picture is put into the store where that has none yet."""
        key = f"{_DRAWN}{name}.png"
        try:
            png = await self._store.get(key)
        except BlobMissing:
            await self._store.put(key, png := drawn)
        width, height, digest = await asyncio.to_thread(measured, png)
        picture = StoredPicture(key=key, name=name, width=width, height=height)
        return SavedStyle(name=name, picture=picture, digest=digest)


def is_saved_style(picture: StoredPicture) -> bool:
    """Whether it is a saved style's own picture, and not a painting's copy of one."""
    return picture.key.startswith((FOLDER, _DRAWN))


def measured(png: bytes) -> tuple[int, int, str]:
    """Width, height and digest of a clean picture; the digest is of its pixels, however they are packed."""
    with Image.open(io.BytesIO(png), formats=["PNG"]) as picture:
        pixels = picture.convert("RGB")
    told = f"{pixels.width} {pixels.height} ".encode() + pixels.tobytes()
    return pixels.width, pixels.height, hashlib.sha256(told).hexdigest()[:12]


def _key(guild: int | str) -> str:
    return f"impasto:styles:{guild}"


def _owner_key(user: str) -> str:
    """Key of the set of the servers in which a member may have saved styles."""
    return f"impasto:saved:{user}"


def folded(name: str) -> str:
    """The name as styles are found by: without difference of case, and of spaces."""
    return " ".join(name.casefold().split())


def _styles(raw: Mapping[bytes, bytes] | None, guild: int) -> list[SavedStyle]:
    """The styles in a server's hash that can be read."""
    styles = [_read(one, guild) for field, one in (raw or {}).items() if field != _BEGUN]
    return [style for style in styles if style]


def _read(raw: bytes, guild: int | str) -> SavedStyle | None:
    if not raw:
        return None
    try:
        return SavedStyle.model_validate_json(within(raw))
    except ValueError as error:
        _log.error("a saved style cannot be read", guild=str(guild), reason=str(error)[:300])
        return None
