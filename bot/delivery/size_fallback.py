"""A file that is too large for a server is sent as the next smaller one: PNG, WebP, JPEG, then smaller copies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import Any

from PIL import Image

from bot.stored_pngs import Broken, opened, told_as_broken
from bot.text.translation import N_, _

_FLOOR = 256  # px of the longest side; a smaller copy of a picture would show no brush stroke
_STEP = 0.9  # of a refused file's bytes is the most that the next one may have


@dataclass(frozen=True)
class OutgoingFile:
    """One file, ready to be sent."""

    name: str
    data: bytes
    note: str
    """How it differs from the original, as a phrase for the caption; empty where it does not."""


@dataclass(frozen=True)
class _Variant:
    ending: str
    note: str
    encode: Callable[[bytes], bytes | None]
    """Takes the original; None where the copy would be too small to look at."""
    share: float = 1.0
    """The copy's sides as a share of the original's, above 0 to 1."""

    @property
    def in_words(self) -> str:
        """How the copy differs from the original, as a phrase."""
        return _(self.note, share=self.share)


def picture_fallback(png: bytes, stem: str, limit: int) -> AsyncIterator[OutgoingFile]:
    """A picture's files of at most `limit` bytes: the PNG as it is, other formats, then smaller copies."""
    return _fallback(png, stem, limit, _PICTURE)


def film_fallback(film: bytes, stem: str, limit: int) -> AsyncIterator[OutgoingFile]:
    """A film's files of at most `limit` bytes: the animated WebP as it is, coarser, smaller, then with fewer frames."""
    return _fallback(film, stem, limit, _FILM)


async def _fallback(original: bytes, stem: str, most: int, variants: Sequence[_Variant]) -> AsyncIterator[OutgoingFile]:
    """From the first variant that has at most `most` bytes downwards, each clearly smaller than the one before.

    Nothing comes if nothing fits, or if what is too large is no picture. Encoding runs on threads.
    """
    for variant in variants:
        try:
            with told_as_broken():
                data = await asyncio.to_thread(variant.encode, original)
        except Broken:
            return
        if data is not None and len(data) <= most:
            yield OutgoingFile(f"{stem}.{variant.ending}", data, variant.in_words)
            most = int(_STEP * len(data))


def _as_it_is(original: bytes) -> bytes:
    return original


def _still(original: bytes, kind: str, share: float, **options: Any) -> bytes | None:
    """The picture as `kind`, its sides multiplied by `share`."""
    picture = opened(original)
    if share < 1:
        if max(picture.size) * share < _FLOOR:
            return None
        picture = picture.resize(_scaled(picture, share), Image.Resampling.LANCZOS)
    out = BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def _moving(original: bytes, share: float, step: int) -> bytes:
    """The film, its sides multiplied by `share`, with every `step`-th frame counted from the last."""
    frames, times = [], []
    with Image.open(BytesIO(original), formats=["WEBP"]) as film:
        for number in range(getattr(film, "n_frames", 1)):
            film.seek(number)
            frames.append(film.convert("RGB").resize(_scaled(film, share), Image.Resampling.LANCZOS))
            times.append(film.info["duration"])
    kept = range((len(frames) - 1) % step, len(frames), step)
    first, *rest = (frames[i] for i in kept)
    durations = [sum(times[i : i + step]) for i in kept]
    out = BytesIO()
    first.save(out, "WEBP", save_all=True, append_images=rest, duration=durations, loop=0, quality=60, method=4)
    return out.getvalue()


def _scaled(image: Image.Image, share: float) -> tuple[int, int]:
    return max(1, round(image.width * share)), max(1, round(image.height * share))


def _copy(note: str, kind: str, share: float = 1.0, **options: Any) -> _Variant:
    encode = partial(_still, kind=kind, share=share, **options)
    return _Variant({"WEBP": "webp", "JPEG": "jpg"}[kind], note, encode, share)


# Without loss at effort 20, WebP takes as long as PNG and saves more than PNG does at its slowest.
_PICTURE = (
    _Variant("png", "", _as_it_is),
    _copy(N_("as lossless WebP"), "WEBP", lossless=True, quality=20, method=1),
    *(_copy(N_("as WebP"), "WEBP", quality=quality) for quality in (95, 88, 80)),
    *(_copy(N_("as JPEG"), "JPEG", quality=quality) for quality in (92, 86, 80)),
    *(_copy(N_("as JPEG, {share:.0%} of its size"), "JPEG", share=0.5 ** (k / 2), quality=85) for k in range(1, 9)),
)
_FILM = (
    _Variant("webp", "", _as_it_is),
    _Variant("webp", N_("film at a lower quality"), partial(_moving, share=1.0, step=1)),
    *(
        _Variant("webp", N_("film at {share:.0%} of its size"), partial(_moving, share=share, step=step), share)
        for share, step in ((0.71, 1), (0.5, 2), (0.35, 3))
    ),
)
