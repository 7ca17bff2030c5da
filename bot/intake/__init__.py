"""Intake: a stranger's bytes become a clean picture, or one sentence that says why not."""

from __future__ import annotations

from bot.decoder.picture_limits import FILM, USUAL, VIDEO, Limits
from bot.intake.decoders import Decoder, Decoders
from bot.intake.frames import frame_files, take_in_frames
from bot.intake.picture import BadPicture, Picture, Wanted, printable_name, read_picture_file, take_in
from bot.intake.refused_kinds import PICTURE_TYPES
from bot.intake.video import VideoKind, is_video, painted_kind, take_in_video

__all__ = [
    "FILM", "PICTURE_TYPES", "USUAL", "VIDEO", "BadPicture", "Decoder", "Decoders", "Limits", "Picture", "VideoKind",
    "Wanted", "frame_files", "is_video", "painted_kind", "printable_name", "read_picture_file",
    "take_in", "take_in_frames", "take_in_video",
]  # fmt: skip
