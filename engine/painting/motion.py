"""The contents of a sequence, one after the other, and where each has moved since it was painted last.

After Ruder, Dosovitskiy, Brox 2016, "Artistic Style Transfer for Videos", section 4.1, with what moved in the place of
optical flow.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from engine.painting import pictures

_STILL = 6.0
"""Levels that a pixel's surroundings may differ by and count as unmoved: the noise of cameras and of few colours."""
_SURROUNDINGS, _MARGIN = 3, 6
"""Px: side of what is averaged against that noise, and how far beyond what moved the painting is renewed."""


class ContentFrames:
    """Contents at one size. Where a frame is as it was when it was painted, its painting may stay.

    A pixel is compared with what it was when it was painted last, so that what changes ever so slowly is not missed.
    Tensors are (1, channels, height, width) on the CPU, pictures in levels.
    """

    def __init__(self, contents: Sequence[Image.Image], longest: int) -> None:
        """Contents are brought to the first one's proportions, their longest side to `longest` px."""
        first, *further = contents
        self.pictures = [first, *(pictures.fit(pictures.cut_to(picture, first.size), longest) for picture in further)]
        """The contents at one size, but the first as it came, for all its scales."""
        self._longest = longest
        self._newest: tuple[int, Tensor, Tensor] | None = None
        """The newest frame asked for: its number, what was painted last at each pixel, and where it is painted anew."""

    def moved(self, frame: int, size: Sequence[int]) -> Tensor:
        """Where the frame, counted from 0, is to be painted anew: 1 there, 0 elsewhere, at (height, width)."""
        return (F.interpolate(self._moved(frame), tuple(size), mode="area") > 0).float()

    def begun(self, painted: Tensor, content: Tensor, frame: int, *, coarse: float) -> Tensor:
        """What the frame begins with: the painting before, and where it has moved the content's coarse shapes in it.

        Strokes that are so fine that they vanish where the picture is `coarse` times smaller stay.
        """
        height, width = painted.shape[2:]
        small = (max(1, round(height / coarse)), max(1, round(width / coarse)))
        shapes = resized(resized(content - painted, small), (height, width))
        return painted + shapes * self._moved(frame)

    def _moved(self, frame: int) -> Tensor:
        if self._newest is None or self._newest[0] > frame:
            first = self._content(0)
            self._newest = (0, first, torch.ones_like(first[:, :1]))
        at, seen, moved = self._newest
        for number in range(at + 1, frame + 1):
            difference = self._content(number) - seen
            moved = _beyond_noise(difference)
            seen = seen + difference * moved
        self._newest = (frame, seen, moved)
        return moved

    def _content(self, frame: int) -> Tensor:
        return pictures.to_tensor(pictures.fit(self.pictures[frame], self._longest))


def resized(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """The picture at (height, width), bicubic, antialiased where it becomes smaller; itself where it has that size."""
    if picture.shape[2:] == size:
        return picture
    return F.interpolate(
        picture, size, mode="bicubic", align_corners=False, antialias=size[0] < picture.shape[2]
    )  # fmt: skip


def _beyond_noise(difference: Tensor) -> Tensor:
    """1 where the difference is more than noise, and around there; 0 elsewhere."""
    around = F.avg_pool2d(difference, _SURROUNDINGS, 1, _SURROUNDINGS // 2, count_include_pad=False)
    moved = (around.abs().amax(1, keepdim=True) > _STILL).float()
    return F.max_pool2d(moved, 2 * _MARGIN + 1, 1, _MARGIN)
