"""Smaller files: whatever the limit, what comes fits, opens, and is clearly smaller than what was refused before."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from bot.delivery.size_fallback import OutgoingFile, film_fallback, picture_fallback

KINDS = {"png": "PNG", "webp": "WEBP", "jpg": "JPEG"}
Fallback = Callable[[bytes, str, int], AsyncIterator[OutgoingFile]]
FRAMES, HOLD = 13, 2000


def grain(side: int, seed: int = 0, height: int | None = None) -> Image.Image:
    levels = np.random.default_rng(seed).integers(0, 256, (height or side, side, 3), dtype=np.uint8)
    return Image.fromarray(levels)


def smooth(side: int) -> Image.Image:
    return Image.linear_gradient("L").resize((side, side)).convert("RGB")


def png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def film(side: int = 128) -> bytes:
    first, *rest = (grain(side, seed) for seed in range(FRAMES))
    out, times = io.BytesIO(), [100] * (FRAMES - 1) + [HOLD]
    first.save(out, "WEBP", save_all=True, append_images=rest, duration=times, loop=0, quality=90)
    return out.getvalue()


async def all_of(fallback: AsyncIterator[OutgoingFile]) -> list[OutgoingFile]:
    return [file async for file in fallback]


def opened(file: OutgoingFile) -> Image.Image:
    """The picture, after checking that it is what its name says."""
    image = Image.open(io.BytesIO(file.data))
    assert image.format == KINDS[file.name.rpartition(".")[2]]
    image.load()
    return image


def each_is_clearly_smaller(files: list[OutgoingFile]) -> bool:
    sizes = [len(file.data) for file in files]
    return all(after <= 0.9 * before for before, after in pairwise(sizes))


async def test_what_fits_stays_as_it_is() -> None:
    data = png(grain(512))
    assert await anext(picture_fallback(data, "harbour", len(data))) == OutgoingFile("harbour.png", data, "")


async def test_a_smooth_picture_loses_nothing() -> None:
    picture = smooth(1024)
    data = png(picture)
    file = await anext(picture_fallback(data, "harbour", len(data) - 1))
    assert (file.name, file.note) == ("harbour.webp", "as lossless WebP")
    assert opened(file).convert("RGB").tobytes() == picture.tobytes()


@pytest.mark.parametrize("size", [(2048, 512), (512, 512), (1024, 300)])
async def test_all_the_way_down(size: tuple[int, int]) -> None:
    data = png(grain(size[0], height=size[1]))
    files = await all_of(picture_fallback(data, "harbour", len(data)))
    assert each_is_clearly_smaller(files)
    images = [opened(file) for file in files]
    assert {image.mode for image in images} == {"RGB"}
    shapes = [image.size for image in images]
    assert shapes == sorted(shapes, reverse=True)
    for file, shape in zip(files, shapes, strict=True):
        assert ("of its size" in file.note) == (shape != size)
        assert abs(shape[0] / shape[1] - size[0] / size[1]) < 0.05
    assert shapes[0] == shapes[1] == size
    assert 256 <= max(shapes[-1]) < 256 * 2**0.5
    kinds = [file.name for file in files]
    assert kinds[:2] == ["harbour.png", "harbour.webp"] and kinds[-1] == "harbour.jpg"


@pytest.mark.long
async def test_the_first_is_the_best_that_fits() -> None:
    data = png(grain(640))
    every = await all_of(picture_fallback(data, "harbour", len(data)))
    for share in (0.99, 0.5, 0.3, 0.2, 0.1, 0.05):
        limit = int(share * len(data))
        file = await anext(picture_fallback(data, "harbour", limit))
        assert limit >= len(file.data) >= max(len(other.data) for other in every if len(other.data) <= limit)


async def test_real_colours_survive_the_whole_way() -> None:
    picture = Image.new("RGB", (900, 600), (200, 40, 90))
    picture.paste(grain(300), (0, 0))
    for file in await all_of(picture_fallback(png(picture), "harbour", 10**6)):
        image = opened(file)
        found = image.getpixel((image.width - 3, image.height - 3))
        assert isinstance(found, tuple)
        assert all(abs(a - b) <= 6 for a, b in zip(found, (200, 40, 90), strict=True)), file.note


async def test_where_nothing_fits_there_is_nothing() -> None:
    data = png(grain(512))
    assert await all_of(picture_fallback(data, "harbour", 5000)) == []
    assert await all_of(picture_fallback(png(grain(64)), "harbour", 200)) == []


async def test_the_loop_goes_on_while_a_picture_is_encoded() -> None:
    step = asyncio.ensure_future(anext(picture_fallback(png(grain(1024)), "harbour", 500_000)))
    turns = 0
    while not step.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 100  # had it run on the loop, there would have been one or two
    assert opened(step.result()).format == "JPEG"


async def test_a_film_that_fits_stays_as_it_is() -> None:
    data = film()
    assert await anext(film_fallback(data, "film", len(data))) == OutgoingFile("film.webp", data, "")


async def test_a_film_gets_smaller_and_keeps_its_end() -> None:
    data = film()
    files = await all_of(film_fallback(data, "film", len(data)))
    assert len(files) == 5 and each_is_clearly_smaller(files)
    lengths = []
    for file in files:
        image = opened(file)
        times = durations(image)
        assert times[-1] == HOLD and sum(times) == (FRAMES - 1) * 100 + HOLD
        lengths.append((len(times), image.width))
    assert lengths == [(13, 128), (13, 128), (13, 91), (7, 64), (5, 45)]
    assert [file.note for file in files][1:3] == ["film at a lower quality", "film at 71% of its size"]


def durations(image: Image.Image) -> list[int]:
    found = []
    for number in range(getattr(image, "n_frames", 1)):
        image.seek(number)
        image.load()
        found.append(image.info["duration"])
    return found


async def test_a_film_that_cannot_fit_is_left_out() -> None:
    assert await all_of(film_fallback(film(), "film", 1000)) == []


@pytest.mark.parametrize("fallback", [picture_fallback, film_fallback])
@pytest.mark.parametrize("data", [b"", b"no picture" * 9, png(grain(64))[:3000], film(64)[:3000]], ids=len)
async def test_what_is_no_picture_and_too_large_has_no_smaller_copy(fallback: Fallback, data: bytes) -> None:
    assert await all_of(fallback(data, "x", len(data) - 1)) == []
