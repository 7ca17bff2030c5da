"""Numbers, times and lists in words."""

from __future__ import annotations

import math
from collections.abc import Sequence


def count(number: int, noun: str) -> str:
    """`1 iteration`, `3,300 iterations`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def duration(seconds: float) -> str:
    """`under a minute`, `about 4 minutes`, `about 2½ hours`, `about 3 days`."""
    if not math.isfinite(seconds):
        return "an unknown time"
    if seconds < 60:
        return "under a minute"
    minutes, halves = round(seconds / 60), round(seconds / 1800)
    if minutes < 60:
        return "about a minute" if minutes == 1 else f"about {minutes} minutes"
    if halves < 96:
        hours = f"{halves // 2}{'½' if halves % 2 else ''}"
        return "about an hour" if hours == "1" else f"about {hours} hours"
    return f"about {round(seconds / 86400)} days"


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
        return f"{x:.2e}"
    for size, name in ((1e9, " billion"), (1e6, " million")):
        if abs(x) >= size:
            return f"{x / size:.3g}{name}"
    return f"{x:,.0f}" if abs(x) >= 100 else f"{x:.3g}"


def listed(things: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(things[:-1]), things[-1]] if len(things) > 1 else things)
