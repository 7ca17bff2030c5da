"""Pictures as PNG, for the store."""

from __future__ import annotations

import io

from PIL import Image


def encode(picture: Image.Image) -> bytes:
    """The picture as PNG; light compression, for it is decoded and encoded again before anyone downloads it."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=4)
    return buffer.getvalue()
