"""What studies measure: how time grows with the pixels, how much paintings that should be alike differ."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from PIL import Image


def time_exponent(pixels: Sequence[float], seconds: Sequence[float]) -> float:
    """The power of the pixels that time grows with: the slope of a line through their logarithms (least squares)."""
    slope, _ = np.polyfit(np.log(pixels), np.log(np.maximum(seconds, 1e-3)), 1)
    return float(slope)


def flicker(pictures: Sequence[Image.Image]) -> float:
    """The mean difference of two of them, in levels of 0 to 255, over all pixels and pairs."""
    levels = [np.asarray(picture.convert("RGB"), dtype=np.float32) for picture in pictures]
    return float(np.mean([np.abs(one - other).mean() for one, other in combinations(levels, 2)]))
