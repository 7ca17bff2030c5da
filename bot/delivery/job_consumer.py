"""Consumes one job's events: what is told about it becomes messages, one after the other.

Consumers run side by side, so that one slow channel holds up nobody else.
"""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

import discord
import structlog
from redis.exceptions import RedisError

from bot.backend import Backend
from bot.cards.card import stand_in
from bot.cards.card_state import CardState
from bot.cards.editor import CardEditor, CardRefused
from bot.cards.thumbnails import Thumbnail, thumbnails
from bot.delivery import messages, study_messages
from bot.delivery.deletion import Deletion, erase_message
from bot.delivery.sender import OutgoingMessage, Sender, Undeliverable
from bot.delivery.threads import add_owner, open_thread
from bot.discord_api.error_sentences import Verdict
from bot.post_ledger import NEUTRAL, LedgerPage
from bot.text.translation import ENGLISH, N_, speak
from engine.contract.events import Best, Cancelled, Done, Event, Failed, Notice, Progress, Snapshot, Started
from engine.contract.models import Job, JobState
from engine.contract.store import BlobMissing, StoreError
from engine.process.metrics import FIRST_SNAPSHOT

_LOCKED = N_("The thread is locked, so the painting was stopped: ask a moderator to unlock it, then press Continue.")
_TOO_LARGE = N_(
    "A picture is too large for this server even at its smallest, and was left out: ask for a smaller size."
)
_LOST = N_("A picture of it was lost in my store, and was left out: press Again to have it painted once more.")

_log = structlog.get_logger(__name__)


