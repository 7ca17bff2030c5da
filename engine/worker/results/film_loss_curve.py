"""The strip under a film's pictures: the loss curve as far as it is painted, with iteration and loss in small print."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from engine.contract.drawn_texts import drawn, drawn_number
from engine.worker.results.lettering import fitted_font, font
from engine.worker.results.loss_milestones import extremes
from engine.worker.results.loss_plot import INK, PAPER, QUIET, RULE, drawable

_TIP = "#d2451e"
_NARROWEST = 240
"""Px that a strip is wide at least, for its print; a narrower picture stands in its middle."""
_HEAD, _FOOT, _MARGIN = 26, 18, 12
"""Px above, below and beside the curve."""
_FINER = 3
"""Times that the curve is drawn larger, since Pillow draws lines with steps."""


class LossStrip:
    """Draws itself for each moment of the film, always on the same axes, both of them logarithmic."""

    def __init__(self, totals: Sequence[float | None], iterations: Sequence[int]) -> None:
        """`totals` has the loss of each iteration from the first on; `iterations` are those of the film's frames."""
        self._losses = drawable(np.array([math.nan if loss is None else loss for loss in totals], dtype=np.float64))
        self._iterations = iterations

    def under(self, picture: Image.Image, place: float) -> Image.Image:
        """The picture with the strip; `place` counts the film's frames from 0, with fractions between two of them."""
        width, height = max(picture.width, _NARROWEST), picture.height
        whole = Image.new("RGB", (width, height + strip_height(width)), PAPER)
        whole.paste(picture, ((width - picture.width) // 2, 0))
        whole.paste(self._drawn(self._iteration(place), width), (0, height))
        return whole

    def _iteration(self, place: float) -> int:
        """The iteration at a place in the film: between two frames evenly along the axis."""
        before, share = int(place), place % 1
        first, then = (self._iterations[min(i, len(self._iterations) - 1)] for i in (before, before + 1))
        wanted: int = round(first * math.exp(share * math.log(then / first)))
        return min(max(1, wanted), len(self._losses))

    def _drawn(self, iteration: int, width: int) -> Image.Image:
        x, y, order = self._curve(width)
        painted = np.stack([x, y], axis=1)[order < iteration]
        strip = self._empty(width).copy()
        draw = ImageDraw.Draw(strip)
        if len(painted) > 1:
            draw.line([(float(a), float(b)) for a, b in painted], INK, width=2 * _FINER, joint="curve")
        if len(painted):
            (a, b), radius = painted[-1], 3.5 * _FINER
            draw.ellipse((a - radius, b - radius, a + radius, b + radius), _TIP)
        strip = strip.resize((width, strip_height(width)), Image.Resampling.BOX)
        self._print(ImageDraw.Draw(strip), iteration, width)
        return strip

    def _print(self, draw: ImageDraw.ImageDraw, iteration: int, width: int) -> None:
        room = (width - 3 * _MARGIN) / 2
        loss = self._losses[iteration - 1]
        left = drawn("iteration {iteration}", iteration=drawn_number(iteration, ","))
        right = "" if math.isnan(loss) else drawn("loss {loss}", loss=loss_in_digits(loss))
        for words, x, anchor in ((left, _MARGIN, "ls"), (right, width - _MARGIN, "rs")):
            draw.text((x, _HEAD - 8), words, INK, font=fitted_font(words, 15, room), anchor=anchor)
        for decade in self._decades():
            place = self._across(np.array([decade]), width)[0]
            words = drawn_number(decade, ",")
            half = font(11).getlength(words) / 2
            if place - half > _MARGIN and place + half < width - _MARGIN:
                at = (place, strip_height(width) - 5)
                draw.text(at, words, QUIET, font=font(11), anchor="ms")

    @functools.lru_cache(4)  # noqa: B019 - it lives no longer than its film is made
    def _empty(self, width: int) -> Image.Image:
        """The strip without its curve, as large as the curve is drawn."""
        height = strip_height(width)
        empty = Image.new("RGB", (width * _FINER, height * _FINER), PAPER)
        draw = ImageDraw.Draw(empty)
        for decade in self._decades():
            x = round(float(self._across(np.array([decade]), width)[0]) * _FINER)
            draw.line((x, _HEAD * _FINER, x, (height - _FOOT) * _FINER), RULE, width=_FINER)
        return empty

    @functools.lru_cache(4)  # noqa: B019 - as above
    def _curve(self, width: int) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
        """The curve's points (x, y), each column's ends and extremes, and after how many iterations each is there."""
        known = np.flatnonzero(np.isfinite(self._losses))
        if not len(known):
            return np.zeros(0), np.zeros(0), known
        x, y = self._across(known + 1, width), np.log10(self._losses[known])
        kept = extremes(np.rint(x * _FINER).astype(np.int64), y)
        top, bottom = _HEAD, strip_height(width) - _FOOT
        span = max(float(y.max() - y.min()), 1e-9)
        down = top + 3 + (y.max() - y) / span * (bottom - top - 6)
        return x[kept] * _FINER, down[kept] * _FINER, known[kept]

    def _decades(self) -> list[int]:
        return [10**power for power in range(1, 6) if 10**power <= len(self._losses)]

    def _across(self, iterations: NDArray[np.int64], width: int) -> NDArray[np.float64]:
        return _MARGIN + np.log(iterations) / max(math.log(len(self._losses)), 1e-9) * (width - 2 * _MARGIN)


def strip_height(width: int) -> int:
    """Px, of a strip so wide."""
    return round(min(130, max(84, 0.2 * width)))


def loss_in_digits(loss: float) -> str:
    """Three of them: `0.0123`, `45.6`, `1,230,000`, `1.23e+09`."""
    rounded = float(f"{loss:.3g}")
    return drawn_number(rounded, ",.0f" if 100 <= rounded < 1e9 else ".3g")
