"""A study's contact sheet: its pictures side by side, each under its label."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from engine.worker.results.lettering import fitted_font
from engine.worker.results.loss_plot import INK, PAPER, QUIET

_FRAME = "#dcd8ce"
_ASPECT = 1.45
"""The sheet's width over its height, about: what a screen and a channel show well."""
_LEAST, _CELL = 320, 480
"""Px, at least and at most, of a picture's longer side."""
_NARROWEST = 1080
"""Px that the sheet is wide at least, so that its heading has room."""
_MARGIN, _GAP = 56, 28
_HEAD, _SOURCE = 170, 130
"""Px of the heading's height, and of the pictures in it."""
_CAPTION, _STYLE = 66, 92
"""Px of what stands below a picture, and of its style there, where that is shown."""


@dataclass(frozen=True)
class SheetTile:
    """A picture, its label, a smaller line, and what it was painted like where that differs."""

    label: str
    note: str
    picture: Image.Image
    style: Image.Image | None = None


def contact_sheet(
    title: str, subtitle: str, sources: Sequence[Image.Image], tiles: Sequence[SheetTile], foot: str
) -> Image.Image:
    """The sheet; `sources` are shown small in its heading. A small picture is enlarged to the size of the others."""
    wide, high = _cell(tiles)
    caption = _CAPTION if all(tile.style is None for tile in tiles) else _STYLE + 18
    columns = _columns(len(tiles), wide, high + caption)
    rows = math.ceil(len(tiles) / columns)
    grid = columns * wide + (columns - 1) * _GAP
    width = max(_NARROWEST, grid + 2 * _MARGIN)
    sheet = Image.new("RGB", (width, _MARGIN + _HEAD + rows * (high + caption + _GAP) + _MARGIN), PAPER)
    draw = ImageDraw.Draw(sheet)
    right = _draw_sources(sheet, sources)
    room = right - _MARGIN - _GAP
    draw.text((_MARGIN, _MARGIN + 12), title, INK, font=fitted_font(title, 46, room, bold=True))
    draw.text((_MARGIN, _MARGIN + 78), subtitle, QUIET, font=fitted_font(subtitle, 23, room))
    for number, tile in enumerate(tiles):
        row, column = divmod(number, columns)
        in_row = min(columns, len(tiles) - row * columns)
        left = (width - in_row * wide - (in_row - 1) * _GAP) // 2 + column * (wide + _GAP)
        corner = (left, _MARGIN + _HEAD + row * (high + caption + _GAP))
        _draw_tile(sheet, tile, corner, (wide, high))
    draw.text((_MARGIN, sheet.height - _MARGIN - 4), foot, QUIET, font=fitted_font(foot, 19, width - 2 * _MARGIN))
    return sheet


def side_by_side(pictures: Sequence[tuple[str, Image.Image]]) -> Image.Image:
    """Pictures of one size in a row, each under its label."""
    wide, high = pictures[0][1].size
    whole = Image.new("RGB", (len(pictures) * (wide + _GAP) - _GAP, high + 44), PAPER)
    draw = ImageDraw.Draw(whole)
    for number, (label, picture) in enumerate(pictures):
        left = number * (wide + _GAP)
        whole.paste(picture, (left, 44))
        draw.text((left, 10), label, INK, font=fitted_font(label, 22, wide, bold=True))
    return whole


def _cell(tiles: Sequence[SheetTile]) -> tuple[int, int]:
    """The room for each picture: as wide as the widest and as high as the highest, at most `_CELL`."""
    # The longer side of all, at most that of the largest, so that all are enlarged alike.
    longest = max(_LEAST, min(_CELL, max(max(tile.picture.size) for tile in tiles)))
    sizes = [_fit(tile.picture, longest) for tile in tiles]
    return max(width for width, _ in sizes), max(height for _, height in sizes)


def _fit(picture: Image.Image, longest: int) -> tuple[int, int]:
    scale = longest / max(picture.size)
    return max(1, round(picture.width * scale)), max(1, round(picture.height * scale))


def _columns(count: int, wide: int, high: int) -> int:
    """How many columns bring the sheet nearest to its usual shape, with few empty places."""

    def strangeness(columns: int) -> float:
        rows = math.ceil(count / columns)
        shape = (columns * wide + 2 * _MARGIN) / (rows * high + _HEAD + 2 * _MARGIN)
        return abs(math.log(shape / _ASPECT)) + 0.25 * (rows * columns - count)

    return min(range(1, count + 1), key=strangeness)


def _draw_sources(sheet: Image.Image, sources: Sequence[Image.Image]) -> int:
    """Draw the sources in the right corner, the first of them leftmost; returns where they begin."""
    right = sheet.width - _MARGIN
    for source in reversed(sources):
        small = source.copy()
        small.thumbnail((220, _SOURCE), Image.Resampling.LANCZOS)
        right -= small.width
        sheet.paste(small, (right, _MARGIN))
        right -= 14
    return right


def _draw_tile(sheet: Image.Image, tile: SheetTile, corner: tuple[int, int], room: tuple[int, int]) -> None:
    draw = ImageDraw.Draw(sheet)
    (left, top), (wide, high) = corner, room
    longest = max(wide, high)
    size = _fit(tile.picture, longest)
    if size[0] > wide or size[1] > high:
        size = _fit(tile.picture, min(wide, high))
    shown = tile.picture.resize(size, Image.Resampling.LANCZOS)
    x = left + (wide - size[0]) // 2
    sheet.paste(shown, (x, top))
    draw.rectangle((x - 1, top - 1, x + size[0], top + size[1]), outline=_FRAME)
    if tile.style is not None:
        small = tile.style.copy()
        small.thumbnail((_STYLE, _STYLE), Image.Resampling.LANCZOS)
        sheet.paste(small, (x + size[0] - small.width, top + size[1] + 9))
        wide -= small.width + _GAP // 2
    letters = 23 if tile.style is None else 19
    draw.text((x, top + size[1] + 9), tile.label, INK, font=fitted_font(tile.label, letters, wide, bold=True))
    draw.text((x, top + size[1] + 39), tile.note, QUIET, font=fitted_font(tile.note, 17, wide))
