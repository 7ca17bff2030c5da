"""What is to be painted: a picture, an animation, a video, or a folder of frames."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from bot import intake


@dataclass(frozen=True)
class ContentFiles:
    """Files that are there to be read; several are the frames of a folder."""

    name: str
    paths: Sequence[Path]
    still: bool
    """Whether of an animation only the first picture is taken."""

    @property
    def video(self) -> intake.VideoKind | None:
        """What its painting is written as, where it is a video, by its name."""
        single = len(self.paths) == 1 and intake.is_video(self.paths[0])
        return intake.painted_kind(self.paths[0]) if single else None

    def read(self, path: Path) -> bytes:
        """The bytes of one of its files. Raises `BadPicture`."""
        return intake.read_picture_file(path, intake.VIDEO if self.video else intake.USUAL)

    async def take_in(self, fps: int) -> intake.Picture:
        """A clean picture, animated where it has several frames; those of a folder follow at `fps`, of a video as many
        are taken.

        Raises `BadPicture`.
        """
        if len(self.paths) > 1:
            return await intake.take_in_frames(self.paths, self.name, round(1000 / fps))
        (path,) = self.paths
        if self.video:
            limits = replace(intake.VIDEO, max_frames=1) if self.still else intake.VIDEO
            return await intake.take_in_video(self.read(path), self.name, fps, limits, self.video)
        limits = intake.USUAL if self.still else intake.FILM
        picture = await intake.take_in(intake.read_picture_file(path), path.name, limits)
        return replace(picture, name=intake.printable_name(self.name))

    async def take_in_alpha(self) -> intake.Picture:
        """How opaque the first picture is, in grey. Raises `BadPicture`."""
        path = self.paths[0]
        return await intake.take_in(intake.read_picture_file(path), path.name, wanted="alpha")


def _is_folder(path: Path) -> bool:
    with suppress(OSError):
        return path.is_dir()
    return False  # reading it says why


def read_content(path: Path, *, still: bool) -> ContentFiles:
    """Look at what lies at `path`. Raises `BadPicture` where it cannot be read."""
    paths = intake.frame_files(path, still=still) if _is_folder(path) else [path]
    content = ContentFiles(path.name, paths, still)
    for file in paths:
        content.read(file)
    return content
