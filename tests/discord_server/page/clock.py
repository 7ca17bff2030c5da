"""Moments as the English client writes them, all relative to the viewer's hour and time zone."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

_UNITS = (("second", 60), ("minute", 60), ("hour", 24), ("day", 30), ("month", 12), ("year", math.inf))


def at(timestamp: str, now: datetime) -> datetime:
    """An ISO 8601 timestamp of the API in the time zone of `now`."""
    return datetime.fromisoformat(timestamp).astimezone(now.tzinfo)


def hour(moment: datetime) -> str:
    """2:14 PM"""
    return f"{moment.hour % 12 or 12}:{moment:%M %p}"


def day(moment: datetime) -> str:
    """August 14, 2026"""
    return f"{moment:%B} {moment.day}, {moment.year}"


def beside_name(moment: datetime, now: datetime) -> str:
    """The hour of a message, with its day unless that is today."""
    if moment.date() == now.date():
        return hour(moment)
    if moment.date() == (now - timedelta(days=1)).date():
        return f"Yesterday at {hour(moment)}"
    return f"{moment.month}/{moment.day}/{moment:%y}, {hour(moment)}"


def relative(moment: datetime, now: datetime) -> str:
    """in 4 minutes, 2 days ago"""
    seconds = (moment - now).total_seconds()
    amount, units = abs(seconds), iter(_UNITS)
    name, most = next(units)
    while round(amount) >= most:
        amount /= most
        name, most = next(units)
    count = round(amount)
    words = f"{'an' if name == 'hour' else 'a'} {name}" if count == 1 else f"{count} {name}s"
    return f"in {words}" if seconds > 0 else f"{words} ago" if count else "now"


def stamp(unix: int, style: str, now: datetime) -> str:
    """What `<t:unix:style>` shows. Raises `OverflowError`, `OSError` or `ValueError` where no calendar reaches."""
    moment = datetime.fromtimestamp(unix, now.tzinfo)
    forms = {
        "t": hour(moment),
        "T": f"{moment.hour % 12 or 12}:{moment:%M:%S %p}",
        "d": f"{moment.month}/{moment.day}/{moment.year}",
        "D": day(moment),
        "f": f"{day(moment)} at {hour(moment)}",
        "F": f"{moment:%A}, {day(moment)} at {hour(moment)}",
        "R": relative(moment, now),
    }
    return forms[style]
