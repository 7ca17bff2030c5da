"""A contact sheet: rows of paintings of the same pairs, to compare."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from engine.painting.network.vgg import Convs
from engine.painting.painter import Painter
from engine.recipe.recipe import Recipe

LINE = 16  # px of the line of words above a row


def painting(recipe: Recipe, content: Path, style: Path, convs: Convs | None) -> tuple[Image.Image, float]:
    """The finished picture, and how many seconds it took."""
    began = time.monotonic()
    with Image.open(content) as a, Image.open(style) as b:
        painter = Painter(recipe, a.convert("RGB"), [b.convert("RGB")], convs=convs)
    state = painter.begin()
    for _ in painter.paint(state):
        pass
    return painter.picture(state), time.monotonic() - began


def sheet(rows: Sequence[tuple[str, Sequence[Image.Image]]], side: int) -> Image.Image:
    """Rows of pictures of at most `side` px, each under its words."""
    height = max(picture.height for _, pictures in rows for picture in pictures) + LINE
    whole = Image.new("RGB", (side * max(len(pictures) for _, pictures in rows), height * len(rows)))
    draw = ImageDraw.Draw(whole)
    for y, (words, pictures) in enumerate(rows):
        draw.text((2, y * height + 2), words, "white")
        for x, picture in enumerate(pictures):
            whole.paste(picture, (x * side, y * height + LINE))
    return whole
