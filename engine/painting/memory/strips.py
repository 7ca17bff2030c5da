"""For pictures that do not fit into memory whole: the trunk looks at one strip of rows after the other.

A strip is taken with as many rows above and below as its features can see, so that they are those of the whole picture,
but for rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from engine.recipe.vgg_layers import NAMES, depth, stride

LEAST_ROWS = 64
"""Rows of a strip, px: narrower ones are nearly all margin."""


@dataclass(frozen=True)
class Strip:
    """The rows from `start` to `end` of a picture, px, and its margins: from `top` to `bottom`."""

    top: int
    start: int
    end: int
    bottom: int

    def of(self, pixels: Tensor) -> Tensor:
        """What the trunk looks at: its rows of (1, 3, height, width), with the margins."""
        return pixels[:, :, self.top : self.bottom]

    def own(self, layer: str) -> slice:
        """The strip's own rows in the layer's features of `of`."""
        first = (self.start - self.top) // stride(layer)
        return slice(first, None if self.end == self.bottom else first + (self.end - self.start) // stride(layer))

    def part(self, whole: Tensor, layer: str, like: Tensor) -> Tensor:
        """The strip's own rows of `whole`, (1, …, h, w) at the layer's size, as many as `like` has."""
        first = self.start // stride(layer)
        return whole[:, :, first : first + like.shape[2]]


def margin(layers: Sequence[str]) -> int:
    """Rows beyond its own that a strip needs on each side for a look at `layers`, px."""
    names = NAMES[: depth(layers)]
    step = stride(names[-1]) if names else 1
    return -(-sum(stride(name) for name in names) // step) * step


def cut(height: int, rows: int | None, layers: Sequence[str]) -> list[Strip]:
    """Strips of about `rows` px, top to bottom, for a look at `layers`; one where `rows` is None."""
    step = max((stride(layer) for layer in layers), default=1)
    rows = height if rows is None else max(step, rows // step * step)
    starts = [0, *range(rows, height - step + 1, rows)]  # the last takes what would not make a position by itself
    reach = margin(layers)
    return [
        Strip(max(0, start - reach), start, end, min(end + reach, height))
        for start, end in zip(starts, [*starts[1:], height], strict=True)
    ]
