"""The sheet of `benchmarks.compare`: a row for each way of painting, a column for each pair, all of it labelled."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from PIL import Image, ImageDraw, ImageFont

from engine.painting.pictures import fit

_PAPER, _INK, _FAINT = "#ffffff", "#1a1a1a", "#767676"
_MARGIN, _GAP, _LINE = 20, 12, 20  # px
_LABELS = 150  # px of the column of names
_NARROWEST = 130  # px of a column, so that its title has room
_LETTER = 8  # px, about, of a letter of a title
_TITLE, _DETAIL = (ImageFont.load_default(size) for size in (16, 13))


@dataclass(frozen=True)
class Column:
    """A pair of pictures, and under it what each row made of them, by the row's name, with a line of words."""

    title: str
    content: Image.Image
    style: Image.Image
    cells: Mapping[str, tuple[Image.Image, str]]


def sheet(names: Sequence[str], columns: Sequence[Column], size: int) -> Image.Image:
    """Rows of these names; pictures as they are, not resampled, but for those of more than `size` px."""
    columns = [_at_most(column, size) for column in columns]
    width = max(size, _NARROWEST)
    titles = [textwrap.wrap(column.title, width // _LETTER) for column in columns]
    originals = [_side_by_side(column, width) for column in columns]
    tops = [_MARGIN + _LINE * max(map(len, titles)) + _GAP // 2]
    tops.append(tops[0] + max(picture.height for picture in originals) + _GAP)
    for name in names:
        tops.append(tops[-1] + _height(name, columns) + _GAP)
    lefts = [_MARGIN + _LABELS + _GAP + i * (width + _GAP) for i in range(len(columns) + 1)]
    whole = Image.new("RGB", (lefts[-1] - _GAP + _MARGIN, tops[-1] - _GAP + _MARGIN), _PAPER)
    draw = ImageDraw.Draw(whole)
    _write(draw, (_MARGIN, tops[0]), ["content, style"], _FAINT)
    for left, lines, picture in zip(lefts, titles, originals, strict=False):
        _write(draw, (left, _MARGIN), lines)
        whole.paste(picture, (left, tops[0]))
    for top, name in zip(tops[1:], names, strict=False):
        _write(draw, (_MARGIN, top), textwrap.wrap(name, _LABELS // _LETTER))
        for left, column in zip(lefts, columns, strict=False):
            if name in column.cells:
                picture, words = column.cells[name]
                whole.paste(picture, (left, top))
                draw.text((left, top + picture.height + 2), words, _FAINT, font=_DETAIL)
    return whole


def _height(name: str, columns: Sequence[Column]) -> int:
    """Of a row, with the words under its pictures; enough for its name too."""
    pictures = [column.cells[name][0].height for column in columns if name in column.cells]
    return max(_LINE * len(textwrap.wrap(name, _LABELS // _LETTER)), _LINE + max(pictures, default=0))


def _at_most(column: Column, size: int) -> Column:
    cells = {
        name: (fit(picture, size) if max(picture.size) > size else picture, words)
        for name, (picture, words) in column.cells.items()
    }
    return replace(column, cells=cells)


def _side_by_side(column: Column, width: int) -> Image.Image:
    """Content and style, each in half of the column."""
    half = (width - _GAP // 2) // 2
    pictures = [fit(picture, half) for picture in (column.content, column.style)]
    whole = Image.new("RGB", (width, max(picture.height for picture in pictures)), _PAPER)
    for i, picture in enumerate(pictures):
        whole.paste(picture, (i * (width - half), 0))
    return whole


def _write(draw: ImageDraw.ImageDraw, at: tuple[int, int], lines: Sequence[str], ink: str = _INK) -> None:
    for i, line in enumerate(lines):
        draw.text((at[0], at[1] + i * _LINE), line, ink, font=_TITLE)
