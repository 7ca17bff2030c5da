"""`impasto paint --format` and `--keep-transparency`: what lies beside final.png, and what it says of itself."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from impasto_command import LIGHT, make_room, run, shared
from PIL import Image, ImageDraw
from sixteen_bit_pictures import read_tiff
from support.pictures import CONTENT
from support.workers import WorkerPool

from engine.painting.pictures import pixels_sha256

SHORT = [*LIGHT, "--iterations", "4", "--snapshots", "2"]


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    room = make_room(tmp_path_factory.mktemp("formats"))
    disc = Image.new("L", (96, 72))
    ImageDraw.Draw(disc).ellipse((20, 8, 76, 64), fill=255)
    logo = CONTENT.resize((96, 72)).convert("RGBA")
    logo.putalpha(disc)
    logo.save(room / "logo.png")
    return room


def opened(path: Path) -> Image.Image:
    with Image.open(path) as file:
        file.load()
        return file


@pytest.mark.long
def test_a_jpeg_lies_beside_the_png_and_says_how_it_was_made(room: Path, busy_pool: WorkerPool) -> None:
    done = run(room, *SHORT, "--format", "jpeg", "--seed", "5", "-o", "jpeg", **shared(busy_pool))
    assert done.returncode == 0, done.stderr
    jpeg, png = opened(room / "jpeg" / "final.jpg"), opened(room / "jpeg" / "final.png")
    record = json.loads((room / "jpeg" / "run.json").read_text())
    assert (jpeg.format, jpeg.size) == ("JPEG", png.size)
    assert pixels_sha256(png) == record["final"]["sha256"]
    assert np.abs(np.asarray(jpeg, float) - np.asarray(png, float)).mean() < 6
    for picture in (jpeg, png):
        assert b"&quot;seed&quot;: 5," in picture.info["xmp"] or b'"seed": 5,' in picture.info["xmp"]
        assert record["weights"]["identity"].encode() in picture.info["xmp"]
    # Painted again as PNG, the JPEG of the painting before is not left over; a changed one stays.
    assert run(room, *SHORT, "-o", "jpeg", **shared(busy_pool)).returncode == 0
    assert not (room / "jpeg" / "final.jpg").exists()


@pytest.mark.long
def test_what_lies_there_is_in_the_way_of_its_own_format_alone(room: Path, busy_pool: WorkerPool) -> None:
    (room / "mine").mkdir()
    (room / "mine" / "final.jpg").write_bytes(b"my own copy")
    refused = run(room, *SHORT, "--format", "jpeg", "-o", "mine")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "final.jpg would be written over, and Impasto did not make it" in refused.stderr
    assert run(room, *SHORT, "--format", "webp", "-o", "mine", **shared(busy_pool)).returncode == 0
    assert (room / "mine" / "final.jpg").read_bytes() == b"my own copy"
    assert opened(room / "mine" / "final.webp").format == "WEBP"


@pytest.mark.long
def test_what_is_transparent_in_the_content_is_so_in_the_result(room: Path, busy_pool: WorkerPool) -> None:
    keeping = [word.replace("content.png", "logo.png") for word in SHORT] + ["--keep-transparency"]
    done = run(room, *keeping, "--format", "tiff16", "-o", "logo", **shared(busy_pool))
    assert done.returncode == 0, done.stderr
    final = opened(room / "logo" / "final.png")
    alpha = np.asarray(opened(room / "logo.png").getchannel("A").resize(final.size, Image.Resampling.LANCZOS))
    assert final.mode == "RGBA"
    assert np.abs(np.asarray(final.getchannel("A"), int) - alpha).max() <= 1
    deep = read_tiff((room / "logo" / "final-16.tif").read_bytes())
    assert np.array_equal(np.round(deep[:, :, :3] / 257), np.asarray(final.convert("RGB")))
    assert len(np.unique(deep[:, :, :3] % 257)) > 100
    record = json.loads((room / "logo" / "run.json").read_text())
    assert pixels_sha256(final) == record["final"]["sha256"]
    refused = run(room, *keeping, "--format", "jpeg", "-o", "flat")
    assert refused.stderr == "A JPEG holds no transparency: give --format png or webp.\n"


@pytest.mark.long
def test_a_draft_keeps_it_for_when_it_is_finished(room: Path, busy_pool: WorkerPool) -> None:
    draft = ["paint", "logo.png", "style.png", "--draft", "--keep-transparency", "--iterations", "4", "--size", "64"]
    light = ["--weights", "random", "--set", "networks=1"]
    drafted = run(room, *draft, *light, "-o", "draft", **shared(busy_pool))
    assert drafted.returncode == 0, drafted.stderr
    finished = run(room, "paint", "--finish", "draft", "--format", "webp", **shared(busy_pool))
    assert finished.returncode == 0, finished.stderr
    for place in ("draft/final.png", "draft/finished/final.png", "draft/finished/final.webp"):
        alpha = np.asarray(opened(room / place).getchannel("A"))
        assert (alpha[0].max(), alpha[len(alpha) // 2].max()) == (0, 255)


def test_an_opaque_content_leaves_an_opaque_picture(room: Path, busy_pool: WorkerPool) -> None:
    done = run(room, *SHORT, "--keep-transparency", "-o", "opaque", **shared(busy_pool))
    assert done.returncode == 0, done.stderr
    assert opened(room / "opaque" / "final.png").mode == "RGB"
