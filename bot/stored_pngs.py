"""PNGs as the store gives them back: it may hold anything."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image


class Broken(Exception):
    """Bytes that are no picture, or one that cannot be made of them."""


@contextmanager
def told_as_broken() -> Iterator[None]:
    """Raise `Broken` for whatever Pillow raises in the block for bytes that are no picture."""
    try:
        yield
    except (OSError, ValueError, LookupError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise Broken(str(error)) from error


def opened(png: bytes) -> Image.Image:
    """The PNG as an RGB picture. Raises what `told_as_broken` tells as `Broken`."""
    with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
        return image.convert("RGB")


def frame_of(png: bytes, number: int) -> bytes:
    """One frame of an animated PNG as a PNG of its own, counted from 0; of fewer, the last. Raises `Broken`."""
    with told_as_broken(), Image.open(io.BytesIO(png), formats=["PNG"]) as image:
        last = min(number, getattr(image, "n_frames", 1) - 1)
        if not last:
            return png
        image.seek(last)
        out = io.BytesIO()
        image.convert("RGB").save(out, "PNG", compress_level=1)
        return out.getvalue()
