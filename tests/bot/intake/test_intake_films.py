"""Animations and folders of frames: every picture of them, each with its time, as one animated PNG."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import AsyncIterator
from pathlib import Path

import malformed
import pytest
import pytest_asyncio
from judging import near, one_sentence, plain, refused
from malformed import encoded, scene
from PIL import Image, ImageSequence

from bot.intake import FILM, USUAL, BadPicture, Decoder, Picture, frame_files, take_in, take_in_frames
from engine.recipe.recipe import MAX_FRAMES

pytestmark = pytest.mark.asyncio(loop_scope="module")
COLOURS = ((200, 0, 0), (0, 200, 0), (0, 0, 200))
FRAMES = [plain("RGB", colour) for colour in COLOURS]


def animation(kind: str, **options: object) -> bytes:
    quality = {"quality": 95} if kind in ("WEBP", "AVIF") else {}
    return encoded(FRAMES[0], kind, save_all=True, append_images=FRAMES[1:], **quality, **options)


def shown(picture: Picture) -> tuple[list[Image.Image], list[int]]:
    """The film's pictures and times, after checking what holds for every film."""
    with Image.open(io.BytesIO(picture.png), formats=["PNG"]) as film:
        assert getattr(film, "n_frames", 1) == picture.frames
        found = [(frame.convert("RGB"), round(frame.info["duration"])) for frame in ImageSequence.Iterator(film)]
    assert {frame.size for frame, _ in found} == {(picture.width, picture.height)}
    return [frame for frame, _ in found], [time for _, time in found]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def decoder() -> AsyncIterator[Decoder]:
    async with Decoder() as one:
        yield one


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF"])
async def test_every_picture_of_an_animation_and_its_time(decoder: Decoder, kind: str) -> None:
    picture = await take_in(animation(kind, duration=[40, 500, 130]), "clip", FILM, decoder=decoder)
    frames, times = shown(picture)
    assert times == [40, 500, 130]
    assert [near(frame, (9, 9), colour, within=14) for frame, colour in zip(frames, COLOURS, strict=True)] == [True] * 3


async def test_without_being_asked_for_it_is_its_first_picture(decoder: Decoder) -> None:
    picture = await take_in(animation("GIF"), "clip.gif", decoder=decoder)
    assert picture.frames == 1
    assert near(Image.open(io.BytesIO(picture.png)), (9, 9), COLOURS[0])


async def test_what_is_shown_too_shortly_is_shown_as_browsers_do(decoder: Decoder) -> None:
    picture = await take_in(animation("GIF", duration=[0, 10, 20]), "clip.gif", FILM, decoder=decoder)
    assert shown(picture)[1] == [100, 100, 20]


async def test_like_pictures_that_follow_each_other_are_one(decoder: Decoder) -> None:
    twice = [FRAMES[0], FRAMES[0].copy(), FRAMES[1]]
    data = encoded(twice[0], "WEBP", save_all=True, append_images=twice[1:], lossless=True, duration=[50, 60, 70])
    frames, times = shown(await take_in(data, "clip.webp", FILM, decoder=decoder))
    assert (len(frames), times) == (2, [110, 70])


async def test_a_film_of_like_pictures_is_a_picture(decoder: Decoder) -> None:
    still = [FRAMES[0], FRAMES[0].copy()]
    data = encoded(still[0], "WEBP", save_all=True, append_images=still[1:], lossless=True)
    assert (await take_in(data, "clip.webp", FILM, decoder=decoder)).frames == 1


async def test_the_pages_of_a_tiff_do_not_move(decoder: Decoder) -> None:
    assert (await take_in(animation("TIFF"), "pages.tiff", FILM, decoder=decoder)).frames == 1


async def test_a_still_picture_is_the_same_with_and_without(decoder: Decoder) -> None:
    data = encoded(scene(), "PNG")
    film, still = [await take_in(data, "still.png", limits, decoder=decoder) for limits in (FILM, USUAL)]
    assert film.png == still.png


async def test_one_that_is_too_long_is_refused(decoder: Decoder) -> None:
    two = dataclasses.replace(FILM, max_frames=2)
    said = await refused(animation("GIF"), "clip.gif", two, decoder=decoder)
    assert said.startswith("clip.gif has 3 pictures")


async def test_its_pictures_share_the_pixels(decoder: Decoder) -> None:
    small = dataclasses.replace(FILM, max_film_pixels=3 * 24 * 16)
    picture = await take_in(animation("GIF"), "clip.gif", small, decoder=decoder)
    assert ((picture.width, picture.height), picture.frames) == ((24, 16), 3)
    assert (picture.original_width, picture.original_height) == (48, 32)


