"""The film of a painting: which iterations become frames, and how they become one small animated WebP.

Of one picture it shows how that was painted; of a sequence, its paintings, each for as long as its content was shown.
WebP, since browsers and Discord play it by themselves, as they do not play MP4, and since it has all colours in a third
of a GIF's bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from itertools import pairwise

import numpy as np
from PIL import Image, ImageSequence

from engine.recipe.recipe import Recipe
from engine.recipe.snapshot_spacing import evenly

LENGTH_MS = 6000
"""About how long the painting takes in the film, before the last frame is held."""
HOLD_MS = 2000
FEWEST_STEPS = 24
"""With fewer frames than this, blends are put between them."""

Under = Callable[[Image.Image, float], Image.Image]
"""Adds to a picture what is shown under it; the number counts the frames from 0, with fractions between two of them."""

USUAL_MS = 100
"""How long a frame of a sequence is shown where its time is not known, ms."""

_LOOK = 48
"""Px of the side at which frames are compared; brush strokes that only move count little there, as to the eye."""
_PACES = (0.4, 2.5)
"""The least and the most time that a frame is shown, in terms of the mean."""

# (quality, share of the side): quality falls first, since a smaller film loses the brush strokes.
_ENCODINGS = (*((q, 1.0) for q in (86, 76, 64, 50)), *((40, share) for share in (0.8, 0.64, 0.5, 0.35, 0.2)))


def film_iterations(recipe: Recipe, most: int = 60) -> tuple[int, ...]:
    """The iterations, at most `most`, that become frames: 1, the last, and between them about evenly in change.

    Of a sequence those at which a frame of it is painted. Raises `ValueError` unless there is room for two frames.
    """
    if recipe.frames > 1:
        return recipe.frame_ends
    return (1, *(i for i in evenly(recipe, most - 1) if i > 1))


def side_of(recipe: Recipe) -> int:
    """The most px of a frame's longest side: of a sequence the film is what was asked for."""
    return 480 if recipe.frames == 1 else 800


def frame(image: Image.Image, longest: int) -> bytes:
    """One frame as JPEG, scaled down so that its longest side is at most `longest` px.

    JPEG, because it encodes forty times faster than WebP, and the loop's cores do it; the film is WebP in the end.
    """
    small = image.convert("RGB")
    small.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    out = BytesIO()
    small.save(out, "JPEG", quality=95, subsampling=0)
    return out.getvalue()


def times_of(animation: bytes, ends: Sequence[int]) -> dict[int, int]:
    """By the iteration at which each frame of a sequence was painted: how long the content's was shown, ms.

    `animation` is an animated PNG. Raises what Pillow raises where it is none.
    """
    with Image.open(BytesIO(animation), formats=["PNG"]) as file:
        times = [round(picture.info.get("duration") or USUAL_MS) for picture in ImageSequence.Iterator(file)]
    return dict(zip(ends, times, strict=False))


def film(
    frames: Sequence[bytes], *, times: Sequence[int] | None = None, under: Under | None = None, limit: int = 8_000_000
) -> bytes:
    """A looping animated WebP of the encoded `frames`, below `limit` bytes and of the last frame's size.

    The last frame is held for two seconds; a film of few frames is cross-faded. With `times`, in ms, each is shown for
    its own and nothing is added. What comes `under` them makes the film higher. Quality, then size step down until the
    film fits. Raises `ValueError` where there are no frames, or `limit` is too small for any film.
    """
    if not frames:
        raise ValueError("A film needs at least one frame.")
    width, height = _open(frames[-1]).size
    for quality, share in _ENCODINGS:
        size = (max(1, round(width * share)), max(1, round(height * share)))
        encoded = _encode(frames, size, quality, times, under)
        if len(encoded) < limit:
            return encoded
    raise ValueError(f"No film of {len(frames)} frames fits into {limit:,} bytes.")


def painted_box(film_of: bytes, frame_of: bytes) -> tuple[int, int, int, int]:
    """Where in the film's pictures its frames are, as left, top, right and bottom: the loss may be under them."""
    whole, (width, height) = _open(film_of).width, _open(frame_of).size
    if width > whole:  # it had to be made smaller
        width, height = whole, round(height * whole / width)
    left = (whole - width) // 2
    return left, 0, left + width, height


def _encode(
    frames: Sequence[bytes], size: tuple[int, int], quality: int, times: Sequence[int] | None, under: Under | None
) -> bytes:
    whole = [_open(data).resize(size, Image.Resampling.LANCZOS) for data in frames]
    shown = list(_faded(whole, blended=times is None))
    pictures = [picture for picture, _ in shown]
    durations = list(times) if times is not None else [*_durations(pictures), HOLD_MS]
    if under is not None:
        pictures = [under(picture, place) for picture, place in shown]
    return _webp(pictures[0], quality, save_all=True, append_images=pictures[1:], duration=durations, loop=0)


def _faded(pictures: Sequence[Image.Image], *, blended: bool) -> Iterator[tuple[Image.Image, float]]:
    """The pictures and their places; `blended`, with blends between them where too few would look like motion."""
    blends = max(1, FEWEST_STEPS // len(pictures)) if blended else 1
    for place, (before, after) in enumerate(pairwise(pictures)):
        yield from ((Image.blend(before, after, i / blends), place + i / blends) for i in range(blends))
    yield pictures[-1], len(pictures) - 1


def _durations(pictures: Sequence[Image.Image]) -> list[int]:
    """How long each but the last is shown, ms: in proportion to how much the next one differs from it, within bounds.

    So the painting changes at an even pace also where its early iterations are too few to be told apart any finer.
    """
    if len(pictures) < 2:
        return []
    small = [np.asarray(picture.convert("YCbCr").resize((_LOOK, _LOOK)), dtype=np.float32) for picture in pictures]
    changes = np.array([np.sqrt(np.mean((after - before) ** 2)) for before, after in pairwise(small)])
    if not changes.any():
        changes = np.ones_like(changes)
    shares = (changes / changes.mean()).clip(*_PACES)
    length = LENGTH_MS * min(1, len(pictures) / (2 * FEWEST_STEPS))
    return [round(float(length * share)) for share in shares / shares.sum()]


def _open(data: bytes) -> Image.Image:
    with Image.open(BytesIO(data)) as image:
        return image.convert("RGB")


def _webp(image: Image.Image, quality: int, **options: object) -> bytes:
    out = BytesIO()
    image.save(out, "WEBP", quality=quality, method=4, **options)
    return out.getvalue()
