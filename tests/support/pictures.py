"""Pictures that need no file."""

from __future__ import annotations

import numpy as np
from PIL import Image


def noise(seed: int, side: int = 32) -> Image.Image:
    levels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    return Image.fromarray(levels)


CONTENT, STYLE = noise(1), noise(2)
