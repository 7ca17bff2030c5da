"""`impasto share`: what one passes on of a painting: before and after in one picture, and its recipe code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bot.cards.before_and_after import side_by_side
from bot.cards.thumbnails import Broken
from bot.terminal.output_folder import BEFORE_AND_AFTER, FolderError, OutputFolder


def share(folder: Path) -> None:
    """Write the picture beside the painting, and print where it is, and the code. Raises `FolderError`."""
    try:
        run: dict[str, Any] = json.loads((folder / "run.json").read_bytes())
        names = ["content.png", "final.png", *(f"style-{number}.png" for number in range(1, len(run["styles"]) + 1))]
        before, after, *styles = [(folder / name).read_bytes() for name in names]
        jpeg = side_by_side(before, after, styles)
    except (OSError, ValueError, LookupError, TypeError, Broken):
        raise FolderError(f"{folder} holds no finished painting: give the folder of one.") from None
    output = OutputFolder(folder)
    with output.reserved():
        print(output.write(BEFORE_AND_AFTER, jpeg))
    if code := run.get("recipe_code"):
        print(f"Recipe code: {code}")
