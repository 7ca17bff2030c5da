"""`impasto paint --finish DIR`: what a folder with a finished draft tells of the painting that it is a draft of."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from bot.terminal.output_folder import ALPHA, FolderError
from bot.terminal.paint_arguments import Draft, PaintArguments
from engine.contract.models import Asked
from engine.recipe.recipe import Recipe


def read_draft(folder: Path) -> PaintArguments:
    """The arguments for the painting, in full, with the weights that were asked for. Raises `FolderError`."""
    try:
        run = json.loads((folder / "run.json").read_text())
        asked = Asked.model_validate(run["draft_of"])
        size = Recipe.from_dict(run["recipe"]).size
        names = [picture["name"] for picture in (run["content"], *run["styles"])]
        over, of = (_numbered(folder, f"{kind}-mask", len(run[f"{kind}_masks"])) for kind in ("content", "style"))
    except (OSError, ValueError, KeyError, TypeError, ValidationError):
        raise FolderError(f"There is no finished draft in {folder}: `impasto paint --draft` paints one.") from None
    styles = _numbered(folder, "style", len(names) - 1)
    return PaintArguments(
        folder / "content.png", styles, asked.recipe, asked.fields, asked.weights, over, of,
        draft=Draft(folder / "final.png", size), names=names, alpha=folder / ALPHA if run.get("alpha") else None,
    )  # fmt: skip


def _numbered(folder: Path, stem: str, count: int) -> list[Path]:
    return [folder / f"{stem}-{number}.png" for number in range(1, 1 + count)]
