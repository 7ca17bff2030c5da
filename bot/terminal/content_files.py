"""What is to be painted: a picture, an animation, or a folder of frames."""

from __future__ import annotations

from collections.abc import Sequence
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

    async def take_in(self, fps: int) -> intake.Picture:
        """A clean picture, animated where it has several frames; those of a folder follow at `fps`.

        Raises `BadPicture`.
        """
        if len(self.paths) > 1:
            return await intake.take_in_frames(self.paths, self.name, round(1000 / fps))
        (path,) = self.paths
        limits = intake.USUAL if self.still else intake.FILM
        picture = await intake.take_in(intake.read_picture_file(path), path.name, limits)
        return replace(picture, name=intake.printable_name(self.name))


def read_content(path: Path, *, still: bool) -> ContentFiles:
    """Look at what lies at `path`. Raises `BadPicture` where it cannot be read."""
    paths = intake.frame_files(path, still=still) if path.is_dir() else [path]
    for file in paths:
        intake.read_picture_file(file)
    return ContentFiles(path.name, paths, still)
