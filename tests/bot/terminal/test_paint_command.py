"""`impasto paint`, from two pictures to the folder with everything in it."""

from __future__ import annotations

import io
import json
import re
import subprocess
from pathlib import Path

import pytest
from impasto_command import LIGHT, left_over, make_room, run, run_in_terminal, shared
from PIL import Image, ImageOps, ImageStat
from pydantic import TypeAdapter
from support.jobs import one_thread, uncut_sha256
from support.pictures import CONTENT, STYLE
from support.workers import WorkerPool
from torchvision_files import ours, saved

from bot.terminal.content_files import read_content
from bot.terminal.paint_arguments import PaintArguments
from bot.terminal.paint_job import take_in
from engine.contract.events import Event
from engine.painting.painter import Painter
from engine.painting.pictures import pixels_sha256
from engine.recipe.presets import preset
from engine.recipe.recipe import Recipe
from engine.worker.weights.named_weights import load_weights

SHORT = [*LIGHT, "--iterations", "12", "--snapshots", "3,6", "-o", "out"]
PICTURES = ["00003.png", "00006.png", "00012.png", "content.png", "final.png", "loss.png", "style-1.png"]
FILES = sorted([*PICTURES, ".impasto.sha256", "film.webp", "index.html", "run.json"])


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_room(tmp_path_factory.mktemp("paint"))


@pytest.fixture(scope="module")
def painted(room: Path) -> subprocess.CompletedProcess[str]:
    """One painting, told as JSON."""
    return run(room, *SHORT, "--json")


def test_it_leaves_exactly_what_it_promises(room: Path, painted: subprocess.CompletedProcess[str]) -> None:
    assert painted.returncode == 0, painted.stderr
    out = room / "out"
    assert names(out) == FILES
    for name in PICTURES:
        with Image.open(out / name) as picture:
            assert picture.format == "PNG"
            assert name in ("loss.png", "content.png", "style-1.png") or picture.size == (48, 48)
    with Image.open(out / "film.webp") as film:
        assert (film.format, getattr(film, "is_animated", False)) == ("WEBP", True)
    assert (out / "film.webp").stat().st_size < 8_000_000
    assert "<html" in (out / "index.html").read_text()
    assert left_over(room) == []


def test_the_record_is_enough_to_paint_it_again(room: Path, painted: subprocess.CompletedProcess[str]) -> None:
    record = json.loads((room / "out" / "run.json").read_text())
    recipe = Recipe.from_dict(record["recipe"])
    assert (recipe.iterations, recipe.snapshots, recipe.networks) == (12, (3, 6), 1)
    assert recipe.as_dict() == Recipe.from_dict(json.loads(json.dumps(recipe.as_dict()))).as_dict()
    columns, rows = record["losses"]["columns"], record["losses"]["rows"]
    assert [len(row) for row in rows] == [len(columns)] * 12
    with Image.open(room / "out" / "final.png") as final:
        assert record["final"]["sha256"] == pixels_sha256(final) == uncut_sha256(recipe)
    assert record["weights"]["stand_in"] is True
    assert [snapshot["iteration"] for snapshot in record["snapshots"]] == [3, 6, 12]


def test_every_line_of_json_is_an_event_and_a_picture_is_there_when_it_is_told(
    painted: subprocess.CompletedProcess[str],
) -> None:
    lines = painted.stdout.splitlines()
    events: list[Event] = [TypeAdapter[Event](Event).validate_json(line) for line in lines]
    kinds = [event.kind for event in events if event.kind != "progress"]
    assert kinds == ["started", "snapshot", "snapshot", "snapshot", "done"]
    paths = [json.loads(line)["path"] for line in lines if json.loads(line)["kind"] in ("snapshot", "done")]
    assert paths == ["out/00003.png", "out/00006.png", "out/00012.png", "out/final.png"]


def test_in_a_terminal_a_bar_shows_iteration_and_newest_picture_even_over_a_finished_painting(
    room: Path, painted: subprocess.CompletedProcess[str]
) -> None:
    (room / "out" / "mine.png").write_bytes(b"not ours")
    shown = run_in_terminal(room, *SHORT, "--snapshots", "3", "--seed", "1")
    assert b"12/12" in shown
    assert "━".encode() in shown
    assert b"newest: out/final.png" in shown
    assert names(room / "out") == sorted({*FILES, "mine.png"} - {"00006.png"})  # that was the earlier painting's
    assert left_over(room) == []


