"""The small copies of a painting's pictures that its card shows."""

from __future__ import annotations

import asyncio
import io
import re
from dataclasses import dataclass

import discord
from PIL import Image

from bot.stored_pngs import Broken, told_as_broken
from engine.contract.models import Job
from engine.contract.store import BlobMissing, Store

_SIDE = 512  # px; what a gallery shows at most
_QUALITY = 88


@dataclass(frozen=True)
class Thumbnail:
    """A small JPEG and the name it is posted under."""

    name: str
    data: bytes

    def file(self) -> discord.File:
        """A fresh file: discord.py sends one that was sent before as zero bytes."""
        return discord.File(io.BytesIO(self.data), filename=self.name)


def marker(job: str) -> str:
    """What the names of all of a job's files begin with."""
    return f"impasto-{job}-"


def job_of(file: str) -> str | None:
    """The job that a file of this name belongs to, if any."""
    found = re.match(r"impasto-([0-9A-Za-z]+)-", file)
    return found and found[1]


async def thumbnails(store: Store, job: Job, painting: str | None = None) -> list[Thumbnail]:
    """Small copies of the content, the styles and, given its key, the `painting`; none where one is missing or broken.

    The first of three is shown as large as the others together.

    Raises `StoreError` while the store does not answer.
    """
    names = ["content", *(f"style-{number}" for number in range(1, len(job.styles) + 1))]
    keys = [job.content.key, *(style.key for style in job.styles)]
    if painting is not None:
        names, keys = ["painting", *names], [painting, *keys]
    try:
        small = [await asyncio.to_thread(small_jpeg, await store.get(key)) for key in keys]
    except (BlobMissing, Broken):
        return []
    return [Thumbnail(f"{marker(job.id)}{name}.jpg", data) for name, data in zip(names, small, strict=True)]


def small_jpeg(png: bytes) -> bytes:
    """A JPEG of at most 512 px a side. Raises `Broken`."""
    buffer = io.BytesIO()
    with told_as_broken(), Image.open(io.BytesIO(png), formats=["PNG"]) as picture:
        picture.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
        picture.convert("RGB").save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()
