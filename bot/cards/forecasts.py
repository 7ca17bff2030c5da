"""When each painting will be done, told to the cards every few seconds."""

from __future__ import annotations

import asyncio
import dataclasses
import time

import structlog
from redis.exceptions import RedisError

from bot.backend import Backend
from bot.cards.card_state import CardState
from bot.cards.editor import CardEditor
from engine.forecast import Forecast, forecast

_EVERY = 10.0  # s
_SAME = 0.15
"""Share of the time left by which an expectation may change before it is told anew: each change costs an edit."""

_log = structlog.get_logger(__name__)


async def keep_forecasts_current(backend: Backend, editor: CardEditor) -> None:
    """Show fresh forecasts on the cards, for ever."""
    while True:
        await asyncio.sleep(_EVERY)
        try:
            if editor.card_states():
                show_forecasts(editor, await forecast(backend.redis))
        except (RedisError, OSError, ValueError, ArithmeticError) as error:
            _log.warning("the queue could not be looked at", reason=str(error))


def show_forecasts(editor: CardEditor, forecasts: dict[str, Forecast]) -> None:
    """Show the forecasts on the cards that are followed."""
    now = time.time()
    for job, card_state in editor.card_states().items():
        forecast = forecasts.get(job)
        if forecast is not None:
            minutes = None if forecast.wait is None else round(forecast.wait / 60) * 60.0
            coarse = dataclasses.replace(forecast, wait=minutes, done=None)
            editor.show(job, forecast=coarse, done_at=_done_at(card_state, forecast, now))


def _done_at(card_state: CardState, forecast: Forecast, now: float) -> int | None:
    left = forecast.done if forecast.done is not None else (card_state.progress.eta if card_state.progress else None)
    if left is None:
        return card_state.done_at
    expected = round(now + left)
    if card_state.done_at is not None and abs(card_state.done_at - expected) <= max(5.0, _SAME * left):
        return card_state.done_at
    return expected
