"""Readers of pictures with 16 bits a channel, of which Pillow keeps 8: by the formats' specifications."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image


def read_png(blob: bytes) -> npt.NDArray[np.uint16]:
    """By the specification, for the one filter that is used."""
    place, chunks = 8, {}
    while place < len(blob):
        length, kind = struct.unpack_from(">I4s", blob, place)
        data = blob[place + 8 : place + 8 + length]
        assert struct.unpack_from(">I", blob, place + 8 + length)[0] == zlib.crc32(kind + data)
        chunks[kind], place = data, place + 12 + length
    width, height, depth, colour, *_ = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    channels = {2: 3, 6: 4}[colour]
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, -1)
    assert depth == 16
    assert set(rows[:, 0]) == {2}
    samples = np.cumsum(rows[:, 1:], axis=0, dtype=np.uint8).copy().view(">u2")
    return samples.reshape(height, width, channels).astype(np.uint16)


def read_tiff(blob: bytes) -> npt.NDArray[np.uint16]:
    """By the specification, for one strip."""
    with Image.open(io.BytesIO(blob)) as file:
        tags: Any = file.tag_v2  # type: ignore[attr-defined]
        assert (tags[258], tags[317], tags[259]) == ((16,) * tags[277], 2, 8)
        strip = zlib.decompress(blob[tags[273][0] : tags[273][0] + tags[279][0]])
    rows = np.frombuffer(strip, "<u2").reshape(tags[257], tags[256], tags[277])
    return np.cumsum(rows, axis=1, dtype=np.uint16)
