"""Intake: a stranger's bytes become a clean picture, or one sentence that says why not."""

from __future__ import annotations

from bot.intake.intake import BadPicture, Picture, read_picture_file, take_in
from bot.intake.limits import Limits

__all__ = ["BadPicture", "Limits", "Picture", "read_picture_file", "take_in"]
