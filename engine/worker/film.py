"""The film of a painting: which iterations become frames, and how they become one small animated WebP."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import pairwise

from PIL import Image

LENGTH_MS = 6000
"""About how long the painting takes in the film, before the last frame is held."""
HOLD_MS = 2000
FEWEST_STEPS = 24
"""With fewer frames than this, blends are put between them."""

# (quality, share of the side): quality falls first, since a smaller film loses the brush strokes.
_LADDER = (*((q, 1.0) for q in (86, 76, 64, 50)), *((40, share) for share in (0.8, 0.64, 0.5, 0.35, 0.2)))


def film_iterations(iterations: int, most: int = 60) -> tuple[int, ...]:
    """The iterations, at most `most`, that become frames: 1, the last, and geometric steps between them.

    A picture changes fastest at the start, so the early iterations are all shown where there is room. Raises
    `ValueError` unless there is at least one iteration and room for two frames.
    """
    if iterations < 1 or most < 2:
        raise ValueError("A film needs at least one iteration, and room for two frames.")
    chosen = [1]
    for left in range(most - 1, 0, -1):
        here = chosen[-1]
        if here == iterations:
            break
        chosen.append(max(here + 1, round(here * (iterations / here) ** (1 / left))))
    return tuple(chosen)


def frame(image: Image.Image, longest: int = 480) -> bytes:
    """One frame as JPEG, scaled down so that its longest side is at most `longest` px.

    JPEG, because it encodes forty times faster than WebP, and the loop's cores do it; the film is WebP in the end.
    """
    small = image.convert("RGB")
    small.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    out = BytesIO()
    small.save(out, "JPEG", quality=95, subsampling=0)
    return out.getvalue()


def film(frames: Sequence[bytes], *, limit: int = 8_000_000) -> bytes:
    """A looping animated WebP of the encoded `frames`, below `limit` bytes and of the last frame's size.

    The last frame is held for two seconds; a film of few frames is cross-faded. Quality, then size step down
    until the film fits. Raises `ValueError` where there are no frames, or `limit` is too small for any film.
    """
    if not frames:
        raise ValueError("A film needs at least one frame.")
    width, height = _open(frames[-1]).size
    for quality, share in _LADDER:
        size = (max(1, round(width * share)), max(1, round(height * share)))
        encoded = _encode(frames, size, quality)
        if len(encoded) < limit:
            return encoded
    raise ValueError(f"No film of {len(frames)} frames fits into {limit:,} bytes.")


def _encode(frames: Sequence[bytes], size: tuple[int, int], quality: int) -> bytes:
    pictures = list(_faded([_open(data).resize(size, Image.Resampling.LANCZOS) for data in frames]))
    pace = LENGTH_MS // max(len(pictures), FEWEST_STEPS * 2)
    durations = [pace] * (len(pictures) - 1) + [HOLD_MS]
    return _webp(pictures[0], quality, save_all=True, append_images=pictures[1:], duration=durations, loop=0)


def _faded(pictures: Sequence[Image.Image]) -> Iterator[Image.Image]:
    """The pictures, with blends between them where there are too few to look like motion."""
    blends = max(1, FEWEST_STEPS // len(pictures))
    for before, after in pairwise(pictures):
        yield from (Image.blend(before, after, i / blends) for i in range(blends))
    yield pictures[-1]


def _open(data: bytes) -> Image.Image:
    with Image.open(BytesIO(data)) as image:
        return image.convert("RGB")


def _webp(image: Image.Image, quality: int, **options: object) -> bytes:
    out = BytesIO()
    image.save(out, "WEBP", quality=quality, method=4, **options)
    return out.getvalue()
