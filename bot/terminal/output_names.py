"""What the files are called that Impasto writes into the folder of a painting, a study or a batch."""

from __future__ import annotations

from pathlib import Path

from bot.intake import VideoKind
from bot.terminal.study_page import TILE
from engine.contract.models import FINAL_FILES, Format

BEST = "best.png"
RESULTS = ("final.png", "loss.png", "film.webp", "run.json", BEST)
RESULTS_OF_STUDIES = {
    "final.png": "sheet.png", "loss.png": "losses.png", "film.webp": "film.webp", "run.json": "study.json",
    "time.png": "time.png", BEST: BEST,
}  # fmt: skip
"""What a study's results are called here."""
_ALWAYS = {*RESULTS, *RESULTS_OF_STUDIES.values(), "index.html", "content.png", "style-1.png"}
FORMATS = [name for name in FINAL_FILES.values() if name not in _ALWAYS]
"""The finished picture in further formats."""
FILMS_OF_VIDEOS: dict[VideoKind, str] = {"mp4": "film.mp4", "webm": "film.webm"}
BEFORE_AND_AFTER, SHORT_FILM, SHORT_VIDEO = "before-and-after.jpg", "short-film.webp", "short-film.mp4"
"""What `impasto share` adds."""
TABLE = "batch.json"
"""The table of a batch, in its folder."""
ALPHA = "content-alpha.png"
"""The content's transparency, where it is kept for finishing a draft."""

_EVER = {*_ALWAYS, *FORMATS, *FILMS_OF_VIDEOS.values(), BEFORE_AND_AFTER, SHORT_FILM, SHORT_VIDEO}


def fixed_names(kind: Format, video: VideoKind | None) -> set[str]:
    """The names that do not hang on the number of snapshots and pictures; arguments as of `is_written`."""
    return {*_ALWAYS, FINAL_FILES[kind], *([FILMS_OF_VIDEOS[video]] if video else [])}


def is_written(path: Path, kind: Format, video: VideoKind | None) -> bool:
    """Whether a painting may write a file of this name, with the finished picture as `kind`, and a film as `video`."""
    return path.name in fixed_names(kind, video) or _is_numbered(path)


def is_output(path: Path) -> bool:
    """Whether some painting may have left a file of this name: the next one in the folder deletes it."""
    return path.name in _EVER or _is_numbered(path)


def _is_numbered(path: Path) -> bool:
    stem = path.stem
    source = stem == "content" or stem.startswith(("style-", "content-mask-")) or path.name == ALPHA
    snapshot = len(stem) == 5 and stem.isdigit()
    return path.suffix == ".png" and (source or snapshot or stem.startswith(TILE))
