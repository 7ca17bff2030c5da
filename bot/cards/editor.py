"""Keeps the cards moving: the latest wins, at a pace that shares Discord's budget among all that run."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import discord
import structlog
from redis.exceptions import RedisError

from bot.cards.card import Card
from bot.cards.card_state import CardState
from bot.cards.thumbnails import Thumbnail
from bot.discord_api.error_sentences import Verdict, sentence, verdict
from bot.discord_api.pacing import time_limit
from bot.discord_api.private_api import wake_thread
from bot.discord_api.retry import FAILURES, persist
from bot.post_ledger import NEUTRAL, Ledger, LedgerPage
from engine.contract.models import Job

BUDGET = 8.0
"""Edits a second for all cards together; Discord allows 50 requests of any kind."""
QUICKEST = 2.0
"""Seconds between two edits of one card."""
CHANNEL_GAP = 1.1
"""Seconds between two edits in one channel, whose bucket holds about five in five seconds."""
OLD, OLD_GAP = 3600.0, 30.0
"""Seconds after which Discord counts a message as old and lets it be edited more seldom; seconds between edits then."""
_REQUEST_TIMEOUT = 20.0  # s for one request
_WARY = 60.0  # s, at most, between edits of a card that are refused again and again

_log = structlog.get_logger(__name__)


class CardRefused(Exception):
    """Discord takes no edit of this card, not even one of the words alone."""


@dataclass
class _TrackedCard:
    """One card: what it should show, and when it was last made to."""

    job: Job
    page: LedgerPage
    card_state: CardState
    shown: CardState | None = None
    edited: float = float("-inf")
    refused: int = 0
    """How many edits in a row Discord would not take."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def channel(self) -> int:
        return self.page.card_channel


