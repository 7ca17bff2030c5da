"""The picture that is made for passing on: content and painting side by side, with small labels."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from bot.stored_pngs import frame_of, opened, told_as_broken
from bot.text.drawn_texts import drawn_words
from bot.text.translation import N_
from engine.contract.models import Job
from engine.contract.store import Store

FONT = Path(__file__).with_name("DejaVuSans-Latin.ttf")
"""The font of plots and sheets, which the bot has no matplotlib to take it from; its letters up to U+017F."""
_LEAST, _SIDE = 480, 800  # px, the longest of each picture; smaller ones have no room for labels
_GAP, _STRIP, _STYLE = 8, 56, 44  # px: between pictures, of the labels' height, of the style's copy beside them
_GROUND, _INK = "#1b1b1f", "#e8e6e3"
_QUALITY = 90
_SMOOTH = Image.Resampling.LANCZOS


async def before_and_after(store: Store, job: Job, painting: str) -> bytes:
    """A JPEG of at most 1,608 x 856 px; `painting` is the key of the finished picture.

    Raises `Broken`, or `StoreError`.
    """
    keys = (job.content.key, painting, *(style.key for style in job.styles))
    content, final, *styles = [await store.get(key) for key in keys]
    # What ends a film is the painting of its last picture.
    last = await asyncio.to_thread(frame_of, content, job.recipe.frames - 1)
    return await asyncio.to_thread(side_by_side, last, final, styles)


def side_by_side(before: bytes, after: bytes, styles: Sequence[bytes]) -> bytes:
    """The JPEG of the PNGs `before` and `after`, small copies of `styles` beside the second label. Raises `Broken`."""
    with told_as_broken():
        right = opened(after)
        scale = min(_SIDE, max(_LEAST, *right.size)) / max(right.size)
        right = right.resize((max(1, round(right.width * scale)), max(1, round(right.height * scale))), _SMOOTH)
        left = opened(before).resize(right.size, _SMOOTH)  # the painting has its shape
        small = [opened(style) for style in styles]
    width, height = right.size
    sheet = Image.new("RGB", (2 * width + _GAP, height + _STRIP), _GROUND)
    sheet.paste(left, (0, 0))
    sheet.paste(right, (width + _GAP, 0))
    draw, font = ImageDraw.Draw(sheet), ImageFont.truetype(str(FONT), 24)
    middle = height + _STRIP // 2
    # The first one in the middle: where it would begin, Discord puts the sign that there is a description.
    words = drawn_words(N_("before"), N_("after"))
    draw.text((width // 2, middle), words[0], _INK, font, anchor="mm")
    draw.text((width + 2 * _GAP, middle), words[1], _INK, font, anchor="lm")
    _add_styles(sheet, small, width + 2 * _GAP + round(draw.textlength(words[1], font)) + 2 * _GAP)
    out = io.BytesIO()
    sheet.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()


def _add_styles(sheet: Image.Image, styles: Sequence[Image.Image], x: int) -> None:
    """Paste small copies of as many styles as fit, in a row from `x` on."""
    y = sheet.height - (_STRIP + _STYLE) // 2
    for style in styles:
        style.thumbnail((3 * _STYLE, _STYLE), _SMOOTH)
        if x + style.width <= sheet.width:
            sheet.paste(style, (x, y + (_STYLE - style.height) // 2))
        x += style.width + _GAP
