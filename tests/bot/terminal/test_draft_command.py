"""`impasto paint --draft` and `--finish`: a small painting first, then the whole one from there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import pytest
from impasto_command import LAYERS, Here, left_over, make_room, run, shared
from PIL import Image
from support.pictures import CONTENT
from support.workers import WorkerPool
from torchvision_files import ours, saved

from engine.recipe.draft import SIZE, draft_recipe, finishing
from engine.recipe.presets import preset
from engine.recipe.recipe import Recipe
from engine.worker.weights.named_weights import load_weights

ASKED: dict[str, Any] = {
    "size": 288, "iterations": 6, "strength": 2.0, "networks": 1, "octaves": 1,
    "content_layers": ("conv1_1",), "style_layers": ("relu1_1",), "style_layer_weights": (1.0,),
}  # fmt: skip
LIGHT = [part for layer in LAYERS for part in ("--set", layer)] + ["--set", "networks=1", "--set", "octaves=1"]
OPTIONS = ["--size", "288", "--iterations", "6", "--strength", "2", "--weights", "random"]

INPUTS: tuple[Literal["caffe"], Literal["torchvision"]] = ("caffe", "torchvision")


@pytest.fixture
def room(tmp_path: Path) -> Path:
    return make_room(tmp_path)


@pytest.fixture
def here(room: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    return Here(room, monkeypatch, capsys)


def record(folder: Path) -> tuple[dict[str, Any], Recipe]:
    run = json.loads((folder / "run.json").read_text())
    return run, Recipe.from_dict(run["recipe"])


@pytest.mark.long
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
    reply = run(room, "paint", "--finish", "out", **shared(busy_pool))
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


@pytest.mark.long
def test_a_finish_is_as_the_draft_was_asked_for_but_for_its_own_options(room: Path, busy_pool: WorkerPool) -> None:
    weights = saved(ours(2, 2, 3, 3, 3), room / "own.pth")
    asked = ["--weights", "own.pth", "--weights-input", "caffe", "--format", "webp", "--no-film", "--size", "64"]
    drafting = ["paint", "--draft", "content.png", "style.png", *asked, "--iterations", "4", "-o", "out"]
    assert run(room, *drafting, **shared(busy_pool)).returncode == 0

    names = [load_weights(str(weights), room, input_=input_).name for input_ in INPUTS]
    for more, name in ([], names[0]), (["--weights-input", "torchvision"], names[1]):
        dry = run(room, "paint", "--finish", "out", "--dry-run", *more)
        assert (dry.returncode, dry.stderr) == (0, "")
        assert f"weights              {name}\n" in dry.stdout

    finish = ["paint", "--finish", "out", "--weights", "random"]
    for more, there in ([], "final.webp"), (["--format", "jpeg", "--film"], "final.jpg"):
        assert run(room, *finish, *more, **shared(busy_pool)).returncode == 0
        found = {path.name for path in (room / "out" / "finished").iterdir()}
        assert found & {"final.webp", "final.jpg"} == {there}
        assert ("film.webp" in found) == bool(more)

    record = json.loads((room / "out" / "run.json").read_text())
    for name in ("format", "film", "weights_input"):  # as it was written until 0.2.0
        del record["draft_of"][name]
    (room / "out" / "run.json").write_text(json.dumps(record))
    assert run(room, *finish, **shared(busy_pool)).returncode == 0
    assert (room / "out" / "finished" / "film.webp").exists()
    assert not (room / "out" / "finished" / "final.webp").exists()


def test_the_finish_of_a_transparent_draft_begins_with_all_of_its_picture(room: Path, busy_pool: WorkerPool) -> None:
    content = CONTENT.convert("RGBA")
    content.putalpha(Image.linear_gradient("L").resize(content.size))
    content.save(room / "clear.png")
    asked = ["--size", "64", "--iterations", "4", "--weights", "random", "--keep-transparency", "-o", "out"]
    assert run(room, "paint", "--draft", "clear.png", "style.png", *asked, **shared(busy_pool)).returncode == 0
    assert run(room, "paint", "--finish", "out", **shared(busy_pool)).returncode == 0
    finished, recipe = record(room / "out" / "finished")
    assert recipe.start == "picture"
    with Image.open(room / "out" / finished["start"]["name"]) as begun, Image.open(room / "out" / "final.png") as final:
        assert (begun.mode, final.mode) == ("RGB", "RGBA")
        assert begun.tobytes() == final.convert("RGB").tobytes()
    with Image.open(room / "out" / "finished" / "final.png") as final:
        assert final.mode == "RGBA"


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
