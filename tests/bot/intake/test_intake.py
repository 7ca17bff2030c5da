"""Intake: every sound picture comes out upright, opaque, in the right colours and of the right size."""

from __future__ import annotations

import io
import struct
from collections.abc import AsyncIterator

import malformed
import numpy as np
import pillow_heif
import pytest
import pytest_asyncio
from judging import near, opened, pixels, plain
from malformed import encoded, scene
from PIL import Image, ImageCms

from bot.intake import Decoder, Limits, take_in

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def decoder() -> AsyncIterator[Decoder]:
    async with Decoder() as one:
        yield one


@pytest.mark.parametrize("kind", malformed.KINDS)
async def test_every_kind_keeps_its_pixels(decoder: Decoder, kind: str) -> None:
    options = {"quality": 95} if kind in ("JPEG", "WEBP", "AVIF", "HEIF") else {}
    picture = await take_in(encoded(scene(), kind, **options), f"scene.{kind.lower()}", decoder=decoder)
    image = opened(picture)
    assert (picture.original_width, picture.original_height) == image.size == (48, 32)
    for at in ((2, 2), (45, 2), (2, 29), (45, 29), (24, 16)):
        colour = scene().getpixel(at)
        assert isinstance(colour, tuple)
        red, green, blue = colour
        assert near(image, at, (red, green, blue), within=14)


async def test_the_name_says_nothing_the_bytes_do(decoder: Decoder) -> None:
    picture = await take_in(encoded(scene(), "BMP"), "scene.jpeg", decoder=decoder)
    assert picture.name == "scene.jpeg"


# Where the scene's upper left pixel goes, for each EXIF orientation.
CORNERS = {1: "NW", 2: "NE", 3: "SE", 4: "SW", 5: "NW", 6: "NE", 7: "SE", 8: "SW"}


