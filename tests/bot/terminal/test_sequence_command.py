"""`impasto paint` with an animation, or a folder of frames, as content: the film is the painting of each."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
from pathlib import Path

import pytest
from impasto_command import LIGHT, Here, make_room, run, shared
from PIL import Image, ImageChops, ImageSequence, ImageStat
from support.jobs import one_thread
from support.pictures import CONTENT, STYLE
from support.workers import WorkerPool

from bot import intake
from engine.painting.painter import Painter
from engine.painting.pictures import pixels_sha256
from engine.recipe.recipe import Recipe

SHORT = [part if part != "content.png" else "clip.gif" for part in LIGHT]
SHORT = [*SHORT, "--iterations", "8", "--set", "scales=2", "--set", "frame_iterations=4"]
TIMES = [80, 200, 120]


def contents() -> list[Image.Image]:
    """A patch that moves over the content, in colours that a GIF keeps."""
    pictures = []
    for number in range(3):
        picture = CONTENT.convert("L").quantize(60).convert("RGB")
        picture.paste((230, 40, 20), (2 + 8 * number, 4, 8 + 8 * number, 12))
        pictures.append(picture)
    return pictures


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = make_room(tmp_path_factory.mktemp("sequence"))
    first, *further = contents()
    first.save(made / "clip.gif", save_all=True, append_images=further, duration=TIMES)
    (made / "frames").mkdir()
    for number, picture in enumerate(contents(), 9):
        picture.save(made / "frames" / f"{number}.png")
    return made


@pytest.fixture(scope="module")
def painted(room: Path, busy_pool: WorkerPool) -> subprocess.CompletedProcess[str]:
    return run(room, *SHORT, "-o", "out", "--json", **shared(busy_pool))


def film(path: Path) -> tuple[int, list[int]]:
    times = []
    with Image.open(path) as movie:
        for frame in ImageSequence.Iterator(movie):
            frame.load()  # a WebP tells no time before
            times.append(round(frame.info["duration"]))
    return len(times), times


def test_the_film_shows_each_painting_as_long_as_its_content_was(
    room: Path, painted: subprocess.CompletedProcess[str]
) -> None:
    assert painted.returncode == 0, painted.stderr
    assert film(room / "out" / "film.webp") == (3, TIMES)
    record = json.loads((room / "out" / "run.json").read_text())
    assert (record["recipe"]["frames"], record["recipe"]["iterations"]) == (3, 16)
    page = (room / "out" / "index.html").read_text()
    assert "3 frames" in page
    assert "Frame by frame" in page
    assert "Each further frame took 4 of them" in page


def test_every_frame_is_there_as_the_library_paints_it(room: Path, painted: subprocess.CompletedProcess[str]) -> None:
    assert painted.returncode == 0, painted.stderr
    fields = json.loads((room / "out" / "run.json").read_text())["recipe"]
    recipe, (first, *further) = Recipe.from_dict(fields), contents()
    with one_thread():
        painter = Painter(recipe, first, [STYLE], frames=further)
        states = (state for state in painter.paint(painter.begin()) if state.iteration in recipe.frame_ends)
        expected = [pixels_sha256(painter.picture(state)) for state in states]
    found = [room / "out" / name for name in ("00008.png", "00012.png", "00016.png")]
    assert [pixels_sha256(Image.open(path)) for path in found] == expected
    assert pixels_sha256(Image.open(room / "out" / "final.png")) == expected[-1]


def test_before_and_after_are_of_one_moment(room: Path, painted: subprocess.CompletedProcess[str]) -> None:
    assert painted.returncode == 0, painted.stderr
    assert run(room, "share", "out").returncode == 0
    with Image.open(room / "out" / "before-and-after.jpg") as image:
        before = image.convert("RGB").crop((0, 0, (image.width - 8) // 2, image.height - 56)).resize(CONTENT.size)
    differences = [ImageStat.Stat(ImageChops.difference(before, one)).mean for one in contents()]
    assert min(differences) == differences[-1]


def test_a_folder_of_frames_at_its_own_pace(room: Path, busy_pool: WorkerPool) -> None:
    order = ["frames" if part == "clip.gif" else part for part in SHORT]
    done = run(room, *order, "-o", "from-folder", "--fps", "20", **shared(busy_pool))
    assert done.returncode == 0, done.stderr
    assert film(room / "from-folder" / "film.webp") == (3, [50] * 3)
    first, last = (Image.open(room / "from-folder" / name) for name in ("00008.png", "00016.png"))
    assert ImageChops.difference(first, last).getbbox() is not None


@pytest.mark.parametrize(("size", "room_for"), [("original", 24), ("48", 24), ("48", 32)])
def test_a_film_of_fewer_pixels_than_were_asked_for_says_so(  # noqa: PLR0917
    room: Path, busy_pool: WorkerPool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    size: str, room_for: int,
) -> None:  # fmt: skip
    monkeypatch.setattr(intake, "FILM", dataclasses.replace(intake.FILM, max_film_pixels=3 * room_for**2))
    order = [size if part == "48" else part for part in SHORT]
    done = Here(room, monkeypatch, capsys).run(*order, "-o", f"of-{size}-{room_for}", **shared(busy_pool))
    assert done.returncode == 0
    said = (
        "clip.gif is painted from pictures of 24 × 24 px, less than --size asks for: all 3 together may have 1,728 "
        "pixels, so give fewer of them, or of a video a lower --fps.\n"
    )
    assert done.stderr == (said if room_for < 32 else "")


@pytest.mark.parametrize("content", ["clip.gif", "frames"])
def test_still_paints_the_first_alone(room: Path, content: str, busy_pool: WorkerPool) -> None:
    order = [content if part == "clip.gif" else part for part in SHORT]
    done = run(room, *order, "-o", f"still-{content}", "--still", **shared(busy_pool))
    assert done.returncode == 0, done.stderr
    record = json.loads((room / f"still-{content}" / "run.json").read_text())
    assert (record["recipe"]["frames"], record["recipe"]["iterations"]) == (1, 8)


@pytest.mark.long
def test_a_dry_run_counts_the_frames(room: Path) -> None:
    done = run(room, *SHORT, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "4 iterations for each of 2 further frames" in done.stdout
    assert re.search(r"^snapshots +8, 12, 16$", done.stdout, re.MULTILINE)
    assert "of painting on" in done.stdout


def test_an_empty_folder_is_refused_in_one_sentence(room: Path) -> None:
    (room / "nothing").mkdir()
    done = run(room, *["nothing" if part == "clip.gif" else part for part in SHORT], "-o", "never")
    assert done.returncode == 1
    assert done.stderr == "nothing holds no pictures: give me a folder of frames, like 001.png, 002.png.\n"
    assert not (room / "never").exists()


@pytest.mark.long
def test_a_film_without_its_film_is_refused_in_one_sentence(room: Path) -> None:
    done = run(room, *SHORT, "-o", "never", "--no-film")
    assert done.returncode == 1
    assert done.stderr == "What is painted of several pictures is a film: leave out --no-film, or give --still.\n"
    assert not (room / "never").exists()
