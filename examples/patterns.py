"""Draws more pictures for the gallery: a still life (content) and six styles, some of them hard to paint with.

Original to this project and free for any use; made anew from fixed seeds wherever they are needed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Point = tuple[float, float] | NDArray[np.float64]
Colour = NDArray[Any]

SIDE = 320
FINE = 3  # pictures of many lines are drawn this many times larger, then averaged down


def pears() -> Image.Image:
    """Two pears and a plum on a table by a dark wall; RGB, 320 x 240 px."""
    image = Image.new("RGB", (SIDE * 3, 240 * 3), "#3b4a52")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 480, 960, 720), fill="#c8a77c")
    for x, wide, body, light in (
        (250, 1.0, "#b9b23c", "#e9e07a"), (520, 1.15, "#c98a2e", "#f3c768"), (760, 0.0, "#5d2f5c", "#a873a5"),
    ):  # fmt: skip
        draw.ellipse((x - 150, 575, x + 190, 645), fill="#8f7150")
        top = 610 - round(230 * (wide or 0.8))
        if wide:
            draw.ellipse((x - 62, top - 140, x + 62, top + 120), fill=body)
            draw.line((x, top - 130, x + 22, top - 200), fill="#4a3420", width=12)
        draw.ellipse((x - 125, top, x + 125, 620), fill=body)
        draw.ellipse((x - 85, top + 45, x - 15, top + 140), fill=light)
    soft = image.filter(ImageFilter.GaussianBlur(5))
    return soft.resize((SIDE, 240), Image.Resampling.LANCZOS)


def glass(seed: int = 5) -> Image.Image:
    """Stained glass: flat panes of strong colour between dark leads; RGB, 320 x 320 px."""
    rng = np.random.default_rng(seed)
    points = rng.random((110, 2)) * SIDE
    palette = np.array([(196, 38, 46), (236, 176, 44), (24, 88, 168), (32, 140, 98), (240, 232, 208), (104, 44, 130)])
    panes = palette[rng.integers(len(palette), size=len(points))] * rng.uniform(0.75, 1.1, (len(points), 1))
    y, x = np.mgrid[:SIDE, :SIDE]
    distances = np.hypot(x[..., None] - points[:, 0], y[..., None] - points[:, 1])
    nearest = np.sort(distances, axis=-1)[..., :2]
    lead = np.clip((nearest[..., 1] - nearest[..., 0] - 2.5) / 2, 0, 1)[..., None]
    light = 1 + 0.2 * np.sin(x / 23 + y / 41)[..., None]
    colours = panes[distances.argmin(-1)] * light * lead + 18 * (1 - lead)
    return Image.fromarray(colours.clip(0, 255).astype(np.uint8))


def cloth(seed: int = 2) -> Image.Image:
    """Woven cloth: diagonal threads of indigo and cream, no two alike; RGB, 320 x 320 px."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE]
    warp, weft = x // 8, y // 8
    over = (warp + weft) % 4 < 2
    tone = np.where(over, rng.uniform(0.7, 1.1, 40)[warp], rng.uniform(0.7, 1.1, 40)[weft])
    roundness = np.where(over, np.sin((x % 8 + 0.5) / 8 * np.pi), np.sin((y % 8 + 0.5) / 8 * np.pi))
    thread = np.where(over[..., None], np.array((38, 52, 98)), np.array((226, 212, 182)))
    colours = thread * (tone * (0.55 + 0.45 * roundness))[..., None] + rng.normal(0, 5, (SIDE, SIDE, 1))
    return Image.fromarray(colours.clip(0, 255).astype(np.uint8))


