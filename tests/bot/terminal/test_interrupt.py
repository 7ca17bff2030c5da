"""Ctrl-C keeps what there is, and `--resume` goes on from there to the same picture."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest
from impasto_command import COMMAND, LIGHT, environment, left_over, make_room, run, shared, start
from support.jobs import uncut_sha256
from support.workers import WorkerPool

from bot.terminal.output_folder import FolderError, OutputFolder
from engine.recipe.recipe import Recipe


@pytest.mark.parametrize("recipe", ["fine", pytest.param("gatys", marks=pytest.mark.long)])
def test_an_interrupted_painting_goes_on_to_the_picture_of_an_uncut_one(
    recipe: str, busy_pool: WorkerPool, tmp_path: Path
) -> None:  # fmt: skip
    room = make_room(tmp_path)
    paint = [*LIGHT, "--recipe", recipe, "--iterations", "500", "--snapshots", "20,40,490", "--seed", "3", "-o", "out"]
    process = start(room, *paint)
    assert process.stdout is not None
    heard = [next(line for line in process.stdout if line.startswith("iteration 20:"))]
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    heard += out.splitlines()

    assert process.returncode == 130, err
    assert err == ""
    assert heard[-1].endswith("go on with: impasto paint --resume out")
    assert (room / "out" / "00020.png").exists()
    assert not (room / "out" / "run.json").exists()
    assert left_over(room) == []

    with pytest.raises(FolderError, match=r"go on with `impasto paint --resume '?.*out'?`, or give another folder\.$"):
        OutputFolder(room / "out").check([])

    # The Redis and workers of a `.env` that came in between do not know it.
    resumed = run(room, "paint", "--resume", "out", "--device", "cpu", **shared(busy_pool))
    assert resumed.returncode == 0, resumed.stderr
    record = json.loads((room / "out" / "run.json").read_text())
    assert record["final"]["sha256"] == uncut_sha256(Recipe.from_dict(record["recipe"]))
    assert len(record["losses"]["rows"]) == 500
    assert [snapshot["iteration"] for snapshot in record["snapshots"]] == [20, 40, 490, 500]
    promised = {f"{i:05d}.png" for i in (20, 40, 490, 500)} | {"final.png", "loss.png", "film.webp", "index.html"}
    assert promised <= {path.name for path in (room / "out").iterdir()}
    assert not (room / "out" / ".impasto").exists()
    assert left_over(room) == []


@pytest.mark.long
def test_a_painting_whose_words_nobody_reads_any_more_is_stopped_all_the_same(tmp_path: Path) -> None:
    """As in `impasto paint … | tee log`: Ctrl-C ends tee too."""
    room = make_room(tmp_path)
    paint = [*LIGHT, "--iterations", "90000", "--snapshots", "10,20", "-o", "out"]
    process = start(room, *paint)
    assert process.stdout is not None
    assert process.stderr is not None
    next(line for line in process.stdout if line.startswith("iteration 10:"))
    process.stdout.close()
    process.send_signal(signal.SIGINT)
    assert process.stderr.read() == ""
    assert process.wait() == 130
    assert (room / "out" / ".impasto" / "job.json").exists()
    assert left_over(room) == []


@pytest.mark.long
def test_what_is_in_its_last_touches_is_finished_where_nobody_reads_its_words_any_more(tmp_path: Path) -> None:
    room = make_room(tmp_path)
    process = start(room, *LIGHT, "--iterations", "6", "-o", "out")
    assert process.stdout is not None
    assert process.stderr is not None
    next(line for line in process.stdout if line.startswith("iteration 6:"))
    process.send_signal(signal.SIGINT)
    next(line for line in process.stdout if line.startswith("Stopping"))
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait() == 0
    assert (room / "out" / "index.html").exists()
    assert not (room / "out" / ".impasto").exists()


BATCH = ["batch", "content.png", "--style", "style.png", *LIGHT[LIGHT.index("style.png") + 1 :], "--iterations", "6"]


@pytest.mark.parametrize(("words", "told"), [(LIGHT, []), (BATCH, ["waiting", "The same", "0 of 1"])])
def test_what_is_interrupted_as_it_starts_ends_as_interrupted(
    words: list[str], told: list[str], tmp_path: Path
) -> None:
    room = make_room(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        process = start(room, *words, "-o", "out", REDIS_URL=f"redis://127.0.0.1:{silent.getsockname()[1]}")
        connection, _ = silent.accept()
        with connection:
            process.send_signal(signal.SIGINT)
            out, err = process.communicate()
    assert (process.returncode, err.strip()) == (130, "")
    lines = out.splitlines()
    assert len(lines) == len(told)
    assert all(line.startswith(words) for line, words in zip(lines, told, strict=True))


@pytest.mark.long
def test_a_batch_that_is_interrupted_between_two_paintings_says_how_far_it_is_and_how_it_goes_on(
    tmp_path: Path,
) -> None:
    room = make_room(tmp_path)
    words = [*BATCH[:-1], "60", "--style", "content.png", "-o", "out"]
    process = start(room, *words)
    assert process.stdout is not None
    next(line for line in process.stdout if line.startswith("2 of 2:"))
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert (process.returncode, err.strip()) == (130, "")
    *_, first, second, hint, end = out.splitlines()
    assert [line.split()[0] for line in (first, second)] in (["done", "waiting"], ["done", "begun"])
    assert (hint, end) == ("The same command goes on with what is missing.", "1 of 2 painted: out/index.html")
    assert left_over(room) == []
    done = run(room, *words)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("2 of 2 painted: out/index.html\n")


@pytest.mark.long
def test_a_batch_that_is_interrupted_in_the_last_touches_of_a_painting_begins_no_other(tmp_path: Path) -> None:
    room = make_room(tmp_path)
    process = start(room, *BATCH, "--style", "content.png", "-o", "out")
    assert process.stdout is not None
    next(line for line in process.stdout if line.startswith("iteration 6:"))
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert (process.returncode, err.strip()) == (130, "")
    *_, first, second, _, end = out.splitlines()
    assert [line.split()[0] for line in (first, second)] == ["done", "waiting"]
    assert end == "1 of 2 painted: out/index.html"
    assert left_over(room) == []


def test_what_is_interrupted_as_it_starts_ends_so_where_all_its_words_go_nowhere(tmp_path: Path) -> None:
    """As in `impasto paint … 2>&1 | tee log`."""
    room = make_room(tmp_path)
    read, write = os.pipe()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = f"redis://127.0.0.1:{silent.getsockname()[1]}"
        process = subprocess.Popen(
            [*COMMAND, *LIGHT, "-o", "out"], cwd=room, env=environment(REDIS_URL=place),
            stdin=subprocess.DEVNULL, stdout=write, stderr=write,
        )  # fmt: skip
        connection, _ = silent.accept()
        with connection:
            os.close(write)
            os.close(read)
            process.send_signal(signal.SIGINT)
            assert process.wait() == 130
