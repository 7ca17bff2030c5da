"""`impasto paint --finish DIR`: what a folder with a finished draft tells of the painting that it is a draft of."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bot.terminal.output_folder import FolderError
from bot.terminal.output_names import ALPHA
from bot.terminal.paint_arguments import Draft, PaintArguments, weights_asked
from bot.terminal.paint_options import given
from engine.contract.models import Asked
from engine.contract.settings import Settings
from engine.recipe.recipe import Recipe


def finish_of(folder: Path, options: dict[str, Any], settings: Settings) -> tuple[PaintArguments, Settings]:
    """The arguments and settings for the painting, in full: as it was asked for, but for the command line's `options`.

    Raises `FolderError`.
    """
    asked, arguments = _read(folder)
    changed = {name: options[option] for name, option in (("format", "format_"), ("film", "film")) if given(option)}
    if given("weights"):
        changed["weights"] = weights_asked(options["weights"], settings)
    elif asked.weights_input is not None and not given("weights_input"):
        settings = settings.model_copy(update={"impasto_weights_input": asked.weights_input})
    return dataclasses.replace(arguments, **changed), settings


def _read(folder: Path) -> tuple[Asked, PaintArguments]:
    """What was asked for, and the arguments that come of it. Raises `FolderError`."""
    try:
        run = json.loads((folder / "run.json").read_text())
        asked = Asked.model_validate(run["draft_of"])
        size = Recipe.from_dict(run["recipe"]).size
        names = [picture["name"] for picture in (run["content"], *run["styles"])]
        # Of a transparent one the last snapshot, which is opaque: white paper would show through final.png.
        last = Path(run["snapshots"][-1]["file"]).name if run.get("alpha") else "final.png"
        over, of = (_numbered(folder, f"{kind}-mask", len(run[f"{kind}_masks"])) for kind in ("content", "style"))
    except (OSError, ValueError, LookupError, TypeError, ValidationError):
        raise FolderError(f"There is no finished draft in {folder}: `impasto paint --draft` paints one.") from None
    styles = _numbered(folder, "style", len(names) - 1)
    return asked, PaintArguments(
        folder / "content.png", styles, asked.recipe, asked.fields, asked.weights, over, of,
        draft=Draft(folder / last, size), names=names, alpha=folder / ALPHA if run.get("alpha") else None,
        format=asked.format, film=asked.film,
    )  # fmt: skip


def _numbered(folder: Path, stem: str, count: int) -> list[Path]:
    return [folder / f"{stem}-{number}.png" for number in range(1, 1 + count)]
