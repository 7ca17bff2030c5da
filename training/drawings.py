"""Pictures drawn by code, with things in them: shapes filled with textures, shaded, with edges, or laid in strokes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from training.random_fields import smooth
from training.textures import Pixels, palette

_FINER = 2  # masks are drawn so many times larger, then averaged down


def drawing(seed: int, textures: Sequence[Pixels]) -> Pixels:
    """The drawing of this seed, filled with these textures, and of their size."""
    rng = np.random.default_rng(seed)
    side = len(textures[0])
    picture = _fill(rng, textures)
    for _ in range(int(rng.integers(4, 14))):
        mask = _shape(rng, side)
        if rng.random() < 0.4:
            shadow = ImageChops.offset(mask.filter(ImageFilter.GaussianBlur(rng.uniform(1, 5))), *_some(rng, 6))
            picture = Image.composite(Image.new("RGB", (side, side)), picture, shadow.point(lambda level: level // 2))
        picture.paste(_fill(rng, textures), mask=mask)
        if rng.random() < 0.3:
            edge = mask.filter(ImageFilter.FIND_EDGES)
            picture.paste(_colour(rng), mask=edge)
    if rng.random() < 0.4:
        picture = strokes(rng, picture)
    elif rng.random() < 0.3:
        _scribble(rng, picture)
    return np.asarray(picture)


def strokes(rng: np.random.Generator, picture: Image.Image) -> Image.Image:
    """The picture painted again in strokes that follow a field of directions, large ones first."""
    side, angles, turns = picture.width, smooth(rng), rng.uniform(1, 4)
    painted = picture.filter(ImageFilter.GaussianBlur(6))
    draw = ImageDraw.Draw(painted)
    thickest = rng.uniform(4, 9)
    for thickness in (thickest, thickest / 2):
        source = np.asarray(picture.filter(ImageFilter.GaussianBlur(thickness / 2)))
        for x, y in rng.uniform(0, side, (int(1.5 * (side / thickness) ** 2 / 3), 2)):
            points = [(float(x), float(y))]
            for _ in range(5):
                u, v = points[-1]
                angle = turns * np.pi * float(angles(np.array([u], np.float32), np.array([v], np.float32))[0])
                points.append((u + thickness * np.cos(angle) * 0.8, v + thickness * np.sin(angle) * 0.8))
            colour = source[int(y), int(x)] + rng.normal(0, 14)
            draw.line(points, _levels(colour), max(1, round(thickness)), joint="curve")
    return painted


def _fill(rng: np.random.Generator, textures: Sequence[Pixels]) -> Image.Image:
    """A gradient, a texture, or a texture under a gradient."""
    side = len(textures[0])
    start, end = palette(rng, 2)
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[:side, :side] / side - 0.5
    at = np.clip(0.5 + (x * np.cos(angle) + y * np.sin(angle)) * rng.uniform(0.7, 2), 0, 1)[..., None]
    gradient = start * (1 - at) + end * at
    if rng.random() < 0.6:
        share = rng.uniform(0.3, 1)
        gradient = gradient * (1 - share) + textures[int(rng.integers(len(textures)))] * share
    return Image.fromarray(gradient.astype(np.uint8))


def _shape(rng: np.random.Generator, side: int) -> Image.Image:
    """A mask: polygon, disc, blob, bar, ridge of hills, branch or row of windows."""
    fine = side * _FINER
    mask = Image.new("L", (fine, fine))
    draw = ImageDraw.Draw(mask)
    centre, size = rng.uniform(0, fine, 2), rng.uniform(0.06, 0.4) * fine
    match rng.integers(7):
        case 0 | 1:
            count = int(rng.integers(3, 8))
            turn = np.sort(rng.uniform(0, 2 * np.pi, count))
            reach = size * rng.uniform(0.4, 1, count)
            draw.polygon(_points(centre, turn, reach), 255)
        case 2:
            draw.circle(_pair(centre), float(size) / 2, 255)
        case 3:
            turn = np.linspace(0, 2 * np.pi, 60)
            wobble = sum(rng.normal(0, 0.25 / k) * np.sin(k * turn + rng.uniform(0, 6)) for k in range(1, 7))
            draw.polygon(_points(centre, turn, size / 2 * np.clip(1 + wobble, 0.1, 2)), 255)
        case 4:
            ends = [_pair(rng.uniform(0, fine, 2)) for _ in range(int(rng.integers(2, 5)))]
            draw.line(ends, 255, int(rng.integers(3, 30)), joint="curve")
        case 5:
            x = np.linspace(0, fine, 80)
            y = centre[1] + sum(
                rng.normal(0, 60 / k) * np.sin(k * x / fine * 6 + rng.uniform(0, 6)) for k in range(1, 9)
            )
            draw.polygon([*zip(x.tolist(), y.tolist(), strict=True), (fine, fine), (0, fine)], 255)
        case 6:
            step, width = rng.uniform(14, 50), rng.uniform(0.3, 0.8)
            for x in np.arange(centre[0], min(fine, centre[0] + size), step):
                for y in np.arange(centre[1], min(fine, centre[1] + size), step * 1.3):
                    draw.rectangle((float(x), float(y), float(x + step * width), float(y + step * width)), 255)
    return mask.resize((side, side), Image.Resampling.BOX)


def _scribble(rng: np.random.Generator, picture: Image.Image) -> None:
    """Branching lines, like twigs or handwriting."""
    draw, ink = ImageDraw.Draw(picture), _colour(rng)
    for _ in range(int(rng.integers(5, 40))):
        at, angle = rng.uniform(0, picture.width, 2), rng.uniform(0, 2 * np.pi)
        points = [_pair(at)]
        for _ in range(int(rng.integers(4, 20))):
            angle += rng.normal(0, 0.5)
            at = at + 6 * np.array([np.cos(angle), np.sin(angle)])
            points.append(_pair(at))
        draw.line(points, ink, int(rng.integers(1, 4)), joint="curve")


def _points(centre: np.ndarray, turn: np.ndarray, reach: np.ndarray) -> list[tuple[float, float]]:
    return [_pair(p) for p in np.stack([centre[0] + reach * np.cos(turn), centre[1] + reach * np.sin(turn)], -1)]


def _pair(values: Sequence[float] | np.ndarray) -> tuple[float, float]:
    return float(values[0]), float(values[1])


def _some(rng: np.random.Generator, most: int) -> tuple[int, int]:
    return int(rng.integers(-most, most + 1)), int(rng.integers(-most, most + 1))


def _colour(rng: np.random.Generator) -> tuple[int, int, int]:
    return _levels(palette(rng, 1)[0])


def _levels(colour: np.ndarray) -> tuple[int, int, int]:
    r, g, b = (int(level) for level in np.clip(colour, 0, 255))
    return r, g, b
