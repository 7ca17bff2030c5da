"""Intake: a stranger's bytes become a clean picture, or one sentence that says why not."""

from __future__ import annotations

from bot.intake.frames import frame_files, take_in_frames
from bot.intake.intake import BadPicture, Picture, read_picture_file, spoken, take_in
from bot.intake.kinds import PICTURE_TYPES
from bot.intake.limits import FILM, USUAL, Limits

__all__ = [
    "FILM", "PICTURE_TYPES", "USUAL", "BadPicture", "Limits", "Picture", "frame_files", "read_picture_file", "spoken",
    "take_in", "take_in_frames",
]  # fmt: skip
