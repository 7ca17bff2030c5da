"""Ctrl-C keeps what there is, and `--resume` goes on from there to the same picture."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from impasto_command import LIGHT, left_over, make_room, run, shared, start
from support.jobs import uncut_sha256
from support.workers import WorkerPool

from bot.terminal.output_folder import FolderError, OutputFolder
from engine.recipe.recipe import Recipe


@pytest.mark.parametrize("recipe", ["fine", "gatys"])  # Adam and L-BFGS
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
