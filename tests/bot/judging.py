"""What holds for every picture that intake hands over, and for every sentence it says instead."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image

from bot.intake import BadPicture, Decoder, Limits, Picture, take_in


def opened(picture: Picture) -> Image.Image:
    """The result as pixels, after checking what holds for every result."""
    image = Image.open(io.BytesIO(picture.png), formats=["PNG"])
    image.load()
    assert (image.mode, image.size) == ("RGB", (picture.width, picture.height))
    assert image.info == {}
    return image


async def pixels(data: bytes, decoder: Decoder) -> Image.Image:
    """What becomes of `data`."""
    return opened(await take_in(data, decoder=decoder))


async def refused(
    data: bytes, name: str = "The picture", limits: Limits | None = None, decoder: Decoder | None = None
) -> str:
    """The sentence said about `data`, which must be refused."""
    with pytest.raises(BadPicture) as bad:
        await take_in(data, name, limits or Limits(), decoder=decoder)
    return one_sentence(str(bad.value))


def one_sentence(text: str) -> str:
    """`text`, after checking that it is one plain sentence."""
    assert text.isprintable() and text.endswith(".") and len(text) < 250
    assert not re.search(r"Traceback|Error|Exception|\. [A-Z]|[<>]", text)
    return text


def near(image: Image.Image, at: tuple[int, int], colour: tuple[int, int, int], within: int = 6) -> bool:
    """Whether each channel there is `within` so much of the colour."""
    found = image.getpixel(at)
    assert isinstance(found, tuple)
    return all(abs(a - b) <= within for a, b in zip(found, colour, strict=True))


def plain(mode: str, colour: float | tuple[int, ...], size: tuple[int, int] = (48, 32)) -> Image.Image:
    """A picture of one colour."""
    return Image.new(mode, size, colour)
