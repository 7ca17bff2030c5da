"""Draws three more pictures for the gallery: a still life (content), stained glass and woven cloth (styles).

Original to this project and free for any use; made anew from fixed seeds wherever they are needed.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIDE = 320


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