@pytest.mark.long
def test_what_fails_leaves_the_earlier_painting_alone(room: Path, painted: subprocess.CompletedProcess[str]) -> None:
    assert painted.returncode == 0
    (room / "page.png").write_text("<!doctype html><html><body>Not found</body></html>")
    before = {path.name: path.read_bytes() for path in (room / "out").iterdir()}
    reply = run(room, *LIGHT[:2], "page.png", *LIGHT[3:], "-o", "out")
    assert reply.returncode == 1
    assert {path.name: path.read_bytes() for path in (room / "out").iterdir()} == before


@pytest.mark.long
def test_a_file_of_weights_is_painted_with_by_the_recipe_of_such_weights(tmp_path: Path) -> None:
    """Weights and device by the settings; five weights and L-BFGS, which the stand-ins' recipes refuse."""
    room = make_room(tmp_path)
    file = saved(ours(2, 2, 4, 4, 4), room / "slim.pth")
    asked = ["paint", "content.png", "style.png", "--size", "32", "--iterations", "6", "-o", "out"]
    fields = ["--set", "optimiser=lbfgs", "--set", "style_layer_weights=5,4,3,2,1"]
    settings = {"IMPASTO_WEIGHTS": "slim.pth", "IMPASTO_DEVICE": "cpu"}
    reply = run(room, *asked, *fields, "--weights-input", "caffe", **settings)
    assert (reply.returncode, reply.stderr) == (0, "")
    weights = load_weights(str(file), tmp_path, input_="caffe")
    record = json.loads((room / "out" / "run.json").read_text())
    assert record["recipe"] == preset(
        "fine",
        weights=weights.name,
        network=weights.network,
        size=32,
        iterations=6,
        optimiser="lbfgs",
        style_layer_weights=(5, 4, 3, 2, 1),
    ).as_dict() | {name: list(value) for name, value in record["recipe"].items() if isinstance(value, list)}
    assert record["recipe"]["style_layer_weights"] == [5, 4, 3, 2, 1]
    assert (record["weights"]["name"], record["weights"]["input"]) == (weights.name, "caffe")
    assert "Caffe's input (BGR, 0 to 255)" in reply.stdout

    dry = run(room, *asked[:-2], *fields, "--weights-input", "caffe", "--dry-run", **settings)
    assert (dry.returncode, dry.stderr) == (0, "")
    assert re.search(rf"^weights +{weights.name}$", dry.stdout, re.MULTILINE)
    assert f"\nnetwork              {weights.network}\n" in dry.stdout


@pytest.mark.long
def test_with_a_redis_of_ones_own_the_worker_there_paints(busy_pool: WorkerPool, tmp_path: Path) -> None:
    room = make_room(tmp_path)
    reply = run(room, *SHORT, **shared(busy_pool))
    assert reply.returncode == 0, reply.stderr
    assert names(room / "out") == FILES
    reply = run(room, *SHORT, "--no-film", **shared(busy_pool))
    assert reply.returncode == 0, reply.stderr
    assert names(room / "out") == sorted({*FILES} - {"film.webp"})
    assert "The film" not in (room / "out" / "index.html").read_text()
    record = json.loads((room / "out" / "run.json").read_text())
    assert (busy_pool.folder / "store" / "jobs" / record["job"] / "final.png").exists()
    lines = reply.stdout.splitlines()
    assert lines[0].startswith("painting 48x48 px on cpu")
    assert "iteration 3: out/00003.png" in lines
    assert lines[-1] == "Done: out/index.html"
    assert "\x1b" not in reply.stdout


