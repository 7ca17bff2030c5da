"""`make talk` and its document."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bot.commands.study import gallery, study
from bot.commands.stylize import stylize
from bot.terminal.main import cli
from bot.terminal.paint_arguments import PaintArguments
from bot.terminal.paint_options import arguments_of
from engine.contract.settings import Settings
from engine.recipe.studies import KINDS
from examples import talk
from examples.painted import read_notes
from examples.talk_experiments import EXPERIMENTS, SLIDES, Experiment


def by_name(name: str) -> Experiment:
    return next(one for one in EXPERIMENTS if one.name == name)


def arguments(line: str) -> PaintArguments:
    """What the command comes to."""
    name, *words = shlex.split(line)
    given = dict(cli.commands[name].make_context(name, words).params)
    content, *styles = given.pop("pictures")
    return dataclasses.replace(arguments_of(content, styles, given, Settings()), vary=given.get("vary"))


def test_every_kind_of_study_is_one_of_the_experiments() -> None:
    words = [shlex.split(experiment.command) for experiment in EXPERIMENTS]
    assert {line[line.index("--vary") + 1] for line in words if "--vary" in line} == set(KINDS)
    assert len({experiment.name for experiment in EXPERIMENTS}) == len(EXPERIMENTS)


def test_the_document_shows_what_has_been_painted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talk, "OUT", tmp_path / "out")
    monkeypatch.setattr(talk, "DOCS", tmp_path / "docs")
    (tmp_path / "out" / "swap").mkdir(parents=True)
    (tmp_path / "docs").mkdir()
    Image.new("RGBA", (2000, 900), "red").save(tmp_path / "out" / "swap" / "sheet.png")
    recipe = arguments(by_name("swap").command).recipe_for("sha256:0123456789abcdef", network="vgg16")
    weights = {"name": recipe.weights, "identity": recipe.weights, "network": "vgg16"}
    record = tmp_path / "out" / "swap" / "study.json"
    record.write_text(json.dumps({"weights": weights, "recipe": recipe.as_dict()}))
    pictures = [(one, talk.show(one)) for one in EXPERIMENTS]
    notes = read_notes(tmp_path / "docs" / "talk")
    written = talk.page(pictures, notes)
    assert written.count("](talk/") == 1
    assert "![Both ways round](talk/swap-sheet.jpg)" in written
    assert written.count("not painted yet") == len(SLIDES) - 1
    assert "*Painted with a pretrained VGG16 from a file.*" in written
    assert notes["swap"].is_todays(recipe, tmp_path)
    assert not notes["swap"].is_todays(dataclasses.replace(recipe, alpha=2 * recipe.alpha), tmp_path)
    with Image.open(tmp_path / "docs" / "talk" / "swap-sheet.jpg") as shown:
        assert shown.size == (1400, 630)


def test_the_pictures_it_begins_with_are_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talk, "OUT", tmp_path)
    talk.draw()
    needed = {word for one in EXPERIMENTS for word in shlex.split(one.command) if word.endswith(".png")}
    assert needed == {path.name for path in tmp_path.iterdir()}


def document() -> str:
    return (talk.ROOT / "docs" / "talk.md").read_text(encoding="utf-8")


def test_the_document_is_what_the_experiments_make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talk, "OUT", tmp_path)
    notes = read_notes(talk.DOCS / "talk")
    assert talk.page([(one, talk.show(one)) for one in EXPERIMENTS], notes) == document()
    assert document().count("*Painted with ") == len(notes) == len(EXPERIMENTS)


def test_its_pictures_are_those_that_would_be_painted_today(tmp_path: Path) -> None:
    notes = read_notes(talk.DOCS / "talk")
    old = [
        name for name, note in notes.items()
        if not note.is_todays(
            arguments(by_name(name).command).recipe_for(note.weights_name, network=note.network), tmp_path
        )
    ]  # fmt: skip
    folders = " ".join(f"out/talk/{name}" for name in old)
    assert not old, f'older recipes or weights: rm -rf {folders}; make talk WEIGHTS=FILE ARGS="{" ".join(old)}"'


@pytest.mark.parametrize(("name", "printed"), [("swap", "tub's weights.pth"), ("long", "starter")])
def test_what_is_run_names_the_weights_as_the_document_does(name: str, printed: str) -> None:
    words = shlex.split(talk.with_weights(by_name(name), "tub's weights.pth"))
    assert words.count("--weights") == 1
    assert words[words.index("--weights") + 1] == printed


def test_each_slide_has_its_command_and_every_experiment_a_slide() -> None:
    assert {name for _, name in SLIDES} == {one.name for one in EXPERIMENTS}
    rows = [line for line in document().splitlines() if line.startswith("| ")][1:]
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows] == [slide for slide, _ in SLIDES]


TERMINAL = sorted(set(re.findall(r"(?:^    |`)impasto ((?:study|paint) [^`\n]+)", document(), re.MULTILINE)))
DISCORD = sorted(set(re.findall(r"`/((?:study|gallery|stylize)[^`]*)`", document())))


@pytest.mark.parametrize("line", TERMINAL)
def test_each_command_for_the_terminal_is_one(line: str) -> None:
    asked = arguments(line)
    asked.check(Settings())
    assert {path.name for path in (asked.content, *asked.styles)} <= {
        word for one in EXPERIMENTS for word in shlex.split(one.command) if word.endswith(".png")
    }


@pytest.mark.parametrize("line", DISCORD)
def test_each_command_for_discord_is_one(line: str) -> None:
    name, *options = line.split()
    commands: dict[str, Any] = {"study": study, "gallery": gallery, "stylize": stylize}
    command = commands[name]
    for option, _, value in (option.partition(":") for option in options):
        parameter = command.get_parameter(option)
        assert parameter is not None
        assert not parameter.choices or value in [choice.value for choice in parameter.choices]
        if parameter.min_value is not None and parameter.type.name == "integer":
            assert parameter.min_value <= int(value) <= (parameter.max_value or 0)


def test_there_are_commands_of_both_kinds() -> None:
    assert len(TERMINAL) >= 2 * len(EXPERIMENTS)  # in the table, and with the folder below
    assert len(DISCORD) >= len(EXPERIMENTS) - 1
