"""Numbers that people type: as their language writes them, or refused."""

from __future__ import annotations

import pytest

from bot.text.typed_numbers import decimal_number, whole_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1000", 1000), (" 7 ", 7), ("1,000", 1000), ("3.300", 3300), ("10 000", 10_000), ("10\u202f000", 10_000),
        ("10\u00a0000", 10_000), ("10’000", 10_000), ("10'000", 10_000), ("1,000,000", 1_000_000), ("１，０００", 1000),
    ],
)  # fmt: skip
def test_a_whole_number_may_have_its_digits_in_groups(text: str, number: int) -> None:
    assert whole_number(text) == number


@pytest.mark.parametrize("text", ["", "six", "1,00", "1,0000", "0,500", "2.5", "-1", "+1", "1e3", "1_000", "²", "inf"])
def test_what_is_no_whole_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no whole number"):
        whole_number(text)


def test_a_comma_is_a_point_where_there_are_fractions() -> None:
    assert (decimal_number("0,5"), decimal_number(" 1.25 ")) == (0.5, 1.25)
