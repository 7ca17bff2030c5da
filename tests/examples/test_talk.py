"""`make talk` and its document."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from PIL import Image

from engine.recipe.studies import KINDS
from examples import talk


def test_every_kind_of_study_is_one_of_the_experiments() -> None:
    words = [shlex.split(experiment.command) for experiment in talk.EXPERIMENTS]
    assert {line[line.index("--vary") + 1] for line in words if "--vary" in line} == set(KINDS)
    assert len({experiment.name for experiment in talk.EXPERIMENTS}) == len(talk.EXPERIMENTS)


def test_the_document_shows_what_has_been_painted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talk, "OUT", tmp_path / "out")
    monkeypatch.setattr(talk, "DOCS", tmp_path / "docs")
    (tmp_path / "out" / "swap").mkdir(parents=True)
    (tmp_path / "docs").mkdir()
    Image.new("RGBA", (2000, 900), "red").save(tmp_path / "out" / "swap" / "sheet.png")
    written = talk.page([(one, talk.show(one)) for one in talk.EXPERIMENTS], "some weights")
    assert written.count("](talk/") == 1
    assert "![Both ways round](talk/swap-sheet.jpg)" in written
    assert written.count("not painted yet") == len(talk.EXPERIMENTS) - 1
    assert "painted with some weights" in written
    with Image.open(tmp_path / "docs" / "talk" / "swap-sheet.jpg") as shown:
        assert shown.size == (1400, 630)


def test_the_pictures_it_begins_with_are_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talk, "OUT", tmp_path)
    talk.draw()
    needed = {word for one in talk.EXPERIMENTS for word in shlex.split(one.command) if word.endswith(".png")}
    assert needed == {path.name for path in tmp_path.iterdir()}
