"""`impasto batch`: each content in each style; what is there is not painted again, what is bad stops nothing."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import signal
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote_to_bytes

import pytest
from impasto_command import LIGHT, left_over, run, shared, start
from PIL import Image, ImageOps
from support.pictures import CONTENT, STYLE
from support.workers import WorkerPool

from bot.terminal.batch import Batch
from bot.terminal.batch_folder import BatchFolder, Pair, key_of, pairs_of
from bot.terminal.paint_arguments import PaintArguments
from engine.contract.settings import read_settings
from engine.painting.pictures import pixels_sha256

OPTIONS = LIGHT[LIGHT.index("style.png") + 1 :]
STYLES = ["--style", "strokes.png", "--style", "dots.png"]
SHORT = [*STYLES, *OPTIONS, "--iterations", "6", "--snapshots", "3", "-o", "out"]
FOUR = ["cat-strokes", "cat-dots", "dog-strokes", "dog-dots"]


@pytest.fixture
def room(tmp_path: Path) -> Path:
    room = tmp_path / "my pictures"
    room.mkdir()
    CONTENT.save(room / "cat.png")
    ImageOps.mirror(CONTENT).save(room / "dog.png")
    STYLE.save(room / "strokes.png")
    ImageOps.flip(STYLE).save(room / "dots.png")
    return room


def table(room: Path) -> dict[str, dict[str, Any]]:
    rows = json.loads((room / "out" / "batch.json").read_text())["paintings"]
    return {row["folder"]: row for row in rows}


def statuses(room: Path) -> dict[str, str]:
    return {folder: row["status"] for folder, row in table(room).items()}


def moments(room: Path) -> dict[str, int]:
    return {path.parent.name: path.stat().st_mtime_ns for path in room.glob("out/*/run.json")}


def test_each_content_is_painted_in_each_style_and_a_bad_file_is_named(room: Path, busy_pool: WorkerPool) -> None:
    (room / "broken.png").write_bytes(b"no picture at all")
    done = run(room, "batch", "cat.png", "broken.png", "gone.png", "dog.png", *SHORT, **shared(busy_pool))
    assert done.returncode == 1, done.stderr
    assert statuses(room) == {
        "cat-strokes": "done", "cat-dots": "done", "broken-strokes": "failed", "broken-dots": "failed",
        "gone-strokes": "failed", "gone-dots": "failed", "dog-strokes": "done", "dog-dots": "done",
    }  # fmt: skip
    assert "broken.png is plain text" in table(room)["broken-dots"]["reason"]
    assert re.search(r"failed +gone × dots +gone.png does not exist", done.stdout)
    assert "4 of 8 painted: out/index.html" in done.stdout
    assert not (room / "out" / ".impasto").exists()
    assert left_over(room) == []
    for folder in FOUR:
        record = json.loads((room / "out" / folder / "run.json").read_text())
        with Image.open(room / "out" / folder / "final.png") as final:
            assert record["final"]["sha256"] == pixels_sha256(final)
        assert len(record["losses"]["rows"]) == 6
    page = (room / "out" / "index.html").read_text()
    links = re.findall(r'href="([^"]+index\.html)"', page)
    assert links == [f"{folder}/index.html" for folder in FOUR]
    assert all((room / "out" / link).exists() for link in links)


@pytest.mark.long
def test_one_worker_paints_all_of_it_as_paint_would_alone(room: Path) -> None:
    done = run(room, "batch", "cat.png", "dog.png", *SHORT)
    assert done.returncode == 0, done.stderr
    assert left_over(room) == []
    workers = {
        part["worker"] for path in room.glob("out/*/run.json") for part in json.loads(path.read_text())["slices"]
    }
    assert len(workers) == 1
    alone = run(room, "paint", "dog.png", "dots.png", *OPTIONS, "--iterations", "6", "-o", "alone")
    assert alone.returncode == 0, alone.stderr
    shas = [
        json.loads((room / place / "run.json").read_text())["final"]["sha256"] for place in ("out/dog-dots", "alone")
    ]
    assert shas[0] == shas[1]


@pytest.mark.long
def test_a_second_run_paints_only_what_is_missing_or_has_changed(room: Path, busy_pool: WorkerPool) -> None:
    by_it = shared(busy_pool)
    assert run(room, "batch", "cat.png", *SHORT, **by_it).returncode == 0
    first = moments(room)
    assert run(room, "batch", "cat.png", "dog.png", *SHORT, **by_it).returncode == 0
    second = moments(room)
    assert {folder: second[folder] for folder in first} == first
    assert sorted(second) == sorted(FOUR)
    ImageOps.invert(CONTENT).save(room / "dog.png")
    assert run(room, "batch", "cat.png", "dog.png", *SHORT, **by_it).returncode == 0
    third = moments(room)
    assert {folder for folder in FOUR if third[folder] != second[folder]} == {"dog-strokes", "dog-dots"}
    assert run(room, "batch", "cat.png", "dog.png", *SHORT, "--seed", "3", **by_it).returncode == 0
    assert all(moments(room)[folder] != third[folder] for folder in FOUR)


@pytest.mark.long
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_batch_that_was_ended_goes_on_in_the_middle_of_a_painting(
    room: Path, busy_pool: WorkerPool, how: signal.Signals
) -> None:
    long = [*STYLES, *OPTIONS, "--iterations", "400", "--snapshots", "200", "-o", "out"]
    # A slice has been saved by then: after a kill Redis may be gone before the worker saves what it is at.
    process = start(room, "batch", "cat.png", *long, "--json", IMPASTO_SLICE_SECONDS="0.1")
    assert process.stdout is not None
    first = ""
    for line in process.stdout:
        event = json.loads(line)
        first = event.get("job", first)
        if event["kind"] == "snapshot":
            break
    process.send_signal(how)
    assert process.wait() == (-signal.SIGKILL if how == signal.SIGKILL else 130)
    process.communicate()
    assert statuses(room) == {"cat-strokes": "begun", "cat-dots": "waiting"}
    refused = run(room, "paint", "cat.png", "dots.png", *OPTIONS, "-o", "out")
    assert "out holds an unfinished batch: go on with the same `impasto batch`" in refused.stderr
    # The Redis and workers of a `.env` that came in between do not know it.
    done = run(room, "batch", "cat.png", *long, **shared(busy_pool))
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    record = json.loads((room / "out" / "cat-strokes" / "run.json").read_text())
    assert first in (record["job"], record["parent"])
    assert len({part["worker"] for part in record["slices"]}) == 2
    assert statuses(room) == {"cat-strokes": "done", "cat-dots": "done"}


def test_what_others_have_there_is_not_written_over(room: Path, busy_pool: WorkerPool) -> None:
    (room / "out").mkdir()
    (room / "out" / "index.html").write_text("my own page")
    refused = run(room, "batch", "cat.png", *SHORT)
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "index.html would be written over, and Impasto did not make it" in refused.stderr
    (room / "out" / "index.html").unlink()
    (room / "out" / "cat-dots").mkdir()
    (room / "out" / "cat-dots" / "final.png").write_text("my own picture")
    assert run(room, "batch", "cat.png", *SHORT, **shared(busy_pool)).returncode == 1
    assert statuses(room) == {"cat-strokes": "done", "cat-dots": "failed"}
    assert (room / "out" / "cat-dots" / "final.png").read_text() == "my own picture"


def test_what_was_begun_by_shared_workers_is_not_begun_anew_by_ones_own(room: Path, busy_pool: WorkerPool) -> None:
    long = [*STYLES[:2], *OPTIONS, "--iterations", "90000", "--snapshots", "10", "-o", "out"]
    process = start(room, "batch", "cat.png", *long, **shared(busy_pool))
    assert process.stdout is not None
    next(line for line in process.stdout if line.startswith("iteration 10:"))
    process.send_signal(signal.SIGINT)
    process.communicate()
    refused = run(room, "batch", "cat.png", *long)
    assert refused.returncode == 1
    assert "cat-strokes was begun by the workers of a REDIS_URL: set that as it was, or delete" in refused.stderr
    assert statuses(room) == {"cat-strokes": "begun"}


def test_a_painting_is_of_its_file_of_weights_and_of_what_that_is_taken_for(room: Path) -> None:
    file = room / "own.safetensors"
    arguments = PaintArguments(Path(), (), "fine", {}, str(file))

    def painted(key: str, input_: Literal["auto", "caffe"] = "auto") -> tuple[bool, str]:
        """Whether what was painted under that key need not be painted again, and the key that it has now."""
        settings = read_settings(impasto_weights_input=input_)
        pair = Pair(room / "cat.png", room / "dots.png", "cat-dots", "done", key)
        return Batch(arguments, BatchFolder(room / "out"), [pair], settings, as_json=True)._painted(pair), pair.key

    (room / "out" / "cat-dots").mkdir(parents=True)
    (room / "out" / "cat-dots" / "run.json").write_text("{}")
    file.write_bytes(b"one")
    again, first = painted("of something else")
    assert not again
    assert painted(first) == (True, first)
    assert painted(first, "caffe")[0] is False
    # As it was written until 0.2.0: of the pictures alone.
    pictures = [hashlib.sha256((room / name).read_bytes()).hexdigest() for name in ("cat.png", "dots.png")]
    pair = dataclasses.replace(arguments, content=room / "cat.png", styles=(room / "dots.png",))
    assert painted(key_of(pair, pictures)) == (True, first)
    file.write_bytes(b"two")
    again, second = painted(first)
    assert not again
    assert second != first


def test_names_that_are_no_text_or_very_long_are_painted_like_any_other(room: Path, busy_pool: WorkerPool) -> None:
    content, style = os.fsdecode(b"caf\xe9.png"), f"{'é' * 100}.png"
    for name, picture in ((content, CONTENT), (f"{'x' * 200}.png", CONTENT), (style, STYLE)):
        with (room / name).open("wb") as file:
            picture.save(file, "PNG")
    options = [*SHORT[len(STYLES) :], "--style", "dots.png", "--style", style]
    done = run(room, "batch", content, f"{'x' * 200}.png", *options, **shared(busy_pool))
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(statuses(room).values()) == {"done"}
    page = (room / "out" / "index.html").read_text()
    links = re.findall(r'href="([^"]+index\.html)"', page)
    assert len(links) == 4
    assert all((room / "out" / os.fsdecode(unquote_to_bytes(link))).exists() for link in links)
    assert '<th scope="row">caf?.png</th>' in page


def test_pairs_with_long_names_have_folders_of_their_own_that_a_disk_takes() -> None:
    contents = [Path(f"{'x' * 240}{end}.png") for end in "abA"] + [Path("é" * 120)]
    folders = [pair.folder for pair in pairs_of(contents, [Path("y" * 250), Path("a-style.png")])]
    assert len({folder.lower() for folder in folders}) == 8
    assert max(len(os.fsencode(folder)) for folder in folders) <= 255
    assert folders == [pair.folder for pair in pairs_of(contents, [Path("y" * 250), Path("a-style.png")])]
    alone = pairs_of(contents[1:2], [Path("a-style.png")])
    assert alone[0].folder in folders  # with others or by itself
    assert pairs_of([Path("cat.png")], [Path("dots.png")])[0].folder == "cat-dots"
