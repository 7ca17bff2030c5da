"""The contact sheets that defaults are chosen by."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from PIL import Image
from support.pictures import CONTENT, STYLE

from examples import sheets
from examples.contact import LINE


def test_a_row_for_each_setting_and_a_column_for_each_pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    CONTENT.save(tmp_path / "content.png")
    STYLE.save(tmp_path / "style.png")
    pair, out = f"{tmp_path / 'content.png'}:{tmp_path / 'style.png'}", tmp_path / "sheet.png"
    rows = ["--set", "iterations=4", "--set", "iterations=4 beta=80"]
    monkeypatch.setattr(sys, "argv", ["sheets", pair, pair, *rows, "--size", "48", "-o", str(out)])
    sheets.main()
    with Image.open(out) as sheet:
        assert sheet.size == (2 * 48, 2 * (48 + LINE))
        one, other = (sheet.crop((0, y, 48, y + 48)) for y in (LINE, 48 + 2 * LINE))
        assert one.tobytes() == sheet.crop((48, LINE, 96, 48 + LINE)).tobytes()
        assert one.tobytes() != other.tobytes()
