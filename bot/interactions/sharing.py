"""What one passes on of a finished painting: its recipe code, the picture of before and after, and the short film."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

import discord

from bot.backend import Backend
from bot.cards.before_and_after import before_and_after
from bot.cards.short_film import making_of, short_film
from bot.cards.thumbnails import marker
from bot.errors import UserError
from bot.interactions.deferred import DeferredInteractions
from bot.interactions.permissions import present
from bot.interactions.replies import patience, reply_private, take_back
from bot.post_ledger import LedgerPage
from bot.requests.pictures import PICTURES_GONE
from bot.stored_pngs import Broken
from bot.text.translation import N_, _, current_language, speaking
from engine.contract.events import Done
from engine.contract.models import Job
from engine.contract.recipe_code import recipe_code
from engine.contract.store import BlobMissing

_CODE_IS = N_(
    "With this line as `/stylize recipe_code:` anybody has this recipe, seed and size for a content of their own. The "
    "style does not travel in it: attach the same picture, or leave it out where it is a saved style of the server."
)


_BEFORE_AND_AFTER = N_("On the left the content, on the right the painting that was made of it")
_SHORT_FILM = N_("The content, the painting of it as it appears, the finished painting, and back to the content")


class _Shared(NamedTuple):
    """A file that was made for passing on."""

    name: str
    data: bytes
    alt: str
    title: str


class Sharing:
    """Passes on what is made of a finished painting; one for the whole bot."""

    def __init__(self, backend: Backend, deferred: DeferredInteractions) -> None:
        self._backend, self._deferred = backend, deferred
        self._filming = asyncio.Semaphore(1)  # a second of a core, and a hundred pictures in memory
        self._in_hand: set[tuple[str, int | None, bool]] = set()
        """What is being made for everybody to see: of which job, in which channel, and whether it is a film."""

    async def tell_code(self, interaction: discord.Interaction, job: Job) -> None:
        """To the member alone, who copies it. Raises `RecipeError`, or `StoreError`."""
        async with self._deferred.acknowledged(interaction):
            code = await recipe_code(self._backend.store, job)
            await reply_private(interaction, f"```\n{code}\n```\n{_(_CODE_IS)}")

    async def show_before_and_after(self, interaction: discord.Interaction, job: Job) -> None:
        """Show the picture of before and after. Raises as `_show` does."""
        painting = (await self._files(interaction, job))["final.png"]

        async def made() -> _Shared:
            jpeg = await before_and_after(self._backend.store, job, painting)
            return _Shared("before-and-after.jpg", jpeg, _BEFORE_AND_AFTER, N_("before and after, of painting {id}"))

        await self._show(interaction, job, made)

    async def show_short_film(self, interaction: discord.Interaction, job: Job) -> None:
        """Show the short film of the painting's making. Raises as `_show` does."""
        files = await self._files(interaction, job)
        if job.recipe.frames > 1:
            raise UserError(_("This painting is a film itself: pass on the one at the end of its thread."))

        async def made() -> _Shared:
            store = self._backend.store
            keys = (job.content.key, files["final.png"], files["run.json"])
            before, after, run = [await store.get(key) for key in keys]
            film = await store.get(files["film.webp"]) if "film.webp" in files else None
            async with self._filming:
                webp = await asyncio.to_thread(short_film, before, after, making_of(json.loads(run), film))
            return _Shared("short-film.webp", webp, _SHORT_FILM, N_("how it was painted, of painting {id}"))

        await self._show(interaction, job, made, film=True)

    async def _show(
        self, interaction: discord.Interaction, job: Job, make: Callable[[], Awaitable[_Shared]], *, film: bool = False
    ) -> None:
        """For everybody there, once in each channel; a further press is answered to its member alone.

        Raises `UserError`, `RedisError` or `StoreError`.
        """
        wanted = (job.id, interaction.channel_id, film)
        first = present(interaction) and wanted not in self._in_hand
        if not first:
            await self._answer(interaction, job, make, film=film, private=True)
            return
        self._in_hand.add(wanted)
        try:
            async with patience(interaction):
                page = await self._page(job)  # another press may have ended since
            shown = {channel for message, channel in page.shared.items() if (message in page.films) == film}
            await self._answer(interaction, job, make, film=film, private=interaction.channel_id in shown)
        finally:
            self._in_hand.discard(wanted)

    async def _answer(
        self,
        interaction: discord.Interaction,
        job: Job,
        make: Callable[[], Awaitable[_Shared]],
        *,
        film: bool,
        private: bool,
    ) -> None:
        """Raises `UserError`, or `StoreError`. What `/forget` has taken meanwhile is not shown, or deleted at once."""
        async with self._deferred.acknowledged(interaction, ephemeral=private):
            page = await self._page(job)
            try:
                with speaking(current_language() if private else page.language):
                    shared = await make()
                    text = "-# " + _(shared.title, id=f"`{job.id}`")
                    told = _(shared.alt)
            except (BlobMissing, Broken):
                raise UserError(_(PICTURES_GONE)) from None
            await self._page(job)  # it may have been forgotten meanwhile
            name = f"{marker(job.id)}{shared.name}"
            file = discord.File(io.BytesIO(shared.data), filename=name, spoiler=job.spoiler, description=told)
            message = await interaction.edit_original_response(content=text, attachments=[file])
            if not private:
                noted: dict[str, str | int] = {f"shared:{message.id}": message.channel.id}
                noted |= {f"film:{message.id}": 1} if film else {}
                if not await self._backend.ledger.note_kept(job.id, noted):
                    await take_back(interaction)
                    await self._backend.ledger.strike(job.id, *noted)

    async def _page(self, job: Job) -> LedgerPage:
        """The job's page in the ledger at this moment. Raises `UserError` where `/forget` has been."""
        page = await self._backend.ledger.page(job.id)
        if page is None or page.forget:
            raise UserError(_(PICTURES_GONE))
        return page

    async def _files(self, interaction: discord.Interaction, job: Job) -> Mapping[str, str]:
        """The keys of what the finished painting left. Raises `UserError` or `RedisError`."""
        async with patience(interaction):
            outcome = None if job.study is not None else await self._backend.jobs.outcome(job.id)
        if not isinstance(outcome, Done):
            raise UserError(_("Only a finished painting is passed on: press this once it is done."))
        return outcome.files
