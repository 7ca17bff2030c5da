"""The folder that a painting is made in, and what lies in it.

Nothing in it is written over or deleted that Impasto did not write: what it writes is noted in `.impasto.sha256`.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shlex
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from bot.intake import VideoKind
from bot.terminal.output_names import (
    ALPHA,
    BEST,
    FILMS_OF_VIDEOS,
    FORMATS,
    RESULTS,
    RESULTS_OF_STUDIES,
    TABLE,
    fixed_names,
    is_output,
    is_written,
)
from bot.terminal.page import render_page
from bot.terminal.painted_video import painted_video
from bot.terminal.study_page import TILE, render_study_page
from bot.terminal.unfinished import Unfinished
from bot.terminal.written_files import WrittenFiles
from engine.contract.events import Best, Cancelled, Done, Event, Notice, Snapshot
from engine.contract.models import Format, Job
from engine.contract.store import Store
from engine.recipe.recipe import Recipe

_ROOM = 2**20
"""Bytes that must be free to begin: what is so full is told at once."""


class FolderError(Exception):
    """The folder cannot be used; the text is one sentence."""


class OutputFolder:
    """DIR: the numbered snapshots and the results; in DIR/.impasto what it takes to go on."""

    def __init__(self, folder: Path, work: Path | None = None, resume_command: str | None = None) -> None:
        """`work` and the words to go on with are its own, unless a batch has them."""
        self.folder = folder
        self.work = folder / ".impasto" if work is None else work
        self.pairs = self.work / "pairs"
        """Where a batch has the folders of work of its paintings."""
        self.resume_command = resume_command or _resume_command(folder)
        """What to type to go on."""
        self._note = self.work / "job.json"
        self._sounds = {kind: self.work / f"sound.{kind}" for kind in FILMS_OF_VIDEOS}
        own = folder / ".impasto"
        self._lock, self._alone = own / "painting.lock", own / self._note.name
        """One lock for whoever paints here, and the note of a painting that is no batch's."""
        self._written = WrittenFiles(folder)
        self._tiles: dict[int, str] = {}
        """File names of a study's single pictures, by iteration; empty where it is no study."""

    @contextmanager
    def reserved(self) -> Iterator[None]:
        """Make the folder, and keep other commands out of it.

        Afterwards what it takes to go on is kept where there is something to go on with, and what is empty is removed.
        Raises `FolderError` where another command is at work in it, or it cannot be written to.
        """
        folders = (self.work, self._lock.parent, self.folder, *self.folder.parents)
        made = [path for path in folders if not os.path.lexists(path)]  # unlike `Path.exists`, it raises nothing
        try:
            with self._open_lock():
                try:
                    self._check_room()
                    yield
                finally:
                    if not self.unfinished:
                        shutil.rmtree(self.work, ignore_errors=True)
                    if self._lock.parent != self.work and [*self._lock.parent.iterdir()] == [self._lock]:
                        shutil.rmtree(self._lock.parent, ignore_errors=True)
        finally:
            for path in made:
                with suppress(OSError):  # it holds something
                    path.rmdir()

    def check(self, pictures: Iterable[Path], kind: Format = "png", *, video: VideoKind | None = None) -> None:
        """Raises `FolderError` where a painting would write over or delete its own `pictures`, or what is not ours.

        `kind` is the finished picture's format; of a `video` there will be one of this kind too.
        """
        if self._is_of_batch:
            raise FolderError(
                f"{self.folder} holds an unfinished batch: go on with the same `impasto batch`, or give another folder."
            )
        if os.path.lexists(self.folder / TABLE):
            raise FolderError(f"{self.folder} holds the paintings of a batch: give another folder.")
        if self._alone.exists():
            raise FolderError(
                f"{self.folder} holds an unfinished painting: go on with `{_resume_command(self.folder)}`, "
                "or give another folder."
            )
        for picture in pictures:
            places = (picture.parent.resolve() / picture.name, picture.resolve())
            here = [place for place in places if place.parent == self.folder.resolve()]
            if any(is_written(place, kind, video) or self._is_left_over(place) for place in here):
                raise FolderError(f"{picture} would be written over or deleted: give another folder.")
        # By both ways, since a name may be told from another by its capitals alone, and here not be.
        names = fixed_names(kind, video)
        fixed = (self.folder / name for name in names if os.path.lexists(self.folder / name))
        self.check_foreign(*fixed, *(path for path in self.folder.iterdir() if is_written(path, kind, video)))

    def check_foreign(self, *paths: Path) -> None:
        """Raises `FolderError` where one of them is not as Impasto wrote it."""
        with self._failures():
            foreign = sorted({path for path in paths if not self._written.includes(path)})
        if foreign:
            more = f" and {len(foreign) - 1} more" if len(foreign) > 1 else ""
            them = "them" if more else "it"
            raise FolderError(
                f"{foreign[0]}{more} would be written over, and Impasto did not make {them}: "
                f"move {them} away, or give another folder."
            )

    def clear(self) -> None:
        """Delete an earlier, finished painting."""
        for path in list(self.folder.iterdir()):
            if self._is_left_over(path):
                path.unlink()
        self._written.forget()

    def _is_left_over(self, path: Path) -> bool:
        """Whether it is an earlier painting's, which the next one deletes. Raises `FolderError`."""
        with self._failures():
            return is_output(path) and self._written.includes(path)

    @property
    def unfinished(self) -> bool:
        """Whether there is a job to go on with, also of a batch."""
        return self.holds_painting or self._is_of_batch

    @property
    def holds_painting(self) -> bool:
        """Whether there is one unfinished painting in it."""
        return os.path.lexists(self._note)

    @property
    def finished(self) -> bool:
        """Whether there is a finished painting, or a study, in it."""
        return any(os.path.lexists(self.folder / name) for name in ("run.json", "study.json"))

    @property
    def _is_of_batch(self) -> bool:
        return os.path.lexists(self.pairs) and any(self.pairs.glob(f"*/{self._note.name}"))

    def remember(self, job: Job, weights: str, weights_input: str, *, own_redis: bool) -> None:
        """Note the job and how it was asked for, as `Unfinished` has it, so that `--resume` finds them."""
        self._tiles = {tile.iteration: f"{TILE}{tile.file}" for tile in job.tiles}
        self._note.write_text(Unfinished(job.id, weights, weights_input, own_redis).text())

    def forget(self) -> None:
        """Note that there is nothing to go on with any more. Raises `FolderError`."""
        with self._failures():
            self._note.unlink(missing_ok=True)

    def remembered(self) -> Unfinished:
        """What it takes to go on. Raises `FolderError`."""
        try:
            return Unfinished.parse(self._note.read_text())
        except (OSError, ValueError, KeyError):
            finished = " It holds a finished painting." if self.finished else ""
            raise FolderError(f"There is nothing to go on with in {self.folder}.{finished}") from None

    async def save(self, store: Store, event: Event) -> Path | None:
        """Fetch what the event tells of; returns the newest picture's path. Raises `FolderError`."""
        match event:
            case Snapshot(picture=str(key)) | Cancelled(picture=str(key)):
                return await self._fetch(store, key, self._tiles.get(event.iteration, f"{event.iteration:05d}.png"))
            case Notice(best=Best() as best):
                return await self._fetch(store, best.picture, BEST)
            case Done():
                names = RESULTS_OF_STUDIES if self._tiles else {name: name for name in (*RESULTS, *FORMATS)}
                for name, here in names.items():
                    if name in event.files:  # time.png only where sizes are compared, a further format where asked for
                        await self._fetch(store, event.files[name], here)
                return self.folder / names["final.png"]
            case _:
                return None

    @property
    def recipe_code(self) -> str | None:
        """The recipe code of the finished painting here; None of a study, and of what no code holds."""
        record = self.folder / "run.json"
        return json.loads(record.read_text()).get("recipe_code") if record.exists() else None

    async def finish(self, store: Store, job: Job) -> Path:
        """Write the pictures it was made from, and the page that shows it all. Raises `FolderError`."""
        await self._fetch(store, job.content.key, "content.png")
        for number, style in enumerate(job.styles, 1):
            await self._fetch(store, style.key, f"style-{number}.png")
        if job.draft_of is not None:  # whoever finishes it needs all of its pictures
            for kind, masks in (("content", job.content_masks), ("style", job.style_masks)):
                for number, mask in enumerate(masks, 1):
                    await self._fetch(store, mask.key, f"{kind}-mask-{number}.png")
            if job.alpha is not None:
                await self._fetch(store, job.alpha.key, ALPHA)
        name, render = ("run.json", render_page) if job.study is None else ("study.json", render_study_page)
        run: dict[str, Any] = json.loads((self.folder / name).read_text())
        return self.write("index.html", render(run, self.folder).encode())

    def keep_sound(self, video: VideoKind | None, sound: bytes) -> None:
        """Keep a video's sound, empty where it has none, until its film is painted; nothing where it is no video."""
        with self._failures():
            for kind, path in self._sounds.items():
                path.unlink(missing_ok=True)
                if kind == video:
                    path.write_bytes(sound)

    async def film_of_video(self, recipe: Recipe) -> Path | None:
        """Write the painted film as a video with the sound that was kept, where it was one. Raises `FolderError`."""
        for kind, path in self._sounds.items():
            if path.exists() and recipe.frames > 1:
                film = await asyncio.to_thread(painted_video, self.folder, recipe, kind, path.read_bytes())
                return self.write(FILMS_OF_VIDEOS[kind], film)
        return None

    async def _fetch(self, store: Store, key: str, name: str) -> Path:
        return self.write(name, await store.get(key))

    def write(self, name: str, data: bytes) -> Path:
        """All of the file or none of it. Raises `FolderError`."""
        path = self.folder / name
        with self._failures():
            self._written.note(name, data)
            if os.path.lexists(path):
                self.check_foreign(path)  # it may have come while we painted
            partial = self.work / f"{name}.part"
            partial.write_bytes(data)
            return partial.replace(path)

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """What the disk has against it is told as `FolderError`."""
        try:
            yield
        except OSError as error:
            hint = f" Mend it, and go on with `{self.resume_command}`." if self.unfinished else ""
            raise FolderError(f"{self.folder} cannot be written to: {error.strerror}.{hint}") from error

    def _check_room(self) -> None:
        probe = self.work / "room"
        with self._failures():
            try:
                probe.write_bytes(bytes(_ROOM))
            finally:
                probe.unlink(missing_ok=True)

    def _open_lock(self) -> TextIO:
        """The lock's file, locked. Raises `FolderError`."""
        with self._failures():
            own = self._lock.parent
            if own.exists() and any(own.iterdir()) and not (self._lock.exists() or self._alone.exists()):
                raise FolderError(f"{own} was not made by Impasto: move it away, or give another folder.")
            while True:
                self.folder.mkdir(parents=True, exist_ok=True)
                for path in (self.work, own):
                    path.mkdir(parents=True, exist_ok=True, mode=0o700)
                lock = self._lock.open("w")
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    if os.path.samestat(os.fstat(lock.fileno()), self._lock.stat()):
                        return lock
                except BlockingIOError:
                    lock.close()
                    raise FolderError(
                        f"Another command is painting in {self.folder}: wait for its end, or give another folder."
                    ) from None
                except FileNotFoundError:
                    pass  # the command that held it has just ended, and took its file along
                lock.close()


def _resume_command(folder: Path) -> str:
    return f"impasto paint --resume {shlex.quote(str(folder))}"
