"""The finished picture in each format: its pixels, its colour profile, and how it was made, read back by Pillow."""

from __future__ import annotations

import io
import json
from typing import Any, get_args
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageCms
from sixteen_bit_pictures import read_png, read_tiff

from engine.contract.models import Format
from engine.recipe.recipe import Recipe
from engine.worker.results.metadata import NAMESPACE
from engine.worker.results.picture_files import FinalPicture

RUN: dict[str, Any] = {
    "impasto": "1.2.3", "recipe": Recipe(seed=7).as_dict(), "content": {"name": "my <secret> holiday.png"},
    "weights": {"name": "starter", "identity": "sha256:0123456789abcdef", "note": 'so "called" & <made>'},
}  # fmt: skip
WIDTH, HEIGHT = 41, 23
Levels = npt.NDArray[np.float32]


def levels() -> Levels:
    """Between the 8-bit levels nearly everywhere, and a little beyond them, as a painting has it."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    channels = [columns * 255 / (WIDTH - 1), rows * 250 / HEIGHT + 0.3, (rows + columns) * 4.1 - 3]
    return np.stack(channels, axis=2).astype(np.float32)


def final(*, alpha: bool = False) -> FinalPicture:
    rounded = levels().round().clip(0, 255).astype(np.uint8)
    shape = Image.linear_gradient("L").resize((WIDTH, HEIGHT)) if alpha else None
    return FinalPicture(Image.fromarray(rounded), levels(), shape)


@pytest.mark.parametrize("kind", get_args(Format))
def test_every_format_tells_its_colours_and_how_it_was_made(kind: Format) -> None:
    blob = final().encode(kind, RUN)
    assert b"secret" not in blob
    with Image.open(io.BytesIO(blob)) as picture:
        assert picture.size == (WIDTH, HEIGHT)
        profile = ImageCms.ImageCmsProfile(io.BytesIO(picture.info["icc_profile"]))
        assert "sRGB" in ImageCms.getProfileDescription(profile)
        (about,) = ElementTree.fromstring(picture.info["xmp"])[0]  # noqa: S314 - it is our own
    made = json.loads(about.attrib[f"{{{NAMESPACE}}}made"])
    assert made == {name: RUN[name] for name in ("impasto", "recipe", "weights")} | {
        "recipe": json.loads(json.dumps(RUN["recipe"]))
    }
    assert Recipe.from_dict(made["recipe"]) == Recipe(seed=7)


@pytest.mark.parametrize("kind", get_args(Format))
def test_the_same_painting_is_the_same_file(kind: Format) -> None:
    assert final(alpha=kind != "jpeg").encode(kind, RUN) == final(alpha=kind != "jpeg").encode(kind, RUN)


@pytest.mark.parametrize("kind", ["png", "png16", "tiff16"])
@pytest.mark.parametrize("alpha", [False, True])
def test_another_program_reads_the_pixels(kind: Format, alpha: bool) -> None:
    painting = final(alpha=alpha)
    with Image.open(io.BytesIO(painting.encode(kind, RUN))) as picture:
        assert picture.mode == ("RGBA" if alpha else "RGB")
        read = np.asarray(picture, np.int16)
    # Of 16 bits Pillow keeps the upper 8, without rounding.
    assert np.abs(read[:, :, :3] - np.asarray(painting.picture, np.int16)).max() <= (kind != "png")
    if alpha:
        assert np.array_equal(read[:, :, 3], np.asarray(painting.alpha))


@pytest.mark.parametrize("alpha", [False, True])
def test_sixteen_bits_keep_what_eight_would_round_away(alpha: bool) -> None:
    expected = (levels().clip(0, 255) * 257).round().astype(np.uint16)
    for kind, read in (("png16", read_png), ("tiff16", read_tiff)):
        samples = read(final(alpha=alpha).encode(kind, RUN))  # type: ignore[arg-type]
        assert np.array_equal(samples[:, :, :3], expected)
    assert len(np.unique(expected % 257)) > 30


def test_a_webp_keeps_its_transparency() -> None:
    painting = final(alpha=True)
    with Image.open(io.BytesIO(painting.encode("webp", RUN))) as picture:
        assert np.array_equal(np.asarray(picture.getchannel("A")), np.asarray(painting.alpha))
