"""Cards without Discord: a painting's page, and a client that only notes."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import discord
from discord import ui
from redis.exceptions import ResponseError
from virtual_clock import now

from bot.cards.card_state import CardState
from bot.cards.editor import CardEditor
from bot.post_ledger import Address, LedgerPage
from engine.contract.events import Progress
from engine.contract.models import Job, JobState, StoredPicture
from engine.recipe.presets import preset


def a_job(number: int = 1, name: str = "harbour.png", **fields: Any) -> Job:
    picture = StoredPicture(key="nowhere", name=name, width=32, height=32)
    return Job(
        id=str(number), guild="1", user="1", recipe=preset("classic", iterations=90_000), content=picture,
        styles=(picture,), **fields,
    )  # fmt: skip


def a_page(job: Job, channel: int = 1, age: float = 0.0, title: str = "harbour", **fields: Any) -> LedgerPage:
    """Of a job whose card is `age` seconds old."""
    address = Address(job=job.id, owner=1, guild=1, channel=channel, place="thread", title=title)
    card = discord.utils.time_snowflake(discord.utils.utcnow() - timedelta(seconds=age)) + int(job.id)
    facts: dict[str, Any] = {
        "address": address, "card": card, "card_channel": channel, "card_guild": 1, "former": {}, "shared": {},
        "films": frozenset(), "brought": frozenset(), "title": title, "thread": card, "posts": {}, "pictures": {},
        "files": ("content.jpg", "style-1.jpg"), "parent": "",
        "left_out": "", "stopped": "", "forget": False,
    }  # fmt: skip
    return LedgerPage(**facts | fields)


def progress(job: Job, iteration: int) -> dict[str, Any]:
    """Facts of a state."""
    event = Progress(job=job.id, iteration=iteration, loss=3, content=1, style=2, rate=5, eta=60)
    return {"state": JobState.PAINTING, "iteration": iteration, "progress": event}


@dataclass
class Edit:
    """One edit of a card."""

    at: float
    channel: int
    card: int
    text: str
    attachments: int


def refusal(code: int, status: int = 404) -> discord.HTTPException:
    """Discord's error."""
    return discord.HTTPException(SimpleNamespace(status=status, reason=""), {"code": code, "message": ""})


@dataclass(eq=False)
class FakeClient:
    """discord.py's client as the editor knows it, and who is told of lost cards."""

    slow: float = 0.0
    """Seconds that an edit takes."""
    errors: Mapping[int, Exception] = field(default_factory=dict)
    """By card."""
    bare: bool = False
    """Whether a card with pictures is refused."""
    edits: list[Edit] = field(default_factory=list)
    lost: list[tuple[str, str]] = field(default_factory=list)
    noted: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What the ledger was told of each job."""
    full: int = 0
    """How many times Redis takes nothing."""
    most_at_once: int = 0
    http: Any = field(default_factory=lambda: SimpleNamespace(_global_over=asyncio.Event()))
    _hands: dict[int, int] = field(default_factory=dict)

    def editor(self) -> CardEditor:
        return CardEditor(self, SimpleNamespace(note=self._note), self._lose)  # type: ignore[arg-type]

    def _write(self) -> None:
        if self.full:
            self.full -= 1
            raise ResponseError("OOM")

    async def _note(self, job: str, fields: Mapping[str, Any]) -> None:
        self._write()
        self.noted.setdefault(job, {}).update(fields)

    def get_channel(self, channel: int) -> None:
        """None is known."""

    async def _lose(self, job: str, why: str) -> None:
        self._write()
        self.lost.append((job, why))

    def get_partial_messageable(self, channel: int) -> Any:
        return SimpleNamespace(get_partial_message=lambda card: SimpleNamespace(edit=self._edit_of(channel, card)))

    def _edit_of(self, channel: int, card: int) -> Any:
        async def edit(view: ui.LayoutView, attachments: Any = (), **_: Any) -> None:
            self.edits.append(Edit(now(), channel, card, text_of(view), len(attachments)))
            self._hands[card] = self._hands.get(card, 0) + 1
            self.most_at_once = max(self.most_at_once, self._hands[card])
            try:
                await asyncio.sleep(self.slow)
            finally:
                self._hands[card] -= 1
            if self.bare and any(isinstance(item, ui.MediaGallery) for item in view.walk_children()):
                raise refusal(50035, 400)
            if card in self.errors:
                raise self.errors[card].with_traceback(None)  # or it would grow each time

        return edit


def text_of(view: ui.LayoutView) -> str:
    return "\n".join(item.content for item in view.walk_children() if isinstance(item, ui.TextDisplay))


def gaps(edits: list[Edit]) -> list[float]:
    """Seconds between one and the next, to the millisecond."""
    return [round(b.at - a.at, 3) for a, b in itertools.pairwise(edits)]


WAITING = CardState()
