"""Intake: whatever is no picture that can be taken is one sentence, and costs little."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import malformed
import pytest
import pytest_asyncio
from judging import one_sentence, opened, pixels, refused
from malformed import encoded, scene
from PIL import Image

import bot
from bot.decoder import formats
from bot.decoder.refusal import ACCEPTED
from bot.intake import BadPicture, Decoder, Decoders, Limits, read_picture_file, take_in

pytestmark = pytest.mark.asyncio(loop_scope="module")
ROOT = Path(bot.__file__).parents[1]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def decoder() -> AsyncIterator[Decoder]:
    async with Decoder() as one:
        yield one


async def test_an_empty_file_and_a_heavy_one_start_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asyncio, "create_subprocess_exec", None)
    assert await refused(b"", "a.png") == "a.png is empty: send a picture that holds something."
    heavy = await refused(bytes(3 * 2**20), "a.png", Limits(max_bytes=2**20))
    assert heavy == "a.png is 3.0 MB, and 1 MB is the most I take: send a smaller copy."


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"<!DOCTYPE html><html></html>", "web page"),
        (b"\xef\xbb\xbf\n <HTML><img>", "web page"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "is an SVG drawing: save it as JPEG or PNG"),
        (b'<?xml version="1.0"?>\n<!-- x --><svg/>', "is an SVG drawing: save it as JPEG or PNG"),
        (b"%PDF-1.7\n\x80", "is a PDF document: save it as JPEG or PNG"),
        (b"Dear bot, paint this. \xc3\xa9", "plain text"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", ACCEPTED),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", ACCEPTED),
        (b"\0\0\0\x18ftypisom\0\0\2\0isommp42", "is a video"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "is a video"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "raw"),
        (b"\x1a\x45\xdf\xa3\x01\0", "is a video"),
        (b"RIFF\0\0\0\0AVI LIST", "video"),
        (b"PK\x03\x04\0\0", "ZIP"),
        (b"8BPS\0\1", "Photoshop"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"x", "plain text"),
        (b"\0", ACCEPTED),
        (bytes(range(128, 256)) * 9, ACCEPTED),
        (b"P6 48 32 255\n" + bytes(48 * 32 * 3), ACCEPTED),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 48 32\n", ACCEPTED),
    ],
)
async def test_what_is_no_picture_is_called_by_its_name(decoder: Decoder, data: bytes, expected: str) -> None:
    assert expected in await refused(data, "holiday.png", decoder=decoder)


async def test_an_avif_may_name_a_heic_brand_first(decoder: Decoder) -> None:
    data = bytearray(encoded(scene(), "AVIF"))
    data[8:12] = b"mif1"
    assert (await pixels(bytes(data), decoder)).size == (48, 32)


@pytest.mark.parametrize(
    ("name", "spoken"),
    [
        ("a\nb\r\n\tc.png", "a b c.png"),
        ("\x1b[31mred\x00.png", "[31mred.png"),
        ("evil\u202egnp.exe", "evilgnp.exe"),
        (" \n ", "The picture"),
        ("x" * 300 + ".png", "x" * 36 + "…" + "x" * 8 + ".png"),
    ],
)
async def test_a_name_is_made_fit_to_print(decoder: Decoder, name: str, spoken: str) -> None:
    assert (await refused(b"", name, decoder=decoder)).startswith(f"{spoken} is empty: ")
    assert (await take_in(encoded(scene(), "PNG"), name, decoder=decoder)).name == spoken


@pytest.mark.parametrize("name", malformed.bombs())
async def test_a_bomb_is_one_sentence(decoder: Decoder, name: str) -> None:
    await refused(malformed.bombs()[name], decoder=decoder)


async def test_sizes_and_shapes_are_told_in_numbers(decoder: Decoder) -> None:
    bombs = malformed.bombs()
    assert "8 × 8 pixels" in await refused(bombs["PNG of 8 a side"], decoder=decoder)
    assert "1 × 4000 pixels" in await refused(bombs["PNG of 1 by 4000"], decoder=decoder)
    assert "at most 8 times" in await refused(bombs["PNG of 20 by 4000"], decoder=decoder)
    for claim in ("PNG that claims 60000 a side", "WebP that claims 16384 a side"):
        assert "120 million pixels" in await refused(bombs[claim], decoder=decoder)


@pytest.mark.parametrize("kind", malformed.KINDS)
async def test_a_picture_cut_in_half_is_refused(decoder: Decoder, kind: str) -> None:
    data = encoded(Image.effect_noise((128, 128), 90).convert("RGB"), kind)
    await refused(data[: len(data) // 2], decoder=decoder)


@pytest.mark.long
async def test_bombs_cost_no_more_than_pictures() -> None:
    # In a process of its own: this one's peak would count as its children's, who start as its copies.
    command = [sys.executable, malformed.__file__, "0"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    child = await asyncio.create_subprocess_exec(*command, env=environment, stdout=subprocess.PIPE)
    report = json.loads((await child.communicate())[0])
    assert child.returncode == 0
    assert sum(report["ends"].values()) == len(malformed.bombs()) + len(malformed.heavy())
    assert report["ends"]["taken"] >= 4
    assert report["peak_bytes"] < 512 * 2**20 < Limits().memory


async def test_mangled_files(caplog: pytest.LogCaptureFixture) -> None:
    async with Decoders(2) as decoders:

        async def ends_well(data: bytes) -> bool:
            async with decoders.take() as one:
                try:
                    return bool(opened(await take_in(data, decoder=one)))
                except BadPicture as bad:
                    return not one_sentence(str(bad))

        taken = await asyncio.gather(*(ends_well(data) for _, data in malformed.mangled(150, seed=1)))
    assert 0 < sum(taken) < 150
    assert not [line for line in caplog.records if line.levelno >= logging.WARNING]


async def test_what_is_said_to_be_accepted_is_what_is_opened() -> None:
    assert sorted([*formats.FORMATS, "HEIC"]) == sorted(re.split(", | OR ", ACCEPTED.upper()))


async def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "scene.png"
    path.write_bytes(encoded(scene(), "PNG"))
    assert read_picture_file(path) == path.read_bytes()


def unreadable(path: Path) -> str:
    with pytest.raises(BadPicture) as bad:
        read_picture_file(path, Limits(max_bytes=100))
    return one_sentence(str(bad.value))


async def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "large.png").write_bytes(bytes(101))
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    assert unreadable(tmp_path / "none.png").startswith("none.png does not exist: ")
    assert unreadable(tmp_path).startswith(f"{tmp_path.name} is a folder: ")
    assert "not an ordinary file" in unreadable(tmp_path / "pipe.png")
    assert "the most I take" in unreadable(tmp_path / "large.png")
    assert "cannot be read" in unreadable(tmp_path / "loop.png")
    assert "cannot be read" in unreadable(tmp_path / ("x" * 300))
    assert "cannot be read" in unreadable(tmp_path / "nul\0.png")


async def test_a_file_that_grows_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "growing.png"
    path.write_bytes(bytes(101))
    earlier = os.stat_result((0o100644, 0, 0, 1, 0, 0, 50, 0, 0, 0))
    monkeypatch.setattr(Path, "stat", lambda self, **options: earlier)
    assert "the most I take" in unreadable(path)
