"""`impasto batch`: each content in each style; what is there is not painted again, what is bad stops nothing."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal
from urllib.parse import unquote_to_bytes

import pytest
from arq.connections import ArqRedis
from impasto_command import LIGHT, left_over, run, shared, start
from PIL import Image, ImageOps
from support.jobs import a_job
from support.pictures import CONTENT, STYLE
from support.workers import WorkerPool

from bot.terminal.batch import Batch
from bot.terminal.batch_folder import BatchFolder, Pair, key_of, pairs_of
from bot.terminal.output_folder import FolderError, OutputFolder
from bot.terminal.paint_arguments import PaintArguments
from engine.contract.events import Failed
from engine.contract.jobs import Jobs
from engine.contract.settings import Settings, read_settings
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


@pytest.mark.long
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


def test_a_picture_that_is_to_be_painted_is_not_cleared_away_for_another_ones_painting(
    room: Path, busy_pool: WorkerPool
) -> None:
    earlier = OutputFolder(room / "out" / "cat-strokes")
    with earlier.reserved():
        earlier.write("final.png", (room / "dog.png").read_bytes())
    words = ["cat.png", "out/cat-strokes/final.png", "--style", "strokes.png", *OPTIONS, "--iterations", "2"]
    done = run(room, "batch", *words, "-o", "out", **shared(busy_pool))
    assert "final.png would be written over or deleted: give another folder." in done.stderr
    assert statuses(room) == {"cat-strokes": "failed", "final-strokes": "done"}


@pytest.mark.long
def test_nor_are_the_frames_in_a_folder(room: Path, busy_pool: WorkerPool) -> None:
    earlier, frames = OutputFolder(room / "out" / "cat-strokes"), ("00001.png", "00002.png")
    with earlier.reserved():
        for name in frames:
            earlier.write(name, (room / "dog.png").read_bytes())
    words = ["cat.png", "out/cat-strokes", "--style", "strokes.png", *OPTIONS, "--iterations", "2"]
    done = run(room, "batch", *words, "-o", "out", **shared(busy_pool))
    assert "would be written over or deleted: give another folder." in done.stderr
    assert [(room / "out" / "cat-strokes" / name).exists() for name in frames] == [True, True]
    assert statuses(room)["cat-strokes"] == "failed"


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
    options = [word for word in OPTIONS if word not in ("--weights", "random")]
    long = [*STYLES, *options, "--iterations", "1000", "--snapshots", "200", "-o", "out"]
    # A slice has been saved by then: after a kill Redis may be gone before the worker saves what it is at.
    process = start(room, "batch", "cat.png", *long, "--json", IMPASTO_SLICE_SECONDS="0.1", IMPASTO_WEIGHTS="random")
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
    # The Redis and workers of a `.env` that came in between do not know it, and paint all that was not begun.
    done = run(room, "batch", "cat.png", *long, **shared(busy_pool), IMPASTO_WEIGHTS="random")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    record = json.loads((room / "out" / "cat-strokes" / "run.json").read_text())
    assert first in (record["job"], record["parent"])
    workers = {part["worker"] for part in record["slices"]}
    other = json.loads((room / "out" / "cat-dots" / "run.json").read_text())
    assert len(workers | {part["worker"] for part in other["slices"]}) == 3
    assert len(workers) == 2
    assert {folder: row["own_redis"] for folder, row in table(room).items()} == {"cat-strokes": True, "cat-dots": False}
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


@pytest.mark.long
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


@pytest.mark.long
def test_a_batch_with_a_worker_of_its_own_goes_on_with_its_device_where_a_redis_url_has_come(
    room: Path, busy_pool: WorkerPool
) -> None:
    options = [word for word in OPTIONS if word not in ("--weights", "random")]
    words = [*STYLES[:2], *options, "--iterations", "400", "--snapshots", "10", "-o", "out", "--device", "cpu"]
    process = start(room, "batch", "cat.png", *words, IMPASTO_WEIGHTS="random")
    assert process.stdout is not None
    next(line for line in process.stdout if line.startswith("iteration 10:"))
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert statuses(room) == {"cat-strokes": "begun"}
    come = {**shared(busy_pool), "IMPASTO_WEIGHTS": "random"}
    refused = run(room, "batch", "cat.png", "dog.png", *words, **come)
    assert refused.returncode == 2
    assert "The workers of REDIS_URL paint, each on its own device: leave out --device." in refused.stderr
    assert statuses(room) == {"cat-strokes": "begun"}
    done = run(room, "batch", "cat.png", *words, **come)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    record = json.loads((room / "out" / "cat-strokes" / "run.json").read_text())
    assert len({part["worker"] for part in record["slices"]}) == 2
    first = moments(room)
    assert run(room, "batch", "cat.png", *words, **come).returncode == 0
    assert moments(room) == first


@pytest.mark.parametrize("own", [True, False, None])
def test_what_was_painted_is_not_painted_anew_where_a_redis_url_comes_or_goes(room: Path, own: bool | None) -> None:
    (room / "out" / "cat-dots").mkdir(parents=True)
    (room / "out" / "cat-dots" / "run.json").write_text("{}")
    arguments = PaintArguments(Path(), (), "fine", {}, "auto")

    def now(key: str, settings: Settings, weights: str | None = None) -> tuple[bool, Pair]:
        """Whether what was painted under that key need not be painted again, and what is known of it now."""
        pair = Pair(room / "cat.png", room / "dots.png", "cat-dots", "done", key, own_redis=own)
        run = Batch(arguments, BatchFolder(room / "out"), [pair], settings, weights=weights, as_json=True)
        return run._painted(pair), pair

    settings = [read_settings(redis_url=url, impasto_weights="starter") for url in (None, "redis://localhost")]
    begun = settings[own is False]
    key = now("", begun)[1].key
    for others in settings:
        painted, pair = now(key, others)
        assert painted
        assert pair.own_redis == (own is not False)
        assert now(key, others, "imagenet")[0] is False
    changed = read_settings(redis_url=None, impasto_weights="imagenet")
    assert now(key, changed)[0] is (own is False)


async def test_a_painting_is_begun_anew_only_where_nothing_is_lost_by_that(
    redis: ArqRedis, room: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = BatchFolder(room / "out")
    pair = Pair(room / "cat.png", room / "dots.png", "cat-dots", "begun")
    arguments = PaintArguments(Path(), (), "fine", {}, "auto")
    run = Batch(arguments, table, [pair], read_settings(), weights=None, as_json=True)
    output, job = table.painting(pair), a_job()
    ours, theirs = (SimpleNamespace(redis=redis, own=own) for own in (True, False))
    stacks: list[tuple[Any, bool | None]] = [(theirs, False), (theirs, None), (ours, None)]
    with output.reserved():
        for stack, own in stacks:  # whoever sets the right REDIS_URL goes on with it
            output.remember(job, "starter", "auto", own_redis=own)  # type: ignore[arg-type]
            with pytest.raises(FolderError, match="This Redis does not know the painting of"):
                await run._begun(stack, pair, output)
            assert output.unfinished
        output.remember(job, "starter", "auto", own_redis=True)
        assert run._own_weights([pair]) == "starter"  # whatever `auto` would be now
        stack, _ = stacks[-1]
        assert await run._begun(stack, pair, output) is None
        assert capsys.readouterr().err == "cat × dots is begun anew: what was painted of it is not known any more.\n"
        await Jobs(redis).create(job)
        claim = await Jobs(redis).start(job.id, 0, 0, "worker")
        assert claim is not None
        await Jobs(redis).finish(claim, Failed(job=job.id, iteration=0, reason="It broke."))
        assert await run._begun(stack, pair, output) is None
        assert capsys.readouterr().err == "cat × dots is begun anew: its painting failed.\n"


def test_a_painting_is_of_its_file_of_weights_and_of_what_that_is_taken_for(room: Path) -> None:
    file = room / "own.safetensors"
    arguments = PaintArguments(Path(), (), "fine", {}, str(file))

    def painted(key: str, input_: Literal["auto", "caffe"] = "auto") -> tuple[bool, str]:
        """Whether what was painted under that key need not be painted again, and the key that it has now."""
        settings = read_settings(impasto_weights_input=input_)
        pair = Pair(room / "cat.png", room / "dots.png", "cat-dots", "done", key)
        run = Batch(arguments, BatchFolder(room / "out"), [pair], settings, weights=str(file), as_json=True)
        return run._painted(pair), pair.key

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


@pytest.mark.long
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
    for length in (230, 231, 255):  # as it was until 0.2.0, so that what lies there is found
        assert pairs_of([Path("x" * (length - 2))], [Path("y")])[0].folder == f"{'x' * (length - 2)}-y"
    twins = [Path(f"{folder}/{'x' * 253}") for folder in "ab"]
    folders = [pair.folder for pair in pairs_of(twins, [Path("y")])]
    assert len(set(folders)) == 2
    assert max(map(len, folders)) == 255
