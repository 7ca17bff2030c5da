"""`python -m examples.drawn_styles`: draws `bot/drawn_styles/*.png`, with which every server begins.

Original to this project and free for any use, from fixed seeds.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from pathlib import Path

from PIL import Image, ImageDraw

_SIDE = 512  # px
_FINE = 2  # drawn this many times larger, then averaged down
_FULL = _SIDE * _FINE
_BLUES = ("#0c1a4a", "#16348c", "#1f62c4", "#2fa7b8", "#f6efd8", "#f2b632", "#d9771f", "#c2321f")
_FLAT = ("#d8452e", "#1f4e79", "#f0b429", "#20262e", "#f1e3c4", "#2f8f83")

Draw = ImageDraw.ImageDraw


def _night(draw: Draw, chance: random.Random) -> None:
    """Strokes of deep blue, and a few warm lights."""
    for _ in range(2600):
        x, y = _place(chance)
        level = chance.uniform(0.5, 2.2)
        turn = 0.9 * math.sin(x / 260) + 0.7 * math.cos(y / 200)
        _stroke(
            draw, (x, y), turn, chance.uniform(30, 90), _rgb(14 * level, 18 * level, 44 * level), chance.uniform(6, 14)
        )
    for _ in range(24):
        x, y = _place(chance)
        for radius, colour in ((46, "#3c1e0e"), (30, "#864212"), (17, "#e69634"), (8, "#ffe4a0")):
            for _ in range(14):
                around, far = chance.uniform(0, math.tau), radius * chance.uniform(0.6, 1)
                at = (x + far * math.cos(around), y + far * math.sin(around))
                _stroke(draw, at, around + math.pi / 2, radius / 4, colour, 9)


def _ink(draw: Draw, chance: random.Random) -> None:
    """Brushed arcs and drops on white paper, most of it bare."""
    draw.rectangle((0, 0, _FULL, _FULL), fill="#fcfcfc")
    for _ in range(75):
        x, y = _place(chance)
        radius, width, begin, length = (
            chance.uniform(40, 190), chance.uniform(4, 20), chance.uniform(0, math.tau), chance.uniform(0.7, 3)
        )  # fmt: skip
        tone = _rgb(*[chance.uniform(8, 60)] * 3)
        for step in range(200):
            along = step / 199
            turn = begin + length * along
            thick = width / 2 * math.sin(math.pi * along) ** 0.6 + 1
            _disc(draw, x + radius * math.cos(turn), y + 0.7 * radius * math.sin(turn), thick, tone)
    for _ in range(60):
        _disc(draw, *_place(chance), chance.uniform(2, 9), "#1e1e1e")


def _hatching(draw: Draw, chance: random.Random) -> None:
    """Crossed hatching in greys."""
    draw.rectangle((0, 0, _FULL, _FULL), fill="#bebebe")
    for _ in range(3400):
        x, y = _place(chance)
        light = math.sin(x / 170) + math.cos(y / 140 + x / 300)
        turn = (0.8 if chance.random() < 0.5 + 0.3 * light else -0.7) + chance.gauss(0, 0.12)
        tone = min(245.0, max(15.0, 130 + 70 * light + chance.gauss(0, 45)))
        _stroke(draw, (x, y), turn, chance.uniform(20, 60), _rgb(tone, tone, tone), chance.uniform(3, 7))


def _poster(draw: Draw, chance: random.Random) -> None:
    """Large even shapes of a few colours."""
    draw.rectangle((0, 0, _FULL, _FULL), fill="#f1e3c4")
    for _ in range(52):
        (x, y), radius, colour = _place(chance), chance.uniform(50, 190), chance.choice(_FLAT)
        match chance.randrange(3):
            case 0:
                _disc(draw, x, y, radius, colour)
            case 1:
                draw.rectangle((x - radius, y - radius / 2, x + radius, y + radius / 2), fill=colour)
            case _:
                turns = [chance.uniform(0, 1) + turn for turn in (0, 2.1, 4.2)]
                draw.polygon([(x + radius * math.cos(t), y + radius * math.sin(t)) for t in turns], fill=colour)


def _strokes(draw: Draw, chance: random.Random) -> None:
    """Thick strokes of oil around the hills of a landscape, large ones first."""
    for width, count in ((90, 260), (56, 520), (34, 1000), (20, 1900)):
        for _ in range(count):
            x, y = _place(chance)
            height = math.sin(x / 190) + math.cos(y / 150) + math.sin((x + 1.4 * y) / 260)
            turn = math.atan2(math.cos(x / 190) / 190, math.sin(y / 150) / 150)
            colour = _shaded(
                _BLUES[round(2.2 * height + chance.gauss(3, 0.6)) % len(_BLUES)], chance.uniform(0.8, 1.15)
            )
            length = width * chance.uniform(1.2, 2.2)
            _bristles(draw, (x, y), turn + chance.gauss(0, 0.1), length, colour, width, chance)


_DRAWINGS: Mapping[str, tuple[Callable[[Draw, random.Random], None], int]] = {
    "night": (_night, 4), "ink": (_ink, 3), "hatching": (_hatching, 6), "poster": (_poster, 8),
    "strokes": (_strokes, 5),
}  # fmt: skip


def _place(chance: random.Random) -> tuple[float, float]:
    return chance.uniform(0, _FULL), chance.uniform(0, _FULL)


def _stroke(  # noqa: PLR0917
    draw: Draw, at: tuple[float, float], turn: float, half: float, colour: str, width: float
) -> None:
    """A straight stroke, `half` px to each side of its middle."""
    x, y, right, down = *at, half * math.cos(turn), half * math.sin(turn)
    draw.line((x - right, y - down, x + right, y + down), fill=colour, width=round(width))


def _bristles(  # noqa: PLR0917
    draw: Draw, at: tuple[float, float], turn: float, half: float, colour: str, width: float, chance: random.Random
) -> None:
    """A stroke of many hairs, each of a tone of its own."""
    for offset in range(-int(width / 2), int(width / 2), 4):
        x, y = at[0] - offset * math.sin(turn), at[1] + offset * math.cos(turn)
        _stroke(draw, (x, y), turn, half * chance.uniform(0.75, 1), _shaded(colour, chance.uniform(0.75, 1.25)), 5)


def _disc(draw: Draw, x: float, y: float, radius: float, colour: str) -> None:
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


def _rgb(*levels: float) -> str:
    return "#" + "".join(f"{min(255, max(0, round(level))):02x}" for level in levels)


def _shaded(colour: str, light: float) -> str:
    return _rgb(*(int(colour[i : i + 2], 16) * light for i in (1, 3, 5)))


if __name__ == "__main__":
    folder = Path(__file__).parents[1] / "bot" / "drawn_styles"
    for name, (drawn, seed) in _DRAWINGS.items():
        image = Image.new("RGB", (_FULL, _FULL), "#090a14")
        drawn(ImageDraw.Draw(image), random.Random(seed))
        image.resize((_SIDE, _SIDE), Image.Resampling.LANCZOS).save(folder / f"{name}.png")
