"""`impasto share`: what one passes on of a painting: before and after in one picture, a short film, the recipe code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bot.cards.before_and_after import side_by_side
from bot.cards.short_film import animated, making_of, moments
from bot.stored_pngs import Broken, frame_of
from bot.terminal.output_folder import FolderError, OutputFolder
from bot.terminal.output_names import BEFORE_AND_AFTER, SHORT_FILM, SHORT_VIDEO
from bot.terminal.painted_video import has_encoder, video_file


def share(folder: Path) -> None:
    """Write both beside the painting, and print where they are, and the code. Raises `FolderError`."""
    try:
        run: dict[str, Any] = json.loads((folder / "run.json").read_bytes())
        names = ["content.png", "final.png", *(f"style-{number}.png" for number in range(1, len(run["styles"]) + 1))]
        before, after, *styles = [(folder / name).read_bytes() for name in names]
        frames: int = run["recipe"].get("frames", 1)
        made = {BEFORE_AND_AFTER: side_by_side(frame_of(before, frames - 1), after, styles)}
        if frames == 1:  # else film.webp is itself what one passes on
            film = (folder / "film.webp").read_bytes() if run.get("film") else None
            shown = moments(before, after, making_of(run, film))
            made[SHORT_FILM] = animated(shown)
            if has_encoder():  # for places that play no WebP
                made[SHORT_VIDEO] = video_file([one.picture for one in shown], [one.ms for one in shown], "mp4")
    except (OSError, ValueError, LookupError, TypeError, Broken):
        raise FolderError(f"{folder} holds no finished painting: give the folder of one.") from None
    output = OutputFolder(folder)
    with output.reserved():
        for name, data in made.items():
            print(output.write(name, data))
    if code := run.get("recipe_code"):
        print(f"Recipe code: {code}")
