"""`make gallery` and its document."""

from __future__ import annotations

from pathlib import Path

import pytest

from examples import gallery
from examples.painted import Painted, digits_of, read_notes

NOTES = read_notes(gallery.DOCS / "gallery")


def test_the_document_is_what_the_tiles_make() -> None:
    assert gallery.page(NOTES) == (gallery.DOCS / "gallery.md").read_text(encoding="utf-8")
    assert set(NOTES) == {name for name, *_ in gallery.TILES}
    assert {path.stem for path in (gallery.DOCS / "gallery").glob("*.jpg")} == set(NOTES)


def test_its_pictures_are_those_that_would_be_painted_today(tmp_path: Path) -> None:
    old = [
        tile[0] for tile in gallery.TILES
        if not NOTES[tile[0]].is_todays(
            gallery.recipe_of(tile, NOTES[tile[0]].weights_name, NOTES[tile[0]].network), tmp_path
        )
    ]  # fmt: skip
    assert not old, f'older recipes or weights: make gallery WEIGHTS=FILE ARGS="{" ".join(old)}"'


def test_a_painted_tile_notes_what_painted_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery, "DOCS", tmp_path)
    monkeypatch.setattr(gallery, "WIDTH", 32)
    monkeypatch.setattr(gallery, "ITERATIONS", 2)
    gallery.main("random", ["hatching"])
    (tile,) = (tile for tile in gallery.TILES if tile[0] == "hatching")
    recipe = gallery.recipe_of(tile, "random", "vgg19")
    assert read_notes(tmp_path / "gallery") == {"hatching": Painted("random", "vgg19", digits_of(recipe))}
    assert "with the weights random" in (tmp_path / "gallery.md").read_text()
    assert (tmp_path / "gallery" / "hatching.jpg").exists()
