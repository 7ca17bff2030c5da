"""The letters of sheets and films: the font that the plots have too."""

from __future__ import annotations

import functools
from pathlib import Path

import matplotlib
from PIL import ImageFont

_SMALLEST = 11


def fitted_font(text: str, size: int, room: float, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """A font of this size, or as small as the room wants it, within reason; all in px."""
    while size > _SMALLEST and font(size, bold=bold).getlength(text) > room:
        size -= 1
    return font(size, bold=bold)


@functools.lru_cache(64)
def font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """The font at this size, px."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name), size)
