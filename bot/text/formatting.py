"""Numbers, times and lists in words."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping

from bot.text.translation import _, large_number, ngettext, number

COMMA = re.compile("[,、，]")
"""Commas as they are typed in all languages of the bot: Japanese has two of its own."""
_COUNTED: Mapping[str, Callable[[int], str]] = {
    "day": lambda n: ngettext("{n:,} day", "{n:,} days", n),
    "iteration": lambda n: ngettext("{n:,} iteration", "{n:,} iterations", n),
    "message": lambda n: ngettext("{n:,} message", "{n:,} messages", n),
    "minute": lambda n: ngettext("{n:,} minute", "{n:,} minutes", n),
    "painting": lambda n: ngettext("{n:,} painting", "{n:,} paintings", n),
    "picture": lambda n: ngettext("{n:,} picture", "{n:,} pictures", n),
    "saved style": lambda n: ngettext("{n:,} saved style", "{n:,} saved styles", n),
    "server": lambda n: ngettext("{n:,} server", "{n:,} servers", n),
    "style": lambda n: ngettext("{n:,} style", "{n:,} styles", n),
    "worker": lambda n: ngettext("{n:,} worker", "{n:,} workers", n),
}


def count(number: int, noun: str) -> str:
    """`1 iteration`, `3,300 iterations`; in English any noun that only takes an s."""
    if noun in _COUNTED:
        return _COUNTED[noun](number)
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def joined(parts: Iterable[str]) -> str:
    """The parts that are not empty, one after the other: `a, b, c`."""
    return _(", ").join(filter(None, parts))


def between_commas(text: str) -> list[str]:
    """What a member typed between commas, with single spaces, without what is empty."""
    return [" ".join(part.split()) for part in COMMA.split(text) if part.strip()]


def duration(seconds: float) -> str:
    """`under a minute`, `about 4 minutes`, `about 2½ hours`, `about 3 days`."""
    if not math.isfinite(seconds):
        return _("an unknown time")
    if seconds < 60:
        return _("under a minute")
    minutes, halves = round(seconds / 60), round(seconds / 1800)
    if minutes < 60:
        return ngettext("about a minute", "about {n} minutes", minutes)
    if halves < 96:
        hours = f"{halves // 2}{'½' if halves % 2 else ''}"
        return _("about an hour") if hours == "1" else _("about {hours} hours", hours=hours)
    return _("about {days} days", days=round(seconds / 86400))


def exact_duration(seconds: float) -> str:
    """`42 s`, `3 min 20 s`, `2 h 5 min`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def relative(instant: float) -> str:
    """An instant in Unix time, which Discord shows as `in 5 minutes`."""
    return f"<t:{round(instant)}:R>"


def day(instant: float) -> str:
    """An instant in Unix time, which Discord shows as `29 November 2026`."""
    return f"<t:{round(instant)}:D>"


def bar(share: float, width: int = 16) -> str:
    """A progress bar of `width` blocks; full only where `share`, which is clamped to 0 to 1, is 1."""
    done = int(width * min(share, 1.0)) if share > 0 else 0
    return "▰" * done + "▱" * (width - done)


def loss(x: float) -> str:
    """Three digits of it: `0.034`, `12,300`, `1.2 million`; `–` where it is no number."""
    if not math.isfinite(x):
        return "–"
    x = float(f"{x:.3g}")
    if x and not 1e-3 <= abs(x) < 1e12:
        return number(x, ".2e")
    if abs(x) >= 1e6:
        return large_number(x)
    return number(x, ",.0f" if abs(x) >= 100 else ".3g")
