"""Numbers as a person types them, in any of the bot's languages."""

from __future__ import annotations

import re

_GROUP_SIGN = r"[.,，'’\s]"
_GROUPED = re.compile(rf"(?!0)\d{{1,3}}(?:{_GROUP_SIGN}\d{{3}})+")


def whole_number(text: str) -> int:
    """`1000`, or with its digits in groups: `1,000`, `1.000`, `1 000`, `1’000`. Raises `ValueError`."""
    digits = text.strip()
    if _GROUPED.fullmatch(digits):
        digits = re.sub(_GROUP_SIGN, "", digits)
    if not digits.isdecimal():  # `int` also takes signs and underscores
        raise ValueError(f"no whole number: {text}")
    return int(digits)


def decimal_number(text: str) -> float:
    """`0.5`, or with a comma for the point: `0,5`. Raises `ValueError`."""
    return float(text.strip().replace(",", "."))
