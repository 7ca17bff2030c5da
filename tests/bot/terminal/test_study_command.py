"""`impasto study`: from two pictures to a sheet, through the command as a person starts it."""

from __future__ import annotations

import json
import math
import signal
from pathlib import Path
from typing import Any

import pytest
from impasto_command import LAYERS, Here, left_over, make_room, run, shared, start
from PIL import Image
from support.pictures import CONTENT, STYLE
from support.workers import WorkerPool

from engine.painting.painter import Painter
from engine.painting.pictures import pixels_sha256
from engine.recipe.recipe import Recipe

LIGHT = ["--weights", "random", "--size", "48", "--set", "networks=1"]
LIGHT += [part for layer in LAYERS for part in ("--set", layer)]
RESULTS = {"sheet.png", "losses.png", "film.webp", "study.json", "index.html", "content.png", "style-1.png"}


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = make_room(tmp_path_factory.mktemp("study"))
    for name in ("red", "white"):
        Image.new("RGB", (48, 48), name).save(made / f"{name}.png")
    return made


@pytest.fixture
def here(room: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    return Here(room, monkeypatch, capsys)


def study(
    room: Path, pool: WorkerPool, vary: str, *more: str, styles: tuple[str, ...] = ("style.png",)
) -> dict[str, Any]:
    """The record of a study that ended well."""
    done = run(room, "study", "content.png", *styles, "--vary", vary, *LIGHT, *more, "-o", vary, **shared(pool))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert left_over(room) == []
    record: dict[str, Any] = json.loads((room / vary / "study.json").read_text())
    there = {path.name for path in (room / vary).iterdir()} - {".impasto.sha256"}
    tiles = {f"study-{tile['file']}" for tile in record["tiles"]}
    assert there == RESULTS | tiles | ({"time.png"} if vary == "size" else set()) | {
        f"style-{number}.png" for number in range(1, len(styles) + 1)
    }
    page = (room / vary / "index.html").read_text()
    assert all(tile["label"] in page for tile in record["tiles"])
    return record


def alone(painting: dict[str, Any]) -> str:
    """What it would be if it were painted by itself, from the pictures as they are."""
    painter = Painter(Recipe.from_dict(painting["recipe"]), CONTENT, [STYLE])
    state = painter.begin()
    for _ in painter.paint(state):
        pass
    return pixels_sha256(painter.picture(state))


@pytest.mark.long
def test_a_study_stopped_by_ctrl_c_goes_on_to_the_same_pictures(room: Path) -> None:
    command = ["study", "content.png", "style.png", "--vary", "strength", *LIGHT, "--iterations", "200", "-o", "s"]
    process = start(room, *command)
    assert process.stdout is not None
    next(line for line in process.stdout if line.startswith("iteration 400:"))
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == 130, err
    assert out.splitlines()[-1].endswith("go on with: impasto paint --resume s")
    assert {path.name for path in (room / "s").glob("study-*")} >= {"study-01-style-x-0.01.png"}
    assert not (room / "s" / "study.json").exists()

    resumed = run(room, "study", "--resume", "s", "--device", "cpu")
    assert resumed.returncode == 0, resumed.stderr
    assert left_over(room) == []
    record = json.loads((room / "s" / "study.json").read_text())
    labels = [f"style × {factor}" for factor in ("0.01", "0.1", "1", "10", "100")]
    assert [tile["label"] for tile in record["tiles"]] == labels
    assert [p["final"]["sha256"] for p in record["paintings"]] == [alone(p) for p in record["paintings"]]
    assert len({p["final"]["sha256"] for p in record["paintings"]}) == 5
    betas = [p["recipe"]["beta"] for p in record["paintings"]]
    assert [b / betas[2] for b in betas] == pytest.approx([0.01, 0.1, 1, 10, 100])
    for tile in record["tiles"]:
        with Image.open(room / "s" / f"study-{tile['file']}") as picture:
            assert picture.size == (tile["width"], tile["height"]) == (48, 48)
    assert not (room / "s" / ".impasto").exists()


@pytest.mark.long
def test_sizes_tell_how_time_grows(room: Path, busy_pool: WorkerPool) -> None:
    record = study(room, busy_pool, "size", "--size", "128", "--iterations", "10")
    assert [tile["label"] for tile in record["tiles"]] == ["32 px", "45 px", "64 px", "91 px", "128 px"]
    assert math.isfinite(record["measured"]["exponent"])
    assert f"to the power of {record['measured']['exponent']:.2f}" in (room / "size" / "index.html").read_text()


@pytest.mark.long
def test_iterations_are_a_strip_of_one_painting(room: Path, busy_pool: WorkerPool) -> None:
    record = study(room, busy_pool, "iterations", "--iterations", "30", "--snapshots", "1,10")
    assert [tile["iteration"] for tile in record["tiles"]] == [1, 10, 30]
    (painting,) = record["paintings"]
    assert painting["final"]["sha256"] == alone(painting)


@pytest.mark.long
def test_flicker_is_measured_and_the_same_seed_has_none_on_a_processor(room: Path, busy_pool: WorkerPool) -> None:
    record = study(room, busy_pool, "flicker", "--iterations", "10")
    assert record["measured"]["same_seed"] == 0
    assert record["measured"]["other_seeds"] > 0.1
    with Image.open(room / "flicker" / "film.webp") as film:
        assert film.width > 2 * 48
        assert getattr(film, "n_frames", 1) > 1


@pytest.mark.long
def test_both_ways_round_and_one_content_in_several_styles(room: Path, busy_pool: WorkerPool) -> None:
    ways = study(room, busy_pool, "swap", "--iterations", "5", "--recipe", "talk")
    assert {p["recipe"]["name"] for p in ways["paintings"]} == {"classic"}
    assert [p["content"]["name"] for p in ways["paintings"]] == ["content.png", "style.png"]
    (room / "other.png").write_bytes((room / "content.png").read_bytes())
    many = study(room, busy_pool, "style", "--iterations", "5", styles=("style.png", "other.png"))
    assert [tile["label"] for tile in many["tiles"]] == ["style", "other"]
    assert many["paintings"][0]["final"]["sha256"] == alone(many["paintings"][0])
    assert [[style["name"] for style in p["styles"]] for p in many["paintings"]] == [["style.png"], ["other.png"]]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["content.png", "style.png", "-o", "x"], "What is to be varied?"),
        (["content.png", "style.png", "--vary", "hue", "-o", "x"], "'hue' is not one of"),
        (["content.png", "--vary", "swap", "-o", "x"], "Two pictures are needed"),
        (["content.png", "style.png", "--vary", "style", "-o", "x"], "A study of styles needs two of them"),
        (
            ["content.png", "style.png", "red.png", "--vary", "style", "--style-weights", "2,1", "-o", "x"],
            "A study of style sets the field style_weights by itself: leave out --style-weights.",
        ),
        (
            ["content.png", "style.png", "--vary", "strength", "--snapshots", "10", "-o", "x"],
            "A study of strength sets the field snapshots by itself: leave out --snapshots.",
        ),
        (
            ["content.png", "style.png", "--vary", "start", "--start", "red.png", "-o", "x"],
            "A study of start sets the field start by itself: leave out --start.",
        ),
        (
            ["content.png", "style.png", "--vary", "depth", "--set", "content_layers=relu3_1", "-o", "x"],
            "by itself: leave out --set content_layers=relu3_1.",
        ),
        (
            ["content.png", "style.png", "--vary", "iterations", "--recipe=classic", "--snapshots=every:5", "-o", "x"],
            "These are 1,000 pictures, and 100 are the most in one sheet: ask for fewer.",
        ),
        (["content.png", "style.png", "--vary", "size", "--size", "32", "-o", "x"], "needs two paintings to compare"),
        (
            ["content.png", "style.png", "--vary", "swap", "--content-mask", "white.png", "-o", "x"],
            "A study of swap has no use for these masks: leave out --content-mask.",
        ),
        (
            ["content.png", "style.png", "--vary", "swap", "--style-mask", "white.png", "-o", "x"],
            "A study of swap has no use for these masks: leave out --style-mask.",
        ),
        (
            ["content.png", "style.png", "--vary", "white", "--style-mask", "white.png", "-o", "x"],
            "A study of white has no use for these masks: leave out --style-mask.",
        ),
        (["content.png", "style.png", "--vary", "flicker", "--noise", "0", "-o", "x"], "give a --noise above 0, or"),
        (["content.png", "style.png", "--vary", "flicker", "--set", "noise=0", "-o", "x"], "give a --noise above 0"),
        (["content.png", "red.png", "--vary", "white", *LIGHT, "-o", "x"], "There is no white in the style"),
        (["content.png", "white.png", "--vary", "white", *LIGHT, "-o", "x"], "The style is white all over, and"),
    ],
)
def test_what_cannot_be_studied_is_one_sentence_and_leaves_nothing(
    here: Here, room: Path, busy_pool: WorkerPool, arguments: list[str], sentence: str
) -> None:
    refused = here.run("study", *arguments, **shared(busy_pool))
    assert refused.returncode != 0
    assert sentence in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (room / "x").exists()


@pytest.mark.parametrize("option", ["--style-weights", "--snapshots"])
def test_a_gallery_has_no_options_that_it_would_pass_over(here: Here, option: str) -> None:
    refused = here.run("gallery", "content.png", "style.png", "red.png", option, "2,1", "-o", "x")
    assert refused.returncode == 2
    assert "No such option" in refused.stderr
    assert option not in here.run("gallery", "--help").stdout
