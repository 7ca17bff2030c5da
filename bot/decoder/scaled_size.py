"""Which sizes are taken, and how large a picture comes out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bot.decoder.refusal import Refusal

if TYPE_CHECKING:
    from bot.decoder.picture_limits import Limits


def check_shape(size: tuple[int, int], limits: Limits) -> None:
    """Refuse what is too small or too thin to paint; `size` is in pixels, from the header."""
    width, height = size
    if min(size) < limits.min_side:
        raise Refusal(
            f"is {width} × {height} pixels, and each side needs at least {limits.min_side}: send a larger picture."
        )
    if max(size) > limits.max_ratio * min(size):
        raise Refusal(
            f"is {width} × {height} pixels, which is too long and thin: "
            f"send one whose longer side is at most {limits.max_ratio:g} times its shorter side."
        )


def allowed(size: tuple[int, int], limits: Limits, count: int) -> tuple[int, int]:
    """The size of each of `count` pictures in the result."""
    side = math.isqrt(int(limits.max_film_pixels / count * max(size) / min(size)))
    return fitted(size, min(limits.max_side, side))


def fitted(size: tuple[int, int], max_side: int) -> tuple[int, int]:
    """`size` scaled down, if it must be, so that the longer side is `max_side`."""
    scale = min(1.0, max_side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
