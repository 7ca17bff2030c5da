"""Pictures with 16 bits a channel, which Pillow does not write: as PNG, and as TIFF."""

from __future__ import annotations

import struct
import zlib
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Samples: TypeAlias = npt.NDArray[np.uint16]
"""(height, width, 3 or 4): RGB, and how opaque it is."""


def png(samples: Samples, profile: bytes, xmp: bytes) -> bytes:
    """The samples as PNG (PNG specification, third edition)."""
    height, width, channels = samples.shape
    rows = samples.astype(">u2").view(np.uint8).reshape(height, -1)
    up = np.full((height, 1 + rows.shape[1]), 2, np.uint8)  # 2: each row holds what differs from the one above it
    up[:, 1:] = np.diff(rows, axis=0, prepend=np.zeros_like(rows[:1]))
    header = struct.pack(">IIBBBBB", width, height, 16, 6 if channels == 4 else 2, 0, 0, 0)
    chunks = (
        (b"IHDR", header),
        (b"iCCP", b"sRGB\0\0" + zlib.compress(profile)),
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp),
        (b"IDAT", zlib.compress(up.tobytes())),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


_SHORT, _LONG, _BYTE, _ASCII, _UNDEFINED = 3, 4, 1, 2, 7
_SIZES = {_SHORT: "H", _LONG: "I"}
_ORDER = "<"


def tiff(samples: Samples, profile: bytes, xmp: bytes) -> bytes:
    """The samples as TIFF 6.0: one strip, deflated, of what differs from the pixel to the left."""
    height, width, channels = samples.shape
    left = np.diff(samples, axis=1, prepend=np.zeros_like(samples[:, :1]))
    strip = zlib.compress(left.astype("<u2").tobytes())
    tags: dict[int, tuple[int, Any]] = {
        256: (_LONG, [width]), 257: (_LONG, [height]), 258: (_SHORT, [16] * channels),
        259: (_SHORT, [8]), 262: (_SHORT, [2]),  # deflated RGB
        273: (_LONG, [8]), 277: (_SHORT, [channels]), 278: (_LONG, [height]), 279: (_LONG, [len(strip)]),  # the strip
        284: (_SHORT, [1]), 305: (_ASCII, b"Impasto\0"), 317: (_SHORT, [2]),
        **({338: (_SHORT, [2])} if channels == 4 else {}),  # the fourth channel is how opaque it is
        339: (_SHORT, [1] * channels), 700: (_BYTE, xmp), 34675: (_UNDEFINED, profile),
    }  # fmt: skip
    body = _even(strip)
    entries, start = [], 8 + len(body)
    further = start + 2 + 12 * len(tags) + 4
    beside = b""
    for tag, (kind, values) in sorted(tags.items()):
        data = values if isinstance(values, bytes) else struct.pack(f"{_ORDER}{len(values)}{_SIZES[kind]}", *values)
        place = data.ljust(4, b"\0")
        if len(data) > 4:
            place = struct.pack(f"{_ORDER}I", further + len(beside))
            beside += _even(data)
        entries.append(struct.pack(f"{_ORDER}HHI", tag, kind, len(values)) + place)
    directory = struct.pack(f"{_ORDER}H", len(entries)) + b"".join(entries) + bytes(4)
    return b"II*\0" + struct.pack(f"{_ORDER}I", start) + body + directory + beside


def _even(data: bytes) -> bytes:
    return data + bytes(len(data) % 2)
