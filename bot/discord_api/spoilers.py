"""Spoilers: pictures that Discord covers until somebody asks to see them."""

from __future__ import annotations

import discord

_PREFIX = "SPOILER_"
"""How older clients, and discord.py, say so: before the file's name."""


def is_spoiler(attachment: discord.Attachment) -> bool:
    """Whether its sender covers it: newer clients set a flag, and a name that had to be changed is in the title."""
    return attachment.is_spoiler() or (attachment.title or "").startswith(_PREFIX)


def bare_name(file: str) -> str:
    """A file's name without what marks it as a spoiler."""
    while file.startswith(_PREFIX):
        file = file.removeprefix(_PREFIX)
    return file


def is_spoiler_name(file: str) -> bool:
    """Whether a file's name marks it as a spoiler."""
    return file.startswith(_PREFIX)
