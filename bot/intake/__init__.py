"""Intake: a stranger's bytes become a clean picture, or one sentence that says why not."""

from __future__ import annotations

from bot.decoder.limits import FILM, USUAL, Limits
from bot.intake.frames import frame_files, take_in_frames
from bot.intake.picture import BadPicture, Picture, printable_name, read_picture_file, take_in
from bot.intake.refused_kinds import PICTURE_TYPES

__all__ = [
    "FILM", "PICTURE_TYPES", "USUAL", "BadPicture", "Limits", "Picture", "frame_files", "printable_name",
    "read_picture_file", "take_in", "take_in_frames",
]  # fmt: skip