def night(seed: int = 4) -> Image.Image:
    """Night, a dark style: strokes of deep blue and a few warm lights; RGB, 320 x 320 px."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (SIDE * FINE, SIDE * FINE), (9, 10, 20))
    draw = ImageDraw.Draw(image)
    for _ in range(1500):
        x, y = rng.random(2) * SIDE * FINE
        blue = np.array((14, 18, 44)) * rng.uniform(0.5, 2.1) + rng.normal(0, 4, 3)
        along = _vector(0.9 * np.sin(x / 260) + 0.7 * np.cos(y / 200), rng.uniform(30, 90))
        _stroke(draw, (x, y), along, blue, rng.uniform(7, 15))
    for _ in range(26):
        centre = rng.random(2) * SIDE * FINE
        for radius, colour in ((46, (60, 30, 14)), (30, (134, 66, 18)), (17, (230, 150, 52)), (8, (255, 228, 160))):
            for turn in rng.random(14) * 2 * np.pi:
                at = centre + radius * rng.uniform(0.6, 1) * np.array((np.cos(turn), np.sin(turn)))
                _stroke(draw, at, _vector(turn + np.pi / 2, radius / 4), np.array(colour), 9)
    return image.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def ink(seed: int = 3) -> Image.Image:
    """Ink on white paper, most of it bare: brushed arcs and drops; RGB, 320 x 320 px."""
    rng = np.random.default_rng(seed)
    image = Image.new("L", (SIDE * FINE, SIDE * FINE), 252)
    draw = ImageDraw.Draw(image)
    for _ in range(70):
        x, y = rng.random(2) * SIDE * FINE
        radius, begin, width, length = (
            rng.uniform(40, 190),
            rng.uniform(0, 360),
            rng.uniform(4, 20),
            rng.uniform(40, 170),
        )
        tone = int(rng.uniform(8, 60))
        for along in np.linspace(0, 1, 200):
            turn = np.deg2rad(begin + length * along)
            _disc(
                draw,
                x + radius * np.cos(turn),
                y + 0.7 * radius * np.sin(turn),
                width / 2 * np.sin(np.pi * along) ** 0.6 + 1,
                tone,
            )
    for x, y, radius in zip(*rng.random((2, 60)) * SIDE * FINE, rng.uniform(2, 9, 60), strict=True):
        _disc(draw, x, y, radius, 30)
    return image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def hatching(seed: int = 6) -> Image.Image:
    """Crossed hatching in greys, without a colour; RGB, 320 x 320 px."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (SIDE * FINE, SIDE * FINE), (190, 190, 190))
    draw = ImageDraw.Draw(image)
    for _ in range(2600):
        x, y = rng.random(2) * SIDE * FINE
        light = np.sin(x / 170) + np.cos(y / 140 + x / 300)
        turn = (0.8 if rng.random() < 0.5 + 0.3 * light else -0.7) + rng.normal(0, 0.12)
        tone = np.full(3, np.clip(130 + 70 * light + rng.normal(0, 45), 15, 245))
        _stroke(draw, (x, y), _vector(turn, rng.uniform(20, 60)), tone, rng.uniform(3, 7))
    return image.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def poster(seed: int = 8) -> Image.Image:
    """A poster, a very flat style: large even shapes of five colours; RGB, 320 x 320 px."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (SIDE * FINE, SIDE * FINE), "#f1e3c4")
    draw = ImageDraw.Draw(image)
    palette = ("#d8452e", "#1f4e79", "#f0b429", "#20262e", "#f1e3c4", "#2f8f83")
    for _ in range(46):
        x, y = rng.random(2) * SIDE * FINE
        radius, colour, kind = rng.uniform(50, 190), palette[rng.integers(6)], rng.integers(3)
        if kind == 0:
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
        elif kind == 1:
            draw.rectangle((x - radius, y - radius / 2, x + radius, y + radius / 2), fill=colour)
        else:
            corners = [(x + radius * np.cos(turn + x), y + radius * np.sin(turn + x)) for turn in (0, 2.1, 4.2)]
            draw.polygon(corners, fill=colour)
    return image.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def _stroke(draw: ImageDraw.ImageDraw, at: Point, along: Point, colour: Colour, width: float) -> None:
    """A straight stroke from `at` - `along` to `at` + `along`, in px."""
    red, green, blue = (int(value) for value in colour.clip(0, 255))
    ends = (at[0] - along[0], at[1] - along[1], at[0] + along[0], at[1] + along[1])
    draw.line(ends, fill=(red, green, blue), width=int(width))


def _vector(turn: float, length: float) -> Point:
    return length * np.cos(turn), length * np.sin(turn)


def _disc(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, tone: int) -> None:
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=tone)
