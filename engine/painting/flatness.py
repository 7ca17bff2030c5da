"""How far the colours of a picture lie apart, by which a painting that has become grey goo is told."""

from __future__ import annotations

import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from engine.painting import pictures

GOO = 0.25
"""Share of its flattest picture's spread below which a painting is grey goo: near one colour, as no picture is."""
_SIDE = 64


def spread(levels: Tensor) -> float:
    """The deviation of (1, 3, height, width) levels from their mean colour, over areas of a 64th of the sides: grain
    alone is no picture."""
    height, width = (min(_SIDE, side) for side in levels.shape[2:])
    areas = F.adaptive_avg_pool2d(levels, (height, width))
    return float(areas.var((2, 3), unbiased=False).mean().sqrt())


def spread_of(picture: Image.Image) -> float:
    """The `spread` of a picture, 8-bit levels."""
    return spread(pictures.to_tensor(pictures.fit(picture, 2 * _SIDE)))