class CardEditor:
    """Edits the cards of jobs; one for the whole bot. `on_lost(job, sentence)` is called when one cannot be edited."""

    def __init__(self, client: discord.Client, ledger: Ledger, on_lost: Callable[[str, str], Any]) -> None:
        self._client, self._ledger, self._on_lost = client, ledger, on_lost
        self._tracks: dict[str, _TrackedCard] = {}
        self._channels: dict[int, float] = {}
        self._wake = asyncio.Event()
        self._edits: set[asyncio.Task[None]] = set()

    def follow(self, job: Job, page: LedgerPage, card_state: CardState) -> None:
        """Begin to keep a card up to date, with `card_state` first; or note that its page has changed."""
        track = self._tracks.setdefault(job.id, _TrackedCard(job, page, card_state))
        if page.card != track.page.card:
            track.shown = None  # what the new card says may be older than what the last one said
        track.page = page
        self._wake.set()

    def drop(self, job: str) -> None:
        """Follow the card no longer, and leave it as it is."""
        self._tracks.pop(job, None)

    def show(self, job: str, **facts: Any) -> None:
        """Change facts of its state; the card follows when it is its turn."""
        track = self._tracks.get(job)
        if track is not None:
            track.card_state = dataclasses.replace(track.card_state, **facts)
            self._wake.set()

    def card_states(self) -> dict[str, CardState]:
        """What each followed card should show."""
        return {job: track.card_state for job, track in self._tracks.items()}

    def followed(self) -> list[tuple[Job, LedgerPage]]:
        """The jobs whose cards are followed, with their pages."""
        return [(track.job, track.page) for track in self._tracks.values()]

    async def close(
        self, job: Job, page: LedgerPage, card_state: CardState, files: Sequence[Thumbnail]
    ) -> tuple[str, ...]:
        """The card's final state, at once, however long Discord does not answer. Follows the card no longer.

        `files` replace those that it has. Where Discord refuses that it goes without them, then without any picture:
        the words are the least that everybody must see. Names of the pictures that are shown by then; those that
        were, where the card is gone. Raises `CardRefused`.
        """
        track = self._tracks.pop(job.id, None)
        async with track.lock if track else asyncio.Lock():
            for kept, added in _steps(page, files):
                try:
                    await self._edit_awake(job, kept, card_state, added)
                    return tuple(file.name for file in added) or kept.files
                except FAILURES as error:
                    reason = verdict(error)
                    _log.info("a card's final state was refused", job=job.id, reason=str(error), verdict=str(reason))
                    if reason is Verdict.GONE:
                        return page.files
        raise CardRefused(job.id)

    async def _edit_awake(self, job: Job, page: LedgerPage, card_state: CardState, files: Sequence[Thumbnail]) -> None:
        """Until Discord answers; in an archived thread too."""
        edit = partial(self._edit, job, page, card_state, files)
        try:
            await persist(edit, job=job.id)
        except discord.HTTPException as error:
            if verdict(error) is not Verdict.UNARCHIVE_FIRST or not await self._wake_thread(page):
                raise
            await persist(edit, job=job.id)

    async def run(self) -> None:
        """Edit for ever."""
        try:
            while True:
                wait = self._next()
                self._wake.clear()
                try:
                    async with asyncio.timeout(wait):
                        await self._wake.wait()
                except TimeoutError:
                    pass
                # New facts come by the second; the pace is set by the budget, not by them.
                await asyncio.sleep(1 / BUDGET)
        finally:
            for edit in self._edits:
                edit.cancel()

    def _next(self) -> float | None:
        """Begin the edit that has waited longest, if one is due; seconds until the next is, None if none waits."""
        now, soonest, chosen = _now(), float("inf"), None
        for track in self._tracks.values():
            if track.card_state == track.shown or track.lock.locked():
                continue
            due = max(track.edited + self._gap(track), self._channels.get(track.channel, 0.0))
            if due <= now and (chosen is None or track.edited < chosen.edited):
                chosen = track
            soonest = min(soonest, due)
        if chosen is not None:
            self._channels[chosen.channel] = now + CHANNEL_GAP
            self._channels = {channel: free for channel, free in self._channels.items() if free > now}
            edit = asyncio.create_task(self._refresh(chosen))
            self._edits.add(edit)
            edit.add_done_callback(self._edits.discard)
            return 0.0
        return None if soonest == float("inf") else max(0.0, soonest - now)

    def _gap(self, track: _TrackedCard) -> float:
        """Seconds between two edits of this card."""
        assert track.page.card is not None  # noqa: S101 - only posted cards are followed
        age = discord.utils.utcnow().timestamp() - discord.utils.snowflake_time(track.page.card).timestamp()
        wary = min(QUICKEST ** min(track.refused, 9), _WARY)
        return max(QUICKEST, len(self._tracks) / BUDGET, OLD_GAP if age > OLD else 0.0, wary)

    async def _refresh(self, track: _TrackedCard) -> None:
        async with track.lock:
            if self._tracks.get(track.job.id) is not track:
                return  # closed before this began: the final state would be painted over
            try:
                await self._try(track)
            except RedisError as error:  # what it does not take now is found out once more by the next try
                _log.warning("what became of a card could not be noted", job=track.job.id, reason=str(error))
        self._wake.set()

    async def _try(self, track: _TrackedCard) -> None:
        """One edit, and what follows from its failure."""
        card_state, page, track.edited = track.card_state, track.page, _now()
        try:
            shown = await self._edit(track.job, page, card_state, ())
            if track.page.card == page.card:  # or `/show` has brought another one in the meantime
                track.shown, track.refused = card_state, 0
            if track.page is page:
                track.page = shown
        except FAILURES as error:
            if self._tracks.get(track.job.id) is track and track.page.card == page.card:
                await self._failed(track, error)

    async def _failed(self, track: _TrackedCard, error: Exception) -> None:
        reason = verdict(error)
        _log.info("a card could not be edited", job=track.job.id, reason=str(error), verdict=str(reason))
        if reason in (Verdict.GONE, Verdict.FORBIDDEN) and (page := self._gone_back(track.page)) is not None:
            # It may be there still, where the bot may look no longer: then `/forget` must know of it.
            left = track.page
            await self._ledger.note(track.job.id, {**page.card_place, f"former:{left.card}": left.card_channel})
            if track.page is left:  # or `/show` has brought another one in the meantime
                track.page, track.shown = page, None
        elif reason in (Verdict.GONE, Verdict.FORBIDDEN):
            await self._on_lost(track.job.id, sentence(error))
            self.drop(track.job.id)
        elif reason is Verdict.UNKNOWN and track.page.files:
            track.page = dataclasses.replace(track.page, files=())  # it may have been the pictures: without them
        elif reason not in (Verdict.RETRY, Verdict.SLOW):
            track.shown = track.card_state  # it would be refused again; the next facts may do better
            track.refused += 1

    def _gone_back(self, page: LedgerPage) -> LedgerPage | None:
        """The page with the newest of the cards that `/show` left behind as its card; None where none is left.

        Whoever can delete the copy that they brought elsewhere must not stop the painting by that.
        """
        lost = page.card or 0
        older = [card for card in page.former if card < lost]  # the newer ones were lost before
        if not older:
            return None
        card = max(older)
        channel, former = page.former[card], {**page.former, lost: page.card_channel}
        del former[card]
        home = page.address.guild if channel == page.address.channel else None
        guild = getattr(self._client.get_channel(channel), "guild", None)
        return dataclasses.replace(
            page, card=card, card_channel=channel, card_guild=guild.id if guild else home, former=former
        )

    async def _edit(self, job: Job, page: LedgerPage, card_state: CardState, files: Sequence[Thumbnail]) -> LedgerPage:
        """The page as it is shown: without its title where AutoMod does not like that."""
        try:
            await self._send(job, page, card_state, files)
        except discord.HTTPException as error:
            if verdict(error) is not Verdict.BLOCKED or page.title == NEUTRAL:
                raise
            page = dataclasses.replace(page, title=NEUTRAL)
            await self._ledger.note(job.id, {"title": NEUTRAL})
            await self._send(job, page, card_state, files)
        return page

    async def _wake_thread(self, page: LedgerPage) -> bool:
        """Bring the archived thread back that the card is in; whoever may write there may do that."""
        try:
            async with time_limit(self._client, _REQUEST_TIMEOUT):
                await wake_thread(self._client, page.card_channel)
        except FAILURES as error:
            _log.info("an archived thread could not be woken", thread=page.card_channel, reason=str(error))
            return False
        return True

    async def _send(self, job: Job, page: LedgerPage, card_state: CardState, files: Sequence[Thumbnail]) -> None:
        if page.card is None:
            return
        names = tuple(file.name for file in files) or tuple(page.files)
        channel = self._client.get_partial_messageable(page.card_channel)
        more: dict[str, Any] = {"attachments": [file.file() for file in files]} if files else {}
        async with time_limit(self._client, _REQUEST_TIMEOUT):
            await channel.get_partial_message(page.card).edit(
                view=Card(job, page, card_state, names),
                allowed_mentions=discord.AllowedMentions.none(),  # or an edit parses everything again
                **more,
            )


def _steps(page: LedgerPage, files: Sequence[Thumbnail]) -> Iterator[tuple[LedgerPage, Sequence[Thumbnail]]]:
    """What a last edit is tried with, one after the other: the pictures that are kept, and those that replace them."""
    if files:
        yield page, files
    yield page, ()
    if page.files:
        yield dataclasses.replace(page, files=()), ()


def _now() -> float:
    return asyncio.get_running_loop().time()
