"""Folders that are to be written in."""

from __future__ import annotations

import tempfile
from pathlib import Path


def make_folder(folder: Path) -> None:
    """Make sure that the folder is there, and can be written in. Raises `OSError`."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryFile(dir=folder):
        pass
