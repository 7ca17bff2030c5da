"""The short film for passing on: what it shows, in which order, for how long, and in how many bytes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageSequence
from support.delivery import png_of
from support.pictures import noise

from bot.cards.short_film import SMALLEST_LIMIT, Making, making_of, short_film
from bot.stored_pngs import Broken
from engine.worker.results.film import frame, painted_box
from engine.worker.results.finished_files import film_of_making

RED, GREEN, BLUE = (200, 40, 40), (40, 160, 60), (40, 60, 200)


def flat(colour: tuple[int, int, int], size: tuple[int, int] = (320, 240)) -> Image.Image:
    return Image.new("RGB", size, colour)


def making(size: tuple[int, int] = (320, 240)) -> Making:
    """Of a painting that goes from green to blue; its film has the loss under it, and is wider than a narrow one."""
    frames = {i: frame(Image.blend(flat(GREEN, size), flat(BLUE, size), i / 40), 480) for i in range(1, 41)}
    film = film_of_making(frames, {"losses": {"rows": [[100.0 / i] for i in range(1, 41)]}})
    return Making(film, painted_box(film, frames[40]))


def shown(film: bytes) -> list[tuple[Image.Image, int]]:
    with Image.open(io.BytesIO(film)) as opened:
        assert (opened.format, opened.info["loop"]) == ("WEBP", 0)
        return [(one.convert("RGB"), round(one.info["duration"])) for one in ImageSequence.Iterator(opened)]


def levels(picture: Image.Image) -> list[float]:
    """Of red, green and blue, on average."""
    return [float(level) for level in np.asarray(picture, dtype=np.float64).mean(axis=(0, 1))]


def near(picture: Image.Image, colour: Sequence[float], room: int = 8) -> bool:
    """Whether all of it is of that colour, but for what the encoding changes."""
    return bool((np.abs(np.asarray(picture, dtype=np.float64) - np.asarray(colour)) <= room).all())


@pytest.mark.parametrize("size", [(320, 240), (150, 200)], ids=["wide", "narrower than its loss"])
def test_it_shows_the_content_then_the_painting_as_it_appears_and_holds_it_and_loops(size: tuple[int, int]) -> None:
    film = short_film(png_of(flat(RED, size)), png_of(flat(BLUE, size)), making(size))
    pictures = shown(film)
    assert near(pictures[0][0], RED)
    held = max(pictures[1:], key=lambda one: one[1])
    assert held[1] >= 1500
    assert near(held[0], BLUE)
    middle = pictures[len(pictures) // 2][0]
    assert near(middle, levels(middle))  # without the loss and its paper
    assert levels(middle)[0] < 60
    reds = [levels(picture)[0] for picture, _ in pictures[-5:]]
    assert reds == sorted(reds)  # on the way back to the content
    assert 4500 <= sum(ms for _, ms in pictures) <= 6000
    assert len(film) < SMALLEST_LIMIT


@pytest.mark.parametrize(
    ("size", "whole"), [((400, 100), (480, 360)), ((100, 400), (360, 480)), ((90, 90), (480, 480))]
)
def test_it_is_nearly_square_and_nothing_is_cut_off(size: tuple[int, int], whole: tuple[int, int]) -> None:
    pictures = shown(short_film(png_of(flat(RED, size)), png_of(flat(BLUE, size)), None))
    assert {picture.size for picture, _ in pictures} == {whole}
    width, height = (round(480 * side / max(size)) for side in size)
    left, top = (whole[0] - width) // 2, (whole[1] - height) // 2
    assert near(pictures[0][0].crop((left + 8, top + 8, left + width - 8, top + height - 8)), RED)


def test_without_a_film_the_content_becomes_the_painting() -> None:
    pictures = shown(short_film(png_of(flat(RED)), png_of(flat(BLUE)), None))
    blues = [levels(picture)[2] for picture, _ in pictures]
    peak = blues.index(max(blues))
    assert blues == [*sorted(blues[: peak + 1]), *sorted(blues[peak + 1 :], reverse=True)]


@pytest.mark.long
def test_it_is_made_smaller_until_it_fits() -> None:
    before, after = (png_of(noise(seed, 480)) for seed in (1, 2))
    whole, small = short_film(before, after, None), short_film(before, after, None, 400_000)
    assert len(small) <= 400_000 < len(whole)
    with pytest.raises(Broken):
        short_film(before, after, None, 1000)


@pytest.mark.parametrize("film", [b"", b"RIFF", png_of(flat(RED))])
def test_what_is_no_film_is_told(film: bytes) -> None:
    with pytest.raises(Broken):
        short_film(png_of(flat(RED)), png_of(flat(BLUE)), Making(film, (0, 0, 1, 1)))


@pytest.mark.parametrize(
    ("run", "film"), [({}, b"x"), ({"film": None}, b"x"), ({"film": {"painting": [0, 0, 1, 1]}}, None)]
)
def test_older_paintings_and_those_without_a_film_have_no_making(run: dict[str, Any], film: bytes | None) -> None:
    assert making_of(run, film) is None
