"""What shows through where a picture is transparent."""

from __future__ import annotations

from typing import cast

from PIL import Image

WHITE, BLACK = (255, 255, 255), (0, 0, 0)


class Paper:
    """What lies under a picture where it is transparent, the same under every picture of an animation.

    White, unless hardly anything would show on that. Under a mask black, for what was not painted is not meant.
    """

    def __init__(self, *, mask: bool) -> None:
        self._mask = mask
        self._colour = BLACK if mask else None

    def under(self, layer: Image.Image) -> Image.Image:
        """The RGBA picture, opaque."""
        alpha = layer.getchannel("A")
        if alpha.getextrema() == (0, 0) and not is_flat(layer.convert("RGB")):
            return layer.convert("RGB")  # some programs leave that channel empty where they mean none
        if self._colour is None and alpha.getextrema() != (0, 0):
            self._colour = BLACK if is_white_on_clear(layer) else WHITE
        paper = Image.new("RGB", layer.size, self._colour or WHITE)
        paper.paste(layer, mask=layer)
        if self._mask and is_flat(paper):
            return alpha.convert("RGB")  # a shape that is drawn in black
        return paper


def opacity(image: Image.Image) -> Image.Image:
    """How opaque the picture is, in grey; white where it has no transparency, or that channel was left empty."""
    if image.has_transparency_data:
        alpha = (image if image.mode == "RGBA" else image.convert("RGBA")).getchannel("A")
        if alpha.getextrema() != (0, 0):
            return alpha
    return Image.new("L", image.size, 255)


def is_flat(image: Image.Image) -> bool:
    """Whether the RGB picture is of one colour, give or take what nobody sees."""
    most = 8
    return all(high - low <= most for low, high in cast("tuple[tuple[int, int], ...]", image.getextrema()))


def is_white_on_clear(layer: Image.Image) -> bool:
    """Whether the RGBA picture is for the most part white, and what is around that is transparent."""
    small = layer.resize((128, 128), Image.Resampling.NEAREST)
    pixels = cast("list[tuple[int, int, int, int]]", list(small.getdata()))
    visible = sum(alpha for *_, alpha in pixels)
    white = sum(alpha for *colour, alpha in pixels if min(colour) > 225)
    clear = sum(alpha < 128 for *_, alpha in pixels)
    return clear > 0.05 * len(pixels) and white > 0.75 * visible