@pytest.mark.long
def test_each_style_is_painted_where_its_mask_says(busy_pool: WorkerPool, tmp_path: Path) -> None:
    """Through job, store and worker: the very picture that the loop paints with the same masks."""
    room = make_room(tmp_path)
    left = Image.new("L", (60, 40))
    left.paste(255, (0, 0, 30, 40))
    masks = {"left.png": left, "right.png": ImageOps.invert(left)}
    for name, mask in masks.items():
        mask.save(room / name)
    pair = [*SHORT[:2], "content.png", *SHORT[2:]]  # the content is the second style
    given = [part for name in masks for part in ("--content-mask", name)]
    reply = run(room, *pair, *given, **shared(busy_pool))
    assert reply.returncode == 0, reply.stderr
    record = json.loads((room / "out" / "run.json").read_text())
    with one_thread():
        painter = Painter(
            Recipe.from_dict(record["recipe"]), CONTENT, [CONTENT, STYLE], content_masks=list(masks.values())
        )
        *_, state = painter.paint(painter.begin())
    assert record["final"]["sha256"] == pixels_sha256(painter.picture(state))
    alone = run(room, *pair, *given[:2], **shared(busy_pool))
    assert (alone.returncode, alone.stderr.strip()) == (
        1, "There are 2 styles and 1 masks: give one for each, or none.",
    )  # fmt: skip


@pytest.mark.long
def test_masks_that_are_drawn_on_transparent_part_the_picture(busy_pool: WorkerPool, tmp_path: Path) -> None:
    """As paint programs save a layer: the same painting as by masks in black and white."""
    room = make_room(tmp_path)
    made = []
    for paper, name in (((0, 0, 0, 255), "opaque"), ((255, 255, 255, 0), "layer")):
        given = []
        for part, box in (("left", (0, 0, 30, 40)), ("right", (30, 0, 60, 40))):
            mask = Image.new("RGBA", (60, 40), paper)
            mask.paste((255, 255, 255, 255), box)
            mask.save(room / f"{name}-{part}.png")
            given += ["--content-mask", f"{name}-{part}.png"]
        pair = [*SHORT[:2], "content.png", *SHORT[2:-1], name]
        reply = run(room, *pair, *given, **shared(busy_pool))
        assert reply.returncode == 0, reply.stderr
        made.append(json.loads((room / name / "run.json").read_text())["final"]["sha256"])
    assert made[0] == made[1]


@pytest.mark.long
def test_at_the_contents_size_begun_with_a_picture_of_ones_own(busy_pool: WorkerPool, tmp_path: Path) -> None:
    room = make_room(tmp_path)
    Image.new("RGB", (30, 20), (200, 30, 30)).save(room / "begun.png")
    asked = [*LIGHT, "--iterations", "6", "--snapshots", "every:2", "--size", "original", "--start", "begun.png"]
    reply = run(room, *asked, "--set", "scales=1", "-o", "out", **shared(busy_pool))
    assert reply.returncode == 0, reply.stderr
    record = json.loads((room / "out" / "run.json").read_text())
    assert (record["width"], record["height"]) == CONTENT.size
    assert record["start"]["name"] == "begun.png"
    assert [snapshot["iteration"] for snapshot in record["snapshots"]] == [2, 4, 6]
    with Image.open(room / "out" / "00002.png") as early:
        assert ImageStat.Stat(early).mean[0] > ImageStat.Stat(CONTENT).mean[0] + 20  # still red
    dry = run(room, *asked, "--dry-run")
    assert f"size                 {max(CONTENT.size)}\n" in dry.stdout

    refused = run(room, *asked[:-1], "begin.png", "-o", "new")
    assert "begin.png is neither a file nor one of patches, content, style, noise, statistics." in refused.stderr


async def test_one_file_may_be_style_and_mask_and_start(tmp_path: Path) -> None:
    """It is taken for each by its place: what lies under a transparent picture is white, and under a mask black."""
    CONTENT.save(tmp_path / "content.png")
    shape = Image.new("RGBA", (64, 64))
    shape.paste((200, 40, 30, 255), (16, 16, 48, 48))
    shape.save(tmp_path / "shape.png")
    path = tmp_path / "shape.png"
    arguments = PaintArguments(
        tmp_path / "content.png", [path], "fine", {"start": "picture"}, "random", style_masks=[path], start=path
    )
    blobs = [file.read_bytes() for file in arguments.files]
    content = read_content(arguments.content, still=False)
    _, style, mask, start = await take_in(content, arguments, blobs)
    found = [Image.open(io.BytesIO(picture.png)).convert("RGB").getpixel((2, 2)) for picture in (style, mask, start)]
    assert found == [(255, 255, 255), (0, 0, 0), (255, 255, 255)]
