"""The short film that is made for passing on: the content, the painting appearing in it, the painting, and back."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

from PIL import Image, ImageOps, ImageSequence

from bot.stored_pngs import Broken, opened, told_as_broken

SMALLEST_LIMIT = 8_000_000
"""Bytes: less than any place on Discord takes."""
_SIDE = 480  # px, the longest of the painting, as in the film of its making
_NARROWEST, _WIDEST = 3 / 4, 4 / 3  # of the whole, which is nearly square: telephones show both ways alike
_GROUND = "#1b1b1f"
_BEFORE_MS, _GROWING_MS, _AFTER_MS = 700, 2400, 1500
_STEPS, _BLENDS, _BLEND_MS = 30, 5, 60
_EDGE = 2  # px
_TRIES = ((82, 1.0), (68, 1.0), (50, 1.0), (50, 0.7), (40, 0.5))  # quality, share of the side
_SMOOTH = Image.Resampling.LANCZOS

Box = tuple[int, int, int, int]
"""Left, top, right and bottom, px."""


class Making(NamedTuple):
    """The film of a painting's making, and where in it the painting is: under it is the loss."""

    film: bytes
    box: Box


def making_of(run: Mapping[str, Any], film: bytes | None) -> Making | None:
    """By the painting's record and its film; None where there is none, or an older record does not tell enough."""
    told = run.get("film")
    return Making(film, tuple(told["painting"])) if film is not None and told else None


class Shown(NamedTuple):
    """A picture of the film, and for how long it is shown."""

    picture: Image.Image
    ms: int


def short_film(before: bytes, after: bytes, making: Making | None, limit: int = SMALLEST_LIMIT) -> bytes:
    """The film of these PNGs. Raises `Broken`, also where it does not fit into `limit` bytes."""
    return animated(moments(before, after, making), limit)


def animated(shown: Sequence[Shown], limit: int = SMALLEST_LIMIT) -> bytes:
    """An animated WebP, which Discord plays by itself. Raises `Broken` where it does not fit into `limit` bytes."""
    for quality, share in _TRIES:
        film = _encoded(shown, quality, share)
        if len(film) <= limit:
            return film
    raise Broken(str(limit))


def moments(before: bytes, after: bytes, making: Making | None) -> list[Shown]:
    """What the film shows, in five seconds; without a `making` the content fades into the painting. Raises `Broken`."""
    with told_as_broken():
        last = opened(after)
        scale = _SIDE / max(last.size)
        last = last.resize((max(1, round(last.width * scale)), max(1, round(last.height * scale))), _SMOOTH)
        first = opened(before).resize(last.size, _SMOOTH)  # the painting has its shape
        growing = [] if making is None else _growing(making, last.size)
    whole = (max(last.width, round(last.height * _NARROWEST)), max(last.height, round(last.width / _WIDEST)))
    shown = [
        Shown(first, _BEFORE_MS),
        *_fade(first, (growing or [last])[0]),
        *(Shown(picture, _GROWING_MS // _STEPS) for picture in growing),
        Shown(last, _AFTER_MS),
        *_fade(last, first),
    ]
    return [Shown(ImageOps.pad(one.picture, whole, _SMOOTH, _GROUND), one.ms) for one in shown]


def _growing(making: Making, size: tuple[int, int]) -> list[Image.Image]:
    """The painting at moments that are as far apart as the film shows them; without the end, which the film holds."""
    with Image.open(io.BytesIO(making.film), formats=["WEBP"]) as film:
        frames, times, box = [], [], _inside(making.box, film.size)
        for frame in ImageSequence.Iterator(film):
            frames.append(frame.convert("RGB").crop(box))
            times.append(float(frame.info["duration"]))
    ends = list(accumulate(times[:-1]))
    if not ends:
        return []
    at = (ends[-1] * step / _STEPS for step in range(_STEPS))
    return [frames[next(n for n, end in enumerate(ends) if moment < end)].resize(size, _SMOOTH) for moment in at]


def _inside(box: Box, size: tuple[int, int]) -> Box:
    """The box without the last pixels at the film's inner edges, whose paper shines into them."""
    left, top, right, bottom = box
    return left + _EDGE * (left > 0), top, right - _EDGE * (right < size[0]), bottom - _EDGE * (bottom < size[1])


def _fade(before: Image.Image, after: Image.Image) -> Iterator[Shown]:
    for step in range(1, _BLENDS + 1):
        yield Shown(Image.blend(before, after, step / (_BLENDS + 1)), _BLEND_MS)


def _encoded(shown: Sequence[Shown], quality: int, share: float) -> bytes:
    width, height = (max(1, round(side * share)) for side in shown[0].picture.size)
    pictures = [one.picture.resize((width, height), _SMOOTH) for one in shown]
    out = io.BytesIO()
    pictures[0].save(
        out, "WEBP", save_all=True, append_images=pictures[1:], duration=[one.ms for one in shown], loop=0,
        quality=quality, method=4,
    )  # fmt: skip
    return out.getvalue()
