"""When each painting will be done, told to the cards every few seconds."""

from __future__ import annotations

import asyncio
import dataclasses
import time

import structlog
from redis.exceptions import RedisError

from bot.cards.editor import CardEditor
from bot.cards.card_state import Face
from bot.backend import Desk
from engine.forecast import Forecast, forecast

_EVERY = 10.0  # s
_SAME = 0.15
"""Share of the time left by which an expectation may change before it is told anew: each change costs an edit."""

_log = structlog.get_logger(__name__)


async def tell_prospects(desk: Desk, editor: CardEditor) -> None:
    """Tell them for ever."""
    while True:
        await asyncio.sleep(_EVERY)
        try:
            if editor.faces():
                show_prospects(editor, await forecast(desk.redis))
        except (RedisError, OSError, ValueError, ArithmeticError) as error:
            _log.warning("the queue could not be looked at", reason=str(error))


def show_prospects(editor: CardEditor, prospects: dict[str, Forecast]) -> None:
    """Show them on the cards that are followed."""
    now = time.time()
    for job, face in editor.faces().items():
        prospect = prospects.get(job)
        if prospect is not None:
            coarse = dataclasses.replace(prospect, wait=_minutes(prospect.wait), done=None)
            editor.show(job, prospect=coarse, done_at=_done_at(face, prospect, now))


def _done_at(face: Face, prospect: Forecast, now: float) -> int | None:
    left = prospect.done if prospect.done is not None else (face.progress.eta if face.progress else None)
    if left is None:
        return face.done_at
    expected = round(now + left)
    if face.done_at is not None and abs(face.done_at - expected) <= max(5.0, _SAME * left):
        return face.done_at
    return expected


def _minutes(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds / 60) * 60.0
