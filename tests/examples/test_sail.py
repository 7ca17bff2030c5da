"""The film that the README paints."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from examples import sail


@pytest.mark.parametrize("name", ["sail.png", "sail.webp"])
def test_a_boat_moves_and_nothing_else_does(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["sail", str(tmp_path / name)])
    sail.main()
    with Image.open(tmp_path / name) as film:
        assert getattr(film, "n_frames", 1) == sail.FRAMES
        first = film.convert("RGB")
        film.seek(sail.FRAMES - 1)
        moved = ImageChops.difference(first, film.convert("RGB"))
    assert moved.crop((0, 200, 640, 380)).getbbox() is not None
    assert moved.crop((0, 0, 640, 200)).getbbox() is None