async def test_a_folder_may_have_as_many_pixels_as_an_animation(tmp_path: Path) -> None:
    small = dataclasses.replace(FILM, max_film_pixels=3 * 24 * 16)
    for number, frame in enumerate(FRAMES):
        frame.save(tmp_path / f"{number}.png")
    picture = await take_in_frames(frame_files(tmp_path), "clip", 80, small)
    assert (picture.width, picture.height) == (24, 16)


async def test_what_a_png_shows_to_programs_that_know_no_animations_is_no_part_of_it(decoder: Decoder) -> None:
    data = encoded(plain("RGB", (9, 9, 9)), "PNG", save_all=True, append_images=FRAMES, default_image=True, duration=70)
    frames, times = shown(await take_in(data, "clip.png", FILM, decoder=decoder))
    assert (times, near(frames[0], (9, 9), COLOURS[0])) == ([70] * 3, True)


async def test_broken_animations_end_well_too() -> None:
    told = await malformed.report((pair for pair in malformed.mangled(150, seed=3) if "moving" in pair[0]), FILM)
    ends = told["ends"]
    assert isinstance(ends, dict) and len(ends) > 3
    for said in ends.keys() - {"taken"}:
        one_sentence(f"It {said}")


async def test_a_film_of_very_many_pictures_is_not_opened(decoder: Decoder) -> None:
    assert "a film may have 200" in await refused(malformed.endless_gif(10_000), "long.gif", FILM, decoder=decoder)


async def test_a_folder_of_frames_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for name, frame in zip(("f2.png", "f10.jpg", "f1.png"), FRAMES, strict=True):
        frame.save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("none of it")
    files = frame_files(tmp_path)
    assert [file.name for file in files] == ["f1.png", "f2.png", "f10.jpg"]
    picture = await take_in_frames(files, tmp_path.name, 80)
    frames, times = shown(picture)
    assert (picture.name, times) == (tmp_path.name, [80] * 3)
    order = (COLOURS[2], COLOURS[0], COLOURS[1])
    assert [near(frame, (9, 9), colour, within=14) for frame, colour in zip(frames, order, strict=True)] == [True] * 3


async def test_frames_of_another_shape_are_cut_to_the_first(tmp_path: Path) -> None:
    FRAMES[0].save(tmp_path / "1.png")
    plain("RGB", COLOURS[1], (32, 48)).save(tmp_path / "2.png")
    assert {frame.size for frame in shown(await take_in_frames(frame_files(tmp_path), "clip", 80))[0]} == {(48, 32)}


async def test_a_damaged_frame_is_named(tmp_path: Path) -> None:
    FRAMES[0].save(tmp_path / "1.png")
    (tmp_path / "2.png").write_bytes(encoded(scene(), "PNG")[:60])
    with pytest.raises(BadPicture) as bad:
        await take_in_frames(frame_files(tmp_path), "clip", 80)
    assert one_sentence(str(bad.value)).startswith("2.png is damaged")


async def test_a_folder_without_pictures_or_with_too_many(tmp_path: Path) -> None:
    with pytest.raises(BadPicture, match="holds no pictures"):
        frame_files(tmp_path)
    for number in range(MAX_FRAMES + 1):
        (tmp_path / f"{number}.png").touch()
    with pytest.raises(BadPicture, match=f"holds {MAX_FRAMES + 1} pictures"):
        frame_files(tmp_path)
    assert [file.name for file in frame_files(tmp_path, still=True)] == ["0.png"]


async def test_files_in_an_order_of_their_own_whatever_they_are_called(tmp_path: Path) -> None:
    for name in ("01.jfif", "1.jfif", "²1.png", "x2.png"):
        (tmp_path / name).touch()
    order = [file.name for file in frame_files(tmp_path)]
    assert order[2:] == ["01.jfif", "1.jfif"]
    assert sorted(order[:2]) == ["x2.png", "²1.png"]


async def test_the_paper_under_a_film_does_not_change(decoder: Decoder) -> None:
    clear, white, red = (plain("RGBA", colour) for colour in ((0, 0, 0, 0), (255,) * 4, (200, 0, 0, 255)))
    first, second = clear.copy(), clear.copy()
    first.paste(white.crop((0, 0, 24, 16)), (12, 8))
    second.paste(red.crop((0, 0, 24, 16)), (12, 8))
    data = encoded(clear, "PNG", save_all=True, append_images=[first, second], duration=100)
    frames, _ = shown(await take_in(data, "clip.png", FILM, decoder=decoder))
    assert [near(frame, (2, 2), (0, 0, 0)) for frame in frames[1:]] == [True, True]
    assert near(frames[1], (24, 16), (255, 255, 255)) and near(frames[2], (24, 16), (200, 0, 0))
