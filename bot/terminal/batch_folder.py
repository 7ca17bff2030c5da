"""The folder of `impasto batch`: a folder for each painting, and the table that says how far each of them is."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from bot.terminal.output_folder import FolderError, OutputFolder
from bot.terminal.output_names import TABLE
from bot.terminal.page_parts import render
from bot.terminal.paint_arguments import PaintArguments

_LONGEST = 255
"""Bytes of a folder's name."""
_HERE = (TABLE, "index.html")
_WAITS = {"waiting": "not begun yet", "begun": "begun", "failed": "failed"}

Status = Literal["waiting", "begun", "done", "failed"]


@dataclass
class Pair:
    """One painting of the batch; `folder` is the name of the painting's own folder."""

    content: Path
    style: Path
    folder: str
    status: Status = "waiting"
    key: str = ""
    """The key of the pictures and settings: what was painted with an equal one need not be painted again."""
    reason: str = ""
    """Why the painting failed, in a sentence; empty where it did not."""
    own_redis: bool | None = None
    """Whether the command's own worker paints it, and not one of a `REDIS_URL`; None where that is not known."""
    seconds: float = 0.0
    """How long the painting took, in seconds."""

    @property
    def link(self) -> str:
        """Where the folder is, as a page beside it has it, also where the name is no text."""
        return quote(os.fsencode(self.folder))

    @property
    def title(self) -> str:
        """What the painting is called in the table."""
        return f"{self.content.stem} × {self.style.stem}"


def pairs_of(contents: Sequence[Path], styles: Sequence[Path]) -> list[Pair]:
    """Each content with each style, each with a folder of its own."""
    pairs: list[Pair] = []
    taken: set[str] = set()
    for content in dict.fromkeys(contents):
        for style in dict.fromkeys(styles):
            stem = f"{content.stem}-{style.stem}".lstrip(".")
            names = (_shortened(stem if number == 1 else f"{stem}-{number}") for number in count(1))
            name = next(name for name in names if name.lower() not in taken)  # some disks tell no capitals
            taken.add(name.lower())
            pairs.append(Pair(content, style, name))
    return pairs


def _shortened(name: str) -> str:
    """The name itself, unless it is too long for a folder's; then as much as goes, and a hash of all of it."""
    whole = os.fsencode(name)
    if len(whole) <= _LONGEST:
        return name
    end = f"-{hashlib.sha256(whole).hexdigest()[:8]}"
    return whole[: _LONGEST - len(end)].decode(errors="ignore") + end


def key_of(arguments: PaintArguments, files: Iterable[str]) -> str:
    """A hash that is equal for files (SHA-256 of pictures and weights) painted in the same way."""
    ways = (
        arguments.recipe, sorted(arguments.fields.items()), arguments.weights, arguments.fps, arguments.still,
        arguments.format, arguments.keep_transparency, arguments.original_size,
        *(() if arguments.film else ("no film",)),
    )  # fmt: skip
    return hashlib.sha256(repr((ways, *files)).encode()).hexdigest()


class BatchFolder(OutputFolder):
    """DIR: a folder of each painting, batch.json, and index.html; in DIR/.impasto what it takes to go on."""

    def check_table(self) -> None:
        """Raises `FolderError` where something is in the way that a batch did not make."""
        if self.finished or self.holds_painting:
            raise FolderError(f"{self.folder} holds a painting: give another folder for the batch.")
        self.check_foreign(*(self.folder / name for name in _HERE if (self.folder / name).exists()))

    def painting(self, pair: Pair) -> OutputFolder:
        """The folder of one painting, which goes on when the batch does."""
        return OutputFolder(
            self.folder / pair.folder, work=self.pairs / pair.folder, resume_command="the same `impasto batch` again"
        )

    def recall(self, pairs: Iterable[Pair]) -> None:
        """Note in the pairs what an earlier batch in this folder came to."""
        try:
            rows = json.loads((self.folder / TABLE).read_text())["paintings"]
            known = {row["folder"]: row for row in rows}
        except (OSError, ValueError, KeyError, TypeError):
            return
        for pair in pairs:
            row: dict[str, Any] = known.get(pair.folder, {})
            if row.get("status") in ("begun", "done"):
                pair.status, pair.key, pair.seconds = row["status"], row["key"], row["seconds"]
                pair.own_redis = row.get("own_redis")
                if pair.own_redis is None:  # the table did not say until 0.2.0
                    with suppress(FolderError):
                        pair.own_redis = self.painting(pair).remembered().own_redis

    def write_table(self, pairs: Sequence[Pair]) -> Path:
        """Write table and page; returns the page's path. Raises `FolderError`."""
        rows = [asdict(pair) | {"content": str(pair.content), "style": str(pair.style)} for pair in pairs]
        self.write(TABLE, json.dumps({"paintings": rows}, indent=1).encode())
        return self.write("index.html", render_batch_page(pairs).encode(errors="replace"))  # a name may be no text


def render_batch_page(pairs: Sequence[Pair]) -> str:
    """A row for each content and a column for each style, with links to their pages, beside which it is to lie."""
    rows: dict[Path, list[Pair]] = {}
    for pair in pairs:
        rows.setdefault(pair.content, []).append(pair)
    done = sum(pair.status == "done" for pair in pairs)
    return render("batch.html", pairs=pairs, rows=list(rows.values()), done=done, waits=_WAITS)
