"""`impasto paint --recipe-code`: what another painting's line says, painted here."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import av
import pytest
from impasto_command import LIGHT, Here, make_room, run, shared
from PIL import Image
from support.pictures import noise
from support.workers import WorkerPool

SHARED = ("before-and-after.jpg", "short-film.webp", "short-film.mp4")
OTHER = "The style is another picture than the code's, so the painting will not be the same."


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_room(tmp_path_factory.mktemp("code"))


@pytest.fixture(scope="module")
def painted(room: Path, busy_pool: WorkerPool) -> subprocess.CompletedProcess[str]:
    asked = [*LIGHT, "--iterations", "12", "--snapshots", "3,6", "--seed", "5", "-o", "out"]
    return run(room, *asked, **shared(busy_pool))


@pytest.fixture
def here(room: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    return Here(room, monkeypatch, capsys)


@pytest.fixture(scope="module")
def printed(room: Path, painted: subprocess.CompletedProcess[str]) -> str:
    """The recipe code of `painted`."""
    assert painted.returncode == 0, painted.stderr
    return str(record(room, "out")["recipe_code"])


def record(room: Path, name: str) -> dict[str, object]:
    found: dict[str, object] = json.loads((room / name / "run.json").read_text())
    return found


def by_code(code: str, *more: str, style: str = "style.png") -> list[str]:
    return ["paint", "content.png", style, "--recipe-code", code, *more]


@pytest.mark.long
def test_the_line_that_was_printed_paints_the_same_again(
    room: Path, painted: subprocess.CompletedProcess[str], printed: str, busy_pool: WorkerPool
) -> None:
    assert painted.returncode == 0, painted.stderr
    assert painted.stdout.splitlines()[-2:] == [f"Recipe code: {printed}", "Done: out/index.html"]
    again = run(room, *by_code(printed, "--no-film", "-o", "again"), **shared(busy_pool))  # with the code's own weights
    assert (again.returncode, again.stderr) == (0, "")
    assert not (room / "again" / "film.webp").exists()
    first, second = record(room, "out"), record(room, "again")
    for name in ("recipe", "final", "snapshots", "recipe_code"):
        assert second[name] == first[name]


def test_with_another_style_that_is_said(room: Path, printed: str, busy_pool: WorkerPool) -> None:
    noise(7).save(room / "other.png")
    asked = by_code(printed, "-o", "third", style="other.png")
    done = run(room, *asked, **shared(busy_pool))
    assert (done.returncode, done.stderr.strip()) == (0, OTHER)


@pytest.mark.parametrize(
    ("more", "status", "words"),
    [
        (["--size", "64"], 2, "--recipe-code holds all the settings: only"),
        (["--set", "noise=1"], 2, "--recipe-code holds all the settings: only"),
        (["--weights", "starter"], 1, "This recipe code is for the weights random, and these are starter"),
        (["style.png"], 1, "The recipe weighs 1 styles, but 2 were given."),
    ],
)
def test_the_code_decides_alone(here: Here, printed: str, more: list[str], status: int, words: str) -> None:
    refused = here.run(*by_code(printed, *more, "-o", "none"))
    assert (refused.returncode, refused.stdout) == (status, "")
    assert words in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not Path("none", "final.png").exists()


@pytest.mark.long
def test_share_puts_both_in_one_picture_which_the_next_painting_takes_away(
    room: Path, printed: str, busy_pool: WorkerPool
) -> None:
    first = run(room, "share", "out")
    told = [*(f"out/{name}" for name in SHARED), f"Recipe code: {printed}"]
    assert (first.returncode, first.stdout.splitlines()) == (0, told)
    with Image.open(room / "out" / "short-film.webp") as film:
        assert (film.format, film.size, getattr(film, "n_frames", 1) > 20) == ("WEBP", (480, 480), True)
    with av.open(room / "out" / "short-film.mp4") as video:
        shown = list(video.decode(video=0))
        assert (shown[0].width, shown[0].height, len(shown) > 20) == (480, 480, True)
    with Image.open(room / "out" / "before-and-after.jpg") as image:
        assert (image.format, image.size) == ("JPEG", (2 * 480 + 8, 480 + 56))
    assert run(room, "share", "out").returncode == 0
    (room / "out" / "before-and-after.jpg").write_bytes(b"mine")
    refused = run(room, "share", "out")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "would be written over, and Impasto did not make it" in refused.stderr
    (room / "out" / "before-and-after.jpg").unlink()
    run(room, "share", "out")
    assert run(room, *by_code(printed, "-o", "out"), **shared(busy_pool)).returncode == 0
    assert not [name for name in SHARED if (room / "out" / name).exists()]


@pytest.mark.parametrize("folder", [".", "nowhere"])
def test_only_what_is_finished_is_shared(here: Here, room: Path, folder: str) -> None:
    refused = here.run("share", folder)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == f"{folder} holds no finished painting: give the folder of one.\n"
    assert not (room / "nowhere").exists()


@pytest.mark.parametrize("code", ["impasto:1:AAAA:000000", "a line", "impasto:9:AAAA:000000"])
def test_what_is_no_code_is_one_sentence(here: Here, code: str) -> None:
    refused = here.run(*by_code(code, "-o", "none"))
    assert refused.returncode not in (0, os.EX_SOFTWARE)
    assert len(refused.stderr.strip().splitlines()) == 1
    assert "recipe code" in refused.stderr
