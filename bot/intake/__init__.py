"""Intake: a stranger's bytes become a clean picture, or one sentence that says why not."""

from __future__ import annotations

from bot.intake.intake import BadPicture, Picture, read_picture_file, spoken, take_in
from bot.intake.limits import USUAL, Limits

__all__ = ["USUAL", "BadPicture", "Limits", "Picture", "read_picture_file", "spoken", "take_in"]