@pytest.mark.parametrize(("orientation", "corner"), CORNERS.items())
async def test_exif_turns_the_picture(decoder: Decoder, orientation: int, corner: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    white, black = (255, 255, 255), (0, 0, 0)
    marked = plain("RGB", black)
    marked.paste(white, (0, 0, 24, 8))
    picture = await take_in(encoded(marked, "PNG", exif=exif), decoder=decoder)
    image = opened(picture)
    lying = orientation >= 5
    assert image.size == ((32, 48) if lying else (48, 32))
    assert (picture.original_width, picture.original_height) == image.size
    right, bottom = image.width - 2, image.height - 2
    corners = {"NW": (1, 1), "NE": (right, 1), "SW": (1, bottom), "SE": (right, bottom)}
    assert {name: near(image, at, white) for name, at in corners.items()} == {name: name == corner for name in corners}
    # The mark is 24 by 8: which way it lies tells a turn from a mirror.
    x, y = corners[corner]
    inward = (15 if x == 1 else -15, 15 if y == 1 else -15)
    assert near(image, (x, y + inward[1]) if lying else (x + inward[0], y), white)


@pytest.mark.parametrize("kind", ["JPEG", "TIFF", "WEBP", "AVIF", "HEIF"])
async def test_exif_turns_other_kinds_too(decoder: Decoder, kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image = await pixels(encoded(scene(), kind, exif=exif.tobytes()), decoder)
    assert image.size == (32, 48)
    first, last = image.getpixel((16, 2)), image.getpixel((16, 45))
    assert isinstance(first, tuple) and isinstance(last, tuple)
    assert first[0] < last[0], "red, which grew to the right, grows downwards now"


async def test_broken_exif_is_ignored(decoder: Decoder) -> None:
    assert (await pixels(encoded(scene(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff"), decoder)).size == (48, 32)


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
async def test_cmyk_red_is_red(decoder: Decoder, kind: str) -> None:
    image = await pixels(encoded(plain("CMYK", (0, 255, 255, 0)), kind), decoder)
    assert near(image, (9, 9), (255, 0, 0), within=30)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize(("deep", "shallow"), [(0, 0), (256, 1), (32768, 128), (65535, 255)])
async def test_sixteen_bits_are_scaled_not_clipped(decoder: Decoder, kind: str, deep: int, shallow: int) -> None:
    grey = Image.frombytes("I;16", (48, 32), struct.pack("<H", deep) * 48 * 32)
    assert near(await pixels(encoded(grey, kind), decoder), (9, 9), (shallow,) * 3, within=1)


async def test_big_endian_sixteen_bits(decoder: Decoder) -> None:
    grey = Image.frombytes("I;16B", (48, 32), struct.pack(">H", 32768) * 48 * 32)
    assert near(await pixels(encoded(grey, "TIFF"), decoder), (9, 9), (128,) * 3, within=1)


@pytest.mark.parametrize("mode", ["I", "F"])
async def test_measurements_are_stretched_between_their_extremes(decoder: Decoder, mode: str) -> None:
    field = plain(mode, -1000)
    field.paste(3000, (0, 0, 24, 32))
    field.paste(1000, (0, 0, 24, 16))
    image = await pixels(encoded(field, "TIFF"), decoder)
    for at, grey in {(40, 9): 0, (9, 9): 128, (9, 20): 255}.items():
        assert near(image, at, (grey,) * 3, within=1)
    assert opened(await take_in(encoded(plain(mode, 7), "TIFF"), decoder=decoder)).size == (48, 32)


@pytest.mark.parametrize(
    ("picture", "kind", "options", "colour"),
    [
        (plain("L", 77), "PNG", {}, (77, 77, 77)),
        (plain("1", 1), "PNG", {}, (255, 255, 255)),
        (plain("1", 0), "TIFF", {}, (0, 0, 0)),
        (plain("YCbCr", (128, 128, 128)), "TIFF", {}, (128, 128, 128)),
        (plain("LA", (0, 128)), "PNG", {}, (127, 127, 127)),
        (plain("RGBA", (255, 0, 0, 128)), "PNG", {}, (255, 127, 127)),
        (plain("RGBA", (255, 0, 0, 0)), "PNG", {}, (255, 255, 255)),
        (plain("RGBA", (255, 0, 0, 128)), "WEBP", {"lossless": True}, (255, 127, 127)),
        (plain("RGBA", (255, 0, 0, 128)), "AVIF", {}, (255, 127, 127)),
        (plain("RGBA", (255, 0, 0, 128)), "TIFF", {}, (255, 127, 127)),
        (plain("RGBA", (255, 0, 0, 128)), "HEIF", {}, (255, 127, 127)),
        (plain("L", 77), "HEIF", {}, (77, 77, 77)),
        (plain("L", 77), "PNG", {"transparency": 77}, (255, 255, 255)),
        (plain("RGB", (1, 2, 3)), "PNG", {"transparency": (1, 2, 3)}, (255, 255, 255)),
        (plain("RGB", (10, 200, 30)).quantize(4), "PNG", {}, (10, 200, 30)),
        (plain("RGB", (10, 200, 30)).quantize(4), "PNG", {"transparency": 0}, (255, 255, 255)),
        (plain("RGB", (10, 200, 30)).quantize(4), "PNG", {"transparency": b"\x80"}, (132, 227, 142)),
        (plain("RGB", (10, 200, 30)).quantize(4), "GIF", {"transparency": 0}, (255, 255, 255)),
    ],
    ids=lambda value: value.mode if isinstance(value, Image.Image) else None,
)
async def test_every_mode_becomes_opaque_rgb(
    decoder: Decoder, picture: Image.Image, kind: str, options: dict[str, object], colour: tuple[int, int, int]
) -> None:
    assert near(await pixels(encoded(picture, kind, **options), decoder), (9, 9), colour, within=3)


def shape(mode: str, colour: tuple[int, ...], around: tuple[int, ...]) -> Image.Image:
    """A rectangle in the middle of something else."""
    picture = plain(mode, around)
    picture.paste(colour, (16, 8, 32, 24))
    return picture


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF", "TIFF", "HEIF"])
@pytest.mark.parametrize(
    ("drawn", "around"),
    [((255, 255, 255, 255), (0, 0, 0, 0)), ((0, 0, 0, 255), (255, 255, 255, 0)), ((250, 250, 245, 200), (9, 9, 9, 0))],
)
async def test_whatever_is_drawn_on_transparent_shows(
    decoder: Decoder, kind: str, drawn: tuple[int, ...], around: tuple[int, ...]
) -> None:
    data = encoded(shape("RGBA", drawn, around), kind, **({"lossless": True} if kind == "WEBP" else {}))
    image = await pixels(data, decoder)
    inside, outside = image.convert("L").getpixel((24, 16)), image.convert("L").getpixel((4, 4))
    assert isinstance(inside, int) and isinstance(outside, int)
    assert abs(inside - outside) > 150
    assert outside in (0, 255)


async def test_a_white_page_with_round_corners_stays_on_white(decoder: Decoder) -> None:
    page = plain("RGBA", (255, 255, 255, 255))
    page.paste((0, 0, 0, 0), (0, 0, 3, 3))
    page.paste((40, 40, 40, 255), (10, 10, 30, 12))
    assert near(await pixels(encoded(page, "PNG"), decoder), (1, 1), (255, 255, 255))


MASK = shape("L", (255,), (0,))


@pytest.mark.parametrize(
    "picture",
    [
        MASK, shape("RGBA", (255, 255, 255, 255), (255, 255, 255, 0)),
        shape("RGBA", (255, 255, 255, 255), (0, 0, 0, 0)),
        shape("RGBA", (0, 0, 0, 255), (0, 0, 0, 0)), shape("LA", (255, 255), (255, 0)),
        shape("RGBA", (255, 255, 255, 255), (0, 0, 0, 255)),
    ],
    ids=["opaque", "white on white", "white on black", "black on black", "grey", "all there"],
)  # fmt: skip
async def test_a_mask_on_transparent_is_the_mask(decoder: Decoder, picture: Image.Image) -> None:
    taken = await take_in(encoded(picture, "PNG"), wanted="mask", decoder=decoder)
    assert opened(taken).convert("L").tobytes() == MASK.tobytes()


async def test_a_channel_of_transparency_that_is_empty_is_none(decoder: Decoder) -> None:
    """32 bits a pixel with a mask for alpha, all of which is 0: what some Windows programs write."""
    width, height = 48, 32
    rows = (bytes((220, 60, 200, 0)) * (width // 2) + bytes((30, 60, 200, 0)) * (width // 2)) * height
    header = struct.pack("<IiiHHIIiiII", 108, width, height, 1, 32, 3, len(rows), 2835, 2835, 0, 0)
    header += struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + b"BGRs" + bytes(48)
    data = b"BM" + struct.pack("<IHHI", 14 + len(header) + len(rows), 0, 0, 14 + len(header)) + header + rows
    image = await pixels(data, decoder)
    assert near(image, (9, 9), (200, 60, 220)) and near(image, (40, 9), (200, 60, 30))
    assert near(await pixels(encoded(Image.open(io.BytesIO(data)), "PNG"), decoder), (9, 9), (200, 60, 220))


@pytest.mark.parametrize("brand", [b"heic", b"mif1"])
async def test_a_telephones_picture_of_several_is_the_one_that_it_shows(decoder: Decoder, brand: bytes) -> None:
    """In ten bits, in tiles, with a small copy that shows something else."""
    shown = Image.effect_noise((300, 200), 40).convert("RGB")
    deep = np.asarray(shown).astype("<u2") * 257
    file = pillow_heif.from_bytes("RGB;16", shown.size, deep.tobytes())
    file.add_from_pillow(plain("RGB", (200, 0, 0)))
    out = io.BytesIO()
    file.save(out, quality=95, primary_index=0, tile_size=128, thumbnails=[64])
    data = bytearray(out.getvalue())
    data[8:12] = brand
    image = await pixels(bytes(data), decoder)
    assert image.size == (300, 200)
    assert np.abs(np.asarray(image, dtype=float) - np.asarray(shown)).mean() < 8


async def test_a_gif_is_its_first_frame(decoder: Decoder) -> None:
    frames = [plain("RGB", colour) for colour in ((200, 0, 0), (0, 200, 0), (0, 0, 200))]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert near(await pixels(data, decoder), (9, 9), (200, 0, 0))


def swapped_profile() -> bytes:
    """The profile of a screen whose red lamp is green and whose green lamp is red."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "AVIF", "HEIF"])
async def test_a_colour_profile_counts(decoder: Decoder, kind: str) -> None:
    data = encoded(plain("RGB", (220, 20, 20)), kind, icc_profile=swapped_profile())
    assert near(await pixels(data, decoder), (9, 9), (20, 220, 20), within=12)


@pytest.mark.parametrize("profile", [ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(), b"x"])
async def test_srgb_changes_nothing_and_a_broken_profile_neither(decoder: Decoder, profile: bytes) -> None:
    data = encoded(plain("RGB", (220, 20, 120)), "PNG", icc_profile=profile)
    assert near(await pixels(data, decoder), (9, 9), (220, 20, 120), within=1)


async def test_a_profile_for_other_channels_is_ignored(decoder: Decoder) -> None:
    data = encoded(plain("L", 90), "PNG", icc_profile=swapped_profile())
    assert near(await pixels(data, decoder), (9, 9), (90, 90, 90), within=1)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
async def test_a_large_picture_is_scaled_down(decoder: Decoder, kind: str) -> None:
    large = scene().resize((900, 600))
    picture = await take_in(encoded(large, kind), limits=Limits(max_side=300), decoder=decoder)
    assert (picture.original_width, picture.original_height) == (900, 600)
    image = opened(picture)
    assert image.size == (300, 200)
    small = large.resize((300, 200))
    for at in ((30, 30), (270, 100), (150, 180)):
        red, green, blue = (int(band.getpixel(at)) for band in small.split())  # type: ignore[arg-type]
        assert near(image, at, (red, green, blue))


async def test_no_metadata_comes_through(decoder: Decoder) -> None:
    exif = Image.Exif()
    exif[0x010F] = "secret maker"
    data = encoded(scene(), "JPEG", exif=exif, comment=b"secret words", icc_profile=swapped_profile())
    picture = await take_in(data, decoder=decoder)
    assert b"secret" not in picture.png
    at, found = 8, set()
    while at < len(picture.png):
        length, kind = struct.unpack(">I4s", picture.png[at : at + 8])
        found.add(kind)
        at += 12 + length
    assert found == {b"IHDR", b"IDAT", b"IEND"}


@pytest.mark.parametrize("name", malformed.polyglots())
async def test_a_picture_that_is_something_else_too_is_only_a_picture_afterwards(decoder: Decoder, name: str) -> None:
    picture = await take_in(malformed.polyglots()[name], name, decoder=decoder)
    assert opened(picture).size == (48, 32)
    assert b"secret" not in picture.png
    assert b"PK" not in picture.png
    assert picture.png.endswith(b"IEND\xaeB`\x82")


async def test_metadata_of_any_size_leaves_the_picture_as_it_is(decoder: Decoder) -> None:
    sound = opened(await take_in(encoded(scene(), "JPEG"), decoder=decoder)).convert("RGB").split()
    red, green, blue = (int(band.getpixel((24, 16))) for band in sound)  # type: ignore[arg-type]
    for data in (malformed.jpeg_with_exif(60_000), malformed.jpeg_with_profile(8_000_000)):
        assert near(await pixels(data, decoder), (24, 16), (red, green, blue), within=12)
