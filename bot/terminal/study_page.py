"""One self-contained page that shows a finished study."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.terminal.page import facts, stand_in, words
from bot.terminal.page_parts import embed, render, whole
from bot.text.formatting import exact_duration
from bot.text.translation import listed
from engine.recipe.recipe import Recipe

TILE = "study-"
"""What the names of the single pictures begin with."""
_SHEET_BYTES, _TILE_BYTES, _FILM_BYTES = 4_000_000, 7_000_000, 7_000_000


def render_study_page(run: Mapping[str, Any], folder: Path) -> str:
    """The page of the study that `run` (its study.json) tells of, with the pictures in `folder`; below 25 MB."""
    about = run["study"]
    content = run["content"]["name"]
    styles = listed([style["name"] for style in run["styles"]])
    painted = len(run["paintings"])
    pictures = [folder / f"{TILE}{Path(tile['file']).name}" for tile in run["tiles"]]
    uris = embed(pictures, longest=960, budget=_TILE_BYTES)
    return render(
        "study.html",
        run=run,
        title=f"{about['title']}: {Path(content).stem}",
        lead=f"{content} in the style of {styles}. Varied: {about['axis']}; all else is held. "
        f"{painted} painting{'s' * (painted > 1)}, {exact_duration(run['seconds'])} on {run['device']['model']}.",
        stand_in=stand_in(run),
        width=run["width"],
        aspect=f"{run['width'] / run['height']:.4f}",
        facts={**facts(run), "Every recipe and loss": "in study.json, beside this page", "Job": run["job"]},
        sheet=embed([folder / "sheet.png"], longest=2400, budget=_SHEET_BYTES)[0],
        labels=listed([tile["label"] for tile in run["tiles"]]),
        tiles=[
            {**tile, "uri": uri, "time": exact_duration(tile["seconds"])}
            for uri, tile in zip(uris, run["tiles"], strict=True)
        ],
        film=whole(folder / "film.webp", _FILM_BYTES),
        losses=whole(folder / "losses.png"),
        times=whole(folder / "time.png"),
        measured=measured(run),
        words=words(Recipe.from_dict(run["recipe"])),
    )


def measured(run: Mapping[str, Any]) -> str:
    """What the study measured beside its pictures, in a sentence; empty for most."""
    found = run["measured"]
    if "exponent" in found:
        return f"The time of painting grows with the pixels to the power of {found['exponent']:.2f}."
    if "same_seed" in found:
        return (
            f"Two paintings with the same seed differ by {found['same_seed']:.3g} of 255 levels in the mean, "
            f"two with other seeds by {found['other_seeds']:.3g}."
        )
    return ""
