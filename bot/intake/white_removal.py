"""Less white of a picture that was taken in: its margin cut away, its white toned down, or a mask without it."""

from __future__ import annotations

import io
from collections.abc import Callable

from PIL import Image, ImageChops, ImageFilter, ImageStat

_WHITE, _COLOUR = 235, 175
"""The darkest of a pixel's three colours, from which on it is wholly white, and below which it is not at all."""
_LEAST = 0.005
"""Share of white pixels below which a picture has none to speak of."""
_MARGIN = 225
"""From which level (0-255) of its darkest colour on a pixel is margin: photographed paper is not quite white."""


def has_white(png: bytes) -> bool:
    """Whether the PNG has white to take away."""
    return ImageStat.Stat(_whiteness(_open(png))).mean[0] >= _LEAST * 255


def all_white(png: bytes) -> bool:
    """Whether nothing is left of the PNG without its white, as of blank paper, photographed or not."""
    return _inside_margin(_open(png)) is None


def trimmed(png: bytes) -> bytes:
    """The PNG without its white margin; unchanged where it has none, or is nothing else."""
    picture = _open(png)
    box = _inside_margin(picture)
    if box is None or box == (0, 0, *picture.size) or min(box[2] - box[0], box[3] - box[1]) < 16:
        return png
    return _png(picture.crop(box))


def toned(png: bytes, share: float) -> bytes:
    """White brought by this share to the mean colour of the rest."""
    picture = _open(png)
    white = _whiteness(picture)
    rest = ImageChops.invert(white)
    # Of what is least white, for a faint drawing has nothing that is not white at all.
    least = 0.8 * ImageStat.Stat(rest).extrema[0][1]
    drawn = rest.point(lambda level: 255 * (level >= least))
    mean = tuple(round(level) for level in ImageStat.Stat(picture, mask=drawn).mean)
    ground = Image.new("RGB", picture.size, mean)
    # Multiplied, so that what is drawn on the white stays visible on the new ground.
    tinted = Image.composite(ImageChops.multiply(picture, ground), picture, white)
    return _png(Image.blend(picture, tinted, share))


def mask(png: bytes) -> bytes:
    """White where the picture is not."""
    return _png(ImageChops.invert(_whiteness(_open(png))).convert("RGB"))


def _inside_margin(picture: Image.Image) -> tuple[int, int, int, int] | None:
    """The box around all that is drawn; None where there is nothing."""
    return _darkest(picture).point(lambda level: 255 * (level < _MARGIN)).filter(ImageFilter.MedianFilter(3)).getbbox()


def _whiteness(picture: Image.Image) -> Image.Image:
    ramp: Callable[[int], float] = lambda level: 255 * min(1.0, max(0.0, (level - _COLOUR) / (_WHITE - _COLOUR)))  # noqa: E731
    return _darkest(picture).point([round(ramp(level)) for level in range(256)])


def _darkest(picture: Image.Image) -> Image.Image:
    red, green, blue = picture.split()
    return ImageChops.darker(ImageChops.darker(red, green), blue)


def _open(png: bytes) -> Image.Image:
    with Image.open(io.BytesIO(png), formats=["PNG"]) as file:
        return file.convert("RGB")


def _png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()
