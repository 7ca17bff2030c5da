"""The folder that a painting is made in, and what lies in it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bot.terminal.page import render_page
from engine.contract.events import Cancelled, Done, Event, Snapshot
from engine.contract.models import Job
from engine.contract.store import Store

_RESULTS = ("final.png", "loss.png", "film.webp", "run.json")


class FolderError(Exception):
    """The folder cannot be used; the text is one sentence."""


class OutputFolder:
    """DIR: the numbered snapshots and the results; in DIR/.impasto what it takes to go on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.work = folder / ".impasto"
        self._note = self.work / "job.json"

    def begin(self, pictures: Iterable[Path]) -> None:
        """Make the folder to paint `pictures` in, and clear away an earlier, finished one. Raises `FolderError`."""
        if self._note.exists():
            raise FolderError(
                f"{self.folder} holds an unfinished painting: go on with `impasto paint --resume {self.folder}`, "
                "or give another folder."
            )
        for picture in pictures:
            if _is_ours(picture) and picture.parent.resolve() == self.folder.resolve():
                raise FolderError(f"{picture} would be written over: give another folder.")
        try:
            self.work.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise FolderError(f"{self.folder} cannot be written to: {error.strerror}.") from error
        if (self.folder / "run.json").exists():  # else what lies here is somebody else's
            for path in filter(_is_ours, list(self.folder.iterdir())):
                path.unlink()

    @property
    def unfinished(self) -> bool:
        """Whether there is a job to go on with."""
        return self._note.exists()

    def remember(self, job: Job, weights: str, weights_input: str) -> None:
        """Note the job and the `--weights` and `--weights-input` it was asked with, so that `--resume` finds them."""
        self._note.write_text(json.dumps({"job": job.id, "weights": weights, "weights_input": weights_input}))

    def remembered(self) -> tuple[str, str, str]:
        """The unfinished job's id, `--weights` and `--weights-input`. Raises `FolderError`."""
        try:
            note = json.loads(self._note.read_text())
            return note["job"], note["weights"], note.get("weights_input", "auto")
        except (OSError, ValueError, KeyError):
            finished = " It holds a finished painting." if (self.folder / "run.json").exists() else ""
            raise FolderError(f"There is nothing to go on with in {self.folder}.{finished}") from None

    async def take(self, store: Store, event: Event) -> Path | None:
        """Fetch what the event tells of; returns the newest picture's path."""
        match event:
            case Snapshot(picture=str(key)) | Cancelled(picture=str(key)):
                return await self._fetch(store, key, f"{event.iteration:05d}.png")
            case Done():
                for name in _RESULTS:
                    await self._fetch(store, event.files[name], name)
                return self.folder / "final.png"
            case _:
                return None

    async def finish(self, store: Store, job: Job) -> Path:
        """The page that shows it all; what was needed to go on is deleted."""
        await self._fetch(store, job.content.key, "content.png")
        for number, style in enumerate(job.styles, 1):
            await self._fetch(store, style.key, f"style-{number}.png")
        if job.draft_of is not None:  # whoever finishes it needs all of its pictures
            for kind, masks in (("content", job.content_masks), ("style", job.style_masks)):
                for number, mask in enumerate(masks, 1):
                    await self._fetch(store, mask.key, f"{kind}-mask-{number}.png")
        run: dict[str, Any] = json.loads((self.folder / "run.json").read_text())
        page = self.folder / "index.html"
        page.write_text(render_page(run, self.folder), encoding="utf-8")
        return page

    def clean(self) -> None:
        """Delete what was needed to go on."""
        shutil.rmtree(self.work, ignore_errors=True)

    async def _fetch(self, store: Store, key: str, name: str) -> Path:
        path = self.folder / name
        partial = path.with_name(f".{name}.part")
        partial.write_bytes(await store.get(key))
        return partial.replace(path)


def _is_ours(path: Path) -> bool:
    stem = path.stem
    source = stem == "content" or stem.startswith(("style-", "content-mask-"))
    snapshot = len(stem) == 5 and stem.isdigit()
    return path.name in (*_RESULTS, "index.html") or (path.suffix == ".png" and (source or snapshot))
