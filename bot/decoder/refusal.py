"""What is taken, and the answer to what is not."""

from __future__ import annotations

ACCEPTED = "PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF or HEIC"
"""The kinds of picture that are read, as they stand in a sentence."""


class Refusal(Exception):  # it is an answer, not an error
    """Why the picture is not taken: a sentence without its subject."""
