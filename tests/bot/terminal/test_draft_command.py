"""`impasto paint --draft` and `--finish`: a small painting first, then the whole one from there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from impasto_command import LAYERS, Here, left_over, make_room, run, shared
from PIL import Image
from support.pictures import CONTENT
from support.workers import WorkerPool

from engine.recipe.draft import SIZE, draft_recipe, finishing
from engine.recipe.presets import preset
from engine.recipe.recipe import Recipe

ASKED: dict[str, Any] = {
    "size": 288, "iterations": 6, "strength": 2.0, "networks": 1, "octaves": 1,
    "content_layers": ("conv1_1",), "style_layers": ("relu1_1",), "style_layer_weights": (1.0,),
}  # fmt: skip
LIGHT = [part for layer in LAYERS for part in ("--set", layer)] + ["--set", "networks=1", "--set", "octaves=1"]
OPTIONS = ["--size", "288", "--iterations", "6", "--strength", "2", "--weights", "random", "--device", "cpu"]


@pytest.fixture
def room(tmp_path: Path) -> Path:
    return make_room(tmp_path)


@pytest.fixture
def here(room: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    return Here(room, monkeypatch, capsys)


def record(folder: Path) -> tuple[dict[str, Any], Recipe]:
    run = json.loads((folder / "run.json").read_text())
    return run, Recipe.from_dict(run["recipe"])


def test_a_draft_and_its_finish(room: Path, busy_pool: WorkerPool) -> None:
    for mask in ("over.png", "of.png"):
        CONTENT.convert("L").save(room / mask)
    masks = ["--content-mask", "over.png", "--style-mask", "of.png"]
    asked = ["paint", "--draft", "content.png", "style.png", *OPTIONS, *LIGHT, *masks, "-o", "out"]
    reply = run(room, *asked, **shared(busy_pool))
    assert (reply.returncode, reply.stderr) == (0, "")
    assert "finish it with: impasto paint --finish out" in reply.stdout
    drafted, recipe = record(room / "out")
    assert recipe == draft_recipe("fine", **ASKED)
    assert drafted["weights"]["name"] == "starter"
    assert "A draft, painted with our small starter network" in (room / "out" / "index.html").read_text()

    (room / "content.png").unlink()  # the folder has all that it takes
    reply = run(room, "paint", "--finish", "out", "--device", "cpu", **shared(busy_pool))
    assert (reply.returncode, reply.stderr) == (0, "")
    assert "out/finished/index.html" in reply.stdout
    finished, recipe = record(room / "out" / "finished")
    assert recipe == finishing(preset("fine", weights="random", **ASKED), SIZE)
    assert [finished[name]["name"] for name in ("content", "start")] == ["content.png", "final.png"]
    assert [len(finished[f"{kind}_masks"]) for kind in ("content", "style")] == [1, 1]
    assert finished["draft_of"] is None
    with Image.open(room / "out" / "finished" / "final.png") as final:
        assert final.size == (288, 288)
    assert (room / "out" / "final.png").exists()
    assert left_over(room) == []


@pytest.mark.parametrize("said", [None, "", "[]", '{"draft_of": null}', '{"draft_of": {"recipe": "fine"}}'])
def test_what_is_no_draft_is_not_finished(here: Here, room: Path, said: str | None) -> None:
    (room / "out").mkdir()
    if said is not None:
        (room / "out" / "run.json").write_text(said)
    reply = here.run("paint", "--finish", "out")
    assert (reply.returncode, reply.stdout) == (1, "")
    assert reply.stderr == "There is no finished draft in out: `impasto paint --draft` paints one.\n"


def test_a_draft_that_could_not_be_finished_is_refused(room: Path) -> None:
    reply = run(room, "paint", "--draft", "content.png", "style.png", "--size", "5000", "-o", "out")
    assert (reply.returncode, reply.stderr) == (1, "The size must be between 32 and 4096 px.\n")
    assert not (room / "out").exists()
