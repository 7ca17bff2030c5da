"""A folder of frames as one clean picture: an animated PNG, which is a picture to everyone else."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import re
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageOps

from bot.decoder.picture_limits import FILM, Limits
from bot.intake.picture import BadPicture, Picture, printable_name, read_picture_file, take_in
from bot.text.titles import ENDINGS
from engine.recipe.recipe import MAX_FRAMES


def frame_files(folder: Path, *, still: bool = False) -> list[Path]:
    """The folder's pictures in the order of their names, numbers by their value; of a `still` one the first alone.

    Raises:
        BadPicture: there are none, or more than a film may have.
    """
    name = printable_name(folder.name or str(folder))
    try:
        files = [path for path in folder.iterdir() if path.suffix[1:].lower() in ENDINGS and path.name[0] != "."]
    except OSError:
        raise BadPicture(f"{name} cannot be read: check that you may open it.") from None
    if not files:
        raise BadPicture(f"{name} holds no pictures: give me a folder of frames, like 001.png, 002.png.")
    if still:
        return [min(files, key=_place)]
    if len(files) > MAX_FRAMES:
        raise BadPicture(
            f"{name} holds {len(files)} pictures, and a film may have {MAX_FRAMES} at most: take a part of them."
        )
    return sorted(files, key=_place)


async def take_in_frames(files: Sequence[Path], name: str, milliseconds: int, limits: Limits = FILM) -> Picture:
    """The files as one film, each shown for so long; those of another shape are cut to the first one's.

    Raises:
        BadPicture: one of them is no picture that can be taken.
        OSError: this machine cannot start a process.
    """
    each = dataclasses.replace(limits, max_frames=1, max_film_pixels=limits.max_film_pixels // len(files))
    clean = [await take_in(read_picture_file(path, limits), path.name, each) for path in files]
    png, frames = await asyncio.to_thread(_film, [picture.png for picture in clean], milliseconds)
    return dataclasses.replace(clean[0], png=png, name=printable_name(name), frames=frames)


def _film(pngs: Sequence[bytes], milliseconds: int) -> tuple[bytes, int]:
    """One animated PNG of clean ones, and how many frames it has: like ones that follow each other become one."""
    first, *further = [Image.open(io.BytesIO(png), formats=["PNG"]) for png in pngs]
    cut = [ImageOps.fit(picture, first.size, Image.Resampling.LANCZOS) for picture in further]
    out = io.BytesIO()
    times = [milliseconds] * len(pngs)
    first.save(out, "PNG", compress_level=1, save_all=True, append_images=cut, duration=times)
    with Image.open(out, formats=["PNG"]) as written:
        return out.getvalue(), getattr(written, "n_frames", 1)


def _place(path: Path) -> tuple[list[tuple[int, str]], str]:
    """What files are sorted by; names like 1 and 01 are as far as each other by number."""
    parts = [part for part in re.split(r"(\d+)", path.name.lower()) if part]
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts], path.name
