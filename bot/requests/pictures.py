"""A member's pictures on their way into the store: fetched from Discord, opened by a decoder, kept clean."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from weakref import WeakValueDictionary

import aiohttp

from bot import intake
from bot.backend import Backend
from bot.errors import UserError
from bot.requests.attachment_download import AttachmentError, discord_origins, download, too_large
from bot.requests.paint_request import AttachedPicture
from bot.text.sanitise import safe
from bot.text.titles import A_SPOILER
from bot.text.translation import N_, _
from engine.contract.models import StoredPicture, TooMany
from engine.contract.saved_styles import is_saved_style
from engine.contract.store import BlobMissing
from engine.contract.stored_blobs import note

PICTURES_GONE = N_("The pictures of that painting are no longer kept: start over with `/stylize`.")
STYLE_GONE = N_("The picture of the style {name} is no longer there: save it again, or choose another style.")
_AHEAD = 2  # pictures that are fetched while the decoders are busy: they wait in memory
_FILM_PIXELS = 24_000_000  # of a member's animation, which passes through the bot's memory


class Pictures:
    """Takes them in; one for the whole bot, so that it can count what runs at a time."""

    def __init__(self, backend: Backend, session: aiohttp.ClientSession, decoders: intake.Decoders) -> None:
        self._backend, self._session, self._decoders = backend, session, decoders
        self._fetched = asyncio.Semaphore(decoders.count + _AHEAD)
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._in_hand: dict[int, int] = {}

    @contextmanager
    def holding(self, owner: int) -> Iterator[None]:
        """A member's request that is neither accepted nor refused yet. Raises `TooMany`."""
        held = self._in_hand.get(owner, 0)
        if held >= self._backend.settings.impasto_user_jobs:
            raise TooMany("user")
        self._in_hand[owner] = held + 1
        try:
            yield
        finally:
            self._in_hand[owner] -= 1
            if not self._in_hand[owner]:
                del self._in_hand[owner]

    @asynccontextmanager
    async def turn(self, owner: int) -> AsyncIterator[None]:
        """One of a member's pictures at a time: those that take long must not take the decoders from all others."""
        async with self._turns.setdefault(owner, asyncio.Lock()):
            yield

    async def keep(
        self, source: AttachedPicture | StoredPicture, key: str, *, wanted: intake.Wanted = "picture", frames: int = 1
    ) -> tuple[StoredPicture, int]:
        """A clean copy under this key: what lies in the store already may be forgotten before it is painted.

        And how many frames there are, of at most `frames`; 1 for what is in the store already, whose recipe knows.
        Raises `UserError`, `BadPicture` or `StoreError`.
        """
        if isinstance(source, StoredPicture):
            gone = _(STYLE_GONE, name=safe(source.name, 50)) if is_saved_style(source) else _(PICTURES_GONE)
            await self._copy(source.key, key, gone)
            return source.model_copy(update={"key": key}), 1
        limit = intake.USUAL.max_bytes
        async with self._fetched:
            try:
                data = await download(self._session, source.url, source.name, hosts=discord_origins(), max_bytes=limit)
            except AttachmentError as error:
                raise UserError(str(error)) from error
            limits = dataclasses.replace(self._limits, max_frames=frames)
            async with self._decoders.take() as decoder:
                clean = await intake.take_in(data, source.name, limits, wanted, decoder)
        await self._note(key)
        await self._backend.store.put(key, clean.png)
        name = A_SPOILER if source.spoiler else clean.name
        stored = StoredPicture(key=key, name=name, width=clean.width, height=clean.height, spoiler=source.spoiler)
        return stored, clean.frames

    async def copy(self, source: str, target: str) -> str:
        """What is a painting's; returns the target. Raises `UserError` where the source is gone, or `StoreError`."""
        return await self._copy(source, target, _(PICTURES_GONE))

    async def _copy(self, source: str, target: str, gone: str) -> str:
        await self._note(target)
        try:
            return await self._backend.store.copy(source, target)
        except BlobMissing as error:
            raise UserError(gone) from error

    async def _note(self, key: str) -> None:
        """Before it is stored, so that the sweep deletes it where the bot is killed before anything refers to it."""
        await note(self._backend.redis, self._backend.store, key)

    @property
    def _limits(self) -> intake.Limits:
        """No larger than what can be asked for; twice as much, for the style's scale."""
        most = min(intake.USUAL.max_side, 2 * self._backend.settings.impasto_max_size)
        return dataclasses.replace(intake.USUAL, max_side=most, max_film_pixels=_FILM_PIXELS)


def check_upload(upload: AttachedPicture) -> None:
    """What Discord tells of it, before it is fetched. Raises `UserError`."""
    name = intake.printable_name(upload.name)
    if upload.kind is not None and not upload.kind.startswith("image/"):
        raise UserError(_("{name} is no picture: attach a PNG, JPEG, WebP or GIF.", name=name))
    if upload.size is not None and upload.size > intake.USUAL.max_bytes:
        raise UserError(too_large(name, intake.USUAL.max_bytes))
