"""A folder of frames, or an animation, as one clean picture: an animated PNG, which is a picture to everyone else."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import math
import re
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageOps

from bot.intake.intake import BadPicture, Picture, read_picture_file, spoken, take_in
from bot.intake.limits import USUAL, Limits
from engine.painting.recipe import MAX_FRAMES

FILM = dataclasses.replace(USUAL, max_frames=MAX_FRAMES)
"""The limits for what may be an animation."""

_KINDS = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"}


def frame_files(folder: Path) -> list[Path]:
    """The folder's pictures in the order of their names, numbers by their value.

    Raises:
        BadPicture: there are none, or more than a film may have.
    """
    name = spoken(folder.name or str(folder))
    try:
        files = [path for path in folder.iterdir() if path.suffix.lower() in _KINDS and not path.name.startswith(".")]
    except OSError:
        raise BadPicture(f"{name} cannot be read: check that you may open it.") from None
    if not files:
        raise BadPicture(f"{name} holds no pictures: give me a folder of frames, like 001.png, 002.png.")
    if len(files) > MAX_FRAMES:
        raise BadPicture(
            f"{name} holds {len(files)} pictures, and a film may have {MAX_FRAMES} at most: take a part of them."
        )
    return sorted(files, key=lambda path: _by_number(path.name))


async def take_in_frames(files: Sequence[Path], name: str, milliseconds: int, limits: Limits = FILM) -> Picture:
    """The files as one film, each shown for so long; those of another shape are cut to the first one's.

    Raises:
        BadPicture: one of them is no picture that can be taken.
        OSError: this machine cannot start a process.
    """
    side = min(limits.max_side, math.isqrt(limits.max_film_pixels // len(files)))
    each = dataclasses.replace(limits, max_side=side, max_frames=1)
    clean = [await take_in(read_picture_file(path, limits), path.name, each) for path in files]
    png, frames = await asyncio.to_thread(_film, [picture.png for picture in clean], milliseconds)
    return dataclasses.replace(clean[0], png=png, name=spoken(name), frames=frames)


def _film(pngs: Sequence[bytes], milliseconds: int) -> tuple[bytes, int]:
    """One animated PNG of clean ones, and how many frames it has: like ones that follow each other become one."""
    first, *further = [Image.open(io.BytesIO(png), formats=["PNG"]) for png in pngs]
    cut = [ImageOps.fit(picture, first.size, Image.Resampling.LANCZOS) for picture in further]
    out = io.BytesIO()
    times = [milliseconds] * len(pngs)
    first.save(out, "PNG", compress_level=1, save_all=True, append_images=cut, duration=times)
    with Image.open(out, formats=["PNG"]) as written:
        return out.getvalue(), getattr(written, "n_frames", 1)


def _by_number(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name.lower()) if part]