class JobConsumer:
    """The events of one job that wait to be dealt with, and the task that does."""

    def __init__(self, job: str, backend: Backend, sender: Sender, editor: CardEditor, deletion: Deletion) -> None:
        self._id, self._backend, self._sender, self._editor, self._deletion = job, backend, sender, editor, deletion
        self._waiting: deque[tuple[str, Event, bool]] = deque()
        self._log = _log.bind(job=job)
        self._again = False

    def again(self) -> None:
        """Look at the job's page once more, after what is being done now."""
        self._again = True

    def put(self, entry: str, event: Event, *, old: bool) -> list[str]:
        """A stream entry to be dealt with; `old` ones were given to a process that ended, and may have been posted.

        One that waits already, and was read again, changes nothing. Returns the entries that need not be dealt with
        any more: progress takes the place of older progress, or an outage of hours would fill the memory.
        """
        if any(entry == waiting for waiting, _, _ in self._waiting):
            return []
        rest = list(self._waiting)[1:] if isinstance(event, Progress) else []  # the first is being dealt with
        replaced = [waiting for waiting in rest if isinstance(waiting[1], Progress)]
        for waiting in replaced:
            self._waiting.remove(waiting)
        self._waiting.append((entry, event, old))
        return [waiting for waiting, _, _ in replaced]

    def skip(self) -> list[str]:
        """Leave the first that waits to the next process, for this one cannot deal with it; the entry that it was."""
        return [self._waiting.popleft()[0]] if self._waiting else []

    @property
    def busy(self) -> bool:
        """Whether something waits."""
        return bool(self._waiting) or self._again

    async def work(self, *, look_first: bool = False) -> None:
        """Open the job's card and thread if they are not, and deal with all that waits.

        Waits out an outage of Redis or the store: nothing is acknowledged before it is done.
        """
        while True:
            try:
                await self._work(look_first)
                return
            except (RedisError, StoreError, OSError) as error:
                self._log.warning("a delivery broke off, and will go on", reason=str(error))
                look_first = True
                await asyncio.sleep(1)

    async def _work(self, look_first: bool) -> None:
        self._again = False
        page = await self._backend.ledger.page(self._id)
        speak(page.language if page is not None else ENGLISH)  # the task has that of whoever began it
        job = await self._backend.jobs.get(self._id) if page is not None else None
        if page is None or job is None or page.forget:
            await self._drop_all()
            if page is None:
                await self._forget_unposted()
            elif page.forget:
                await self._forget(page)
            return
        # An event before the card: it was to be posted by a process that has ended, and may have been.
        page = await self._open(job, page, look_first or bool(self._waiting))
        while self._waiting:
            entry, event, old = self._waiting[0]
            page = await self._deal(job, page, entry, event, look_first=old or look_first)
            self._waiting.popleft()
            page = await self._backend.ledger.page(self._id) or page  # the place may have gone in the meantime

    async def _forget(self, page: LedgerPage) -> None:
        """What is on Discord at once; the rest too where the job has ended, else once the worker tells that it has."""
        self._editor.drop(self._id)
        ended = not await self._backend.jobs.cancel(self._id)
        await self._deletion.delete(page, ended=ended)

    async def _forget_unposted(self) -> None:
        """What is to be forgotten of a painting whose page is gone, so that nobody knows what is on Discord."""
        if self._id in await self._backend.ledger.to_forget():
            self._editor.drop(self._id)
            await self._deletion.delete_stored(self._id, ended=not await self._backend.jobs.cancel(self._id))

    async def _drop_all(self) -> None:
        """Acknowledge the waiting events unposted: nothing of the job is to be posted."""
        while self._waiting:
            await self._backend.ledger.acknowledge(self._waiting[0][0])
            self._waiting.popleft()

    async def _open(self, job: Job, page: LedgerPage, look_first: bool) -> LedgerPage:
        """Card and thread are there, or the page says why nothing more is posted."""
        try:
            if page.card is None and not page.stopped:
                pictures = await thumbnails(self._backend.store, job)
                message = messages.card_message(job, page, CardState(), pictures)
                card = await self._sender.send(page.address.channel, message, look_first=look_first)
                files = " ".join(picture.name for picture in pictures)
                page = await self._note({"card": card, "files": files})
                if isinstance(self._sender.client.get_channel(page.address.channel), discord.Thread):
                    await add_owner(self._sender.client, page.address.channel, page)
            if page.address.place == "thread" and page.thread is None and page.card and not page.stopped:
                page = await self._note({"thread": await open_thread(self._sender.client, page)})
        except Undeliverable as error:
            if error.verdict is Verdict.BLOCKED and page.title != NEUTRAL:
                return await self._open(job, await self._note({"title": NEUTRAL}), look_first)
            page = await self._give_up(error)
        fields = await self._backend.jobs.fields(job.id)
        card_state = CardState(
            JobState(fields.get("state", JobState.FAILED)), int(fields.get("iteration", 0)),
            note=page.left_out, best=messages.best_link(page),
        )  # fmt: skip
        if page.stopped and card_state.open:
            await self._backend.jobs.cancel(job.id)  # a process may have ended between the note and the cancelling
        elif page.card is not None and card_state.open:
            self._editor.follow(job, page, card_state)
        return page

    async def _deal(self, job: Job, page: LedgerPage, entry: str, event: Event, *, look_first: bool) -> LedgerPage:
        """Post what the event tells of, and acknowledge it."""
        try:
            match event:
                case Started():
                    # Of stand-ins the card tells by itself.
                    note = "" if stand_in(job) else event.note
                    self._editor.show(job.id, state=JobState.PAINTING, note=note)
                case Progress():
                    self._editor.show(job.id, state=JobState.PAINTING, iteration=event.iteration, progress=event)
                case Notice(best=Best() as best):
                    self._editor.show(job.id, note=event.text)
                    png = await self._blob(best.picture)
                    message = messages.best_message(job, page, best, png, self._limit(page))
                    page = await self._post(page, message, entry, look_first, {f"at:{best.iteration}": best.picture})
                    self._editor.show(job.id, best=messages.best_link(page))
                    return page
                case Notice():
                    self._editor.show(job.id, note="" if event.waits is False else event.text)
                # A painting's last one is the final picture; a study's final picture is the sheet.
                case Snapshot() if event.iteration < job.iterations or job.study is not None:
                    told = messages.snapshot_message if job.study is None else study_messages.tile_message
                    message = told(job, page, event, await self._blob(event.picture), self._limit(page))
                    posted = await self._post(
                        page, message, entry, look_first, {f"at:{event.iteration}": event.picture}
                    )
                    if not page.posts and posted.posts:
                        FIRST_SNAPSHOT.observe(max(0.0, time.time() - job.created))
                    return posted
                case Done():
                    page = await self._finish(job, page, event, look_first)
                case Cancelled() if event.picture is not None and not page.stopped:
                    png = await self._blob(event.picture)
                    stopped = messages.stopped_message if job.study is None else study_messages.stopped_message
                    message = stopped(job, page, event.iteration, png, self._limit(page))
                    page = await self._post(page, message, None, look_first, {f"at:{event.iteration}": event.picture})
                case Failed() if not page.stopped:
                    page = await self._post(page, messages.failed_message(job, page, event), None, look_first, {})
        except Undeliverable as error:
            page = await self._give_up(error)
        except BlobMissing as error:
            self._log.error("a picture is missing, and is left out", reason=str(error))
            page = await self._leave_out(_LOST)
        if isinstance(event, (Done, Failed, Cancelled)):
            await self._close(job, page, event, look_first)
        await self._backend.ledger.acknowledge(entry)
        return page

    async def _finish(self, job: Job, page: LedgerPage, event: Done, look_first: bool) -> LedgerPage:
        """All that it leaves, one message after the other."""
        told = messages.finished if job.study is None else study_messages.finished
        async for message, pictures in told(job, page, event, self._backend.store, self._limit(page)):
            page = await self._post(page, message, None, look_first, pictures)
        return page

    async def _post(
        self, page: LedgerPage, outgoing: OutgoingMessage, entry: str | None, look_first: bool, fields: dict[str, str]
    ) -> LedgerPage:
        """Send the message unless the ledger has it; note it, and acknowledge the entry, in one MULTI."""
        if page.stopped or outgoing.key in page.posts:
            await self._backend.ledger.note(self._id, fields, entry)
            return page
        try:
            sent = await self._sender.send(page.channel, outgoing, look_first=look_first)
        except Undeliverable as error:
            if error.verdict is not Verdict.SMALLER:
                raise
            self._log.warning("left out, for it is too large even at its smallest", post=outgoing.key)
            return await self._leave_out(_TOO_LARGE, fields, entry)
        return await self._note({f"post:{outgoing.key}": sent, **fields}, entry)

    async def _close(self, job: Job, page: LedgerPage, event: Done | Failed | Cancelled, look_first: bool) -> None:
        """The card's final state, with the painting on it."""
        rules = await self._backend.guilds.rules(page.address.guild)
        await self._backend.jobs.keep(job.id, rules.keep_days)
        until = await self._backend.jobs.kept_until(job.id)
        card_state = messages.last_state(event, page, until)
        painting = event.files["final.png"] if isinstance(event, Done) else None
        pictures = await thumbnails(self._backend.store, job, painting) if painting else []
        for card, channel in page.former.items():
            left = dataclasses.replace(page, card=card, card_channel=channel)
            try:
                await self._editor.close(job, left, card_state, pictures)
            except CardRefused:
                await erase_message(self._sender.client, channel, card)
        try:
            names = await self._editor.close(job, page, card_state, pictures)
            await self._note({"files": " ".join(names)})
        except CardRefused:
            pictures = pictures or await thumbnails(self._backend.store, job)
            await self._replace_card(job, page, card_state, pictures, look_first)

    async def _replace_card(
        self, job: Job, page: LedgerPage, card_state: CardState, pictures: list[Thumbnail], look_first: bool
    ) -> None:
        """A new card in place of one that Discord lets nobody edit, and that tells what is no longer so."""
        for shown in [pictures, []] if pictures else [[]]:
            message = messages.card_message(job, page, card_state, shown, last=True)
            try:
                card = await self._sender.send(page.card_channel, message, look_first=look_first)
            except Undeliverable as error:
                self._log.warning("a new card was refused", reason=str(error))
                continue
            if card == page.card:
                return  # it was posted and noted before, and there is nothing to take its place
            files = " ".join(picture.name for picture in shown)
            # The old one is known until it is gone: a process may end before.
            left = {f"former:{page.card}": page.card_channel} if page.card else {}
            await self._note({"card": card, "files": files, **left})
            if page.card is not None:
                await erase_message(self._sender.client, page.card_channel, page.card)
                await self._backend.ledger.strike(job.id, *left)
            return

    async def _give_up(self, error: Undeliverable) -> LedgerPage:
        """Nobody can see it any more: paint no further, and say why where that is still possible."""
        locked = error.verdict is Verdict.UNARCHIVE_FIRST  # a message wakes an archived thread, but not a locked one
        await self._backend.stop(self._id, _LOCKED if locked else str(error))
        return await self._note({})

    async def _leave_out(
        self, why: str, fields: Mapping[str, str] | None = None, entry: str | None = None
    ) -> LedgerPage:
        """Tell that something was, now and at the end; noted with the `fields` and the entry that it was of."""
        self._editor.show(self._id, note=why)
        return await self._note({"left_out": why, **(fields or {})}, entry)

    async def _note(self, fields: dict[str, Any], entry: str | None = None) -> LedgerPage:
        await self._backend.ledger.note(self._id, fields, entry)
        page = await self._backend.ledger.page(self._id)
        assert page is not None  # noqa: S101 - pages are kept longer than consumers live
        return page

    async def _blob(self, key: str) -> bytes:
        return await self._backend.store.get(key)

    def _limit(self, page: LedgerPage) -> int:
        return self._sender.limit(page.address.guild)
