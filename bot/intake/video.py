"""Take in a video: its frames as an animation, and its sound. PyAV is wanted, which brings FFmpeg's libraries."""

from __future__ import annotations

import asyncio
import json
import signal
from asyncio.subprocess import DEVNULL, PIPE
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Literal

from bot.child_signals import send
from bot.decoder.picture_limits import Limits
from bot.intake.decoders import COMMAND, environment
from bot.intake.picture import TOO_LONG, BadPicture, Picture, log, parse_answer, printable_name

VideoKind = Literal["mp4", "webm"]
"""What a painted video is written as."""
_KINDS = {".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".mpg", ".mpeg"}


def is_video(path: Path) -> bool:
    """Whether the file is a video, by its name."""
    return path.suffix.lower() in _KINDS


def painted_kind(path: Path) -> VideoKind:
    """What the painting of this video is written as: a WebM as one again, all others as MP4, which plays everywhere."""
    return "webm" if path.suffix.lower() == ".webm" else "mp4"


async def take_in_video(data: bytes, name: str, fps: float, limits: Limits, kind: VideoKind = "mp4") -> Picture:
    """The frames, at most `fps` a second, as an animated picture, with its sound in a file of this `kind`, if any.

    Raises:
        BadPicture: the bytes are no video that can be taken, or PyAV is not installed.
        OSError: this machine cannot start a process.
    """
    name = printable_name(name)
    try:
        libraries = sorted({str(distribution(package).locate_file("")) for package in ("av", "pillow")})
    except PackageNotFoundError:
        raise BadPicture(
            f"{name} is a video, and PyAV, which opens those, is not installed: `.venv/bin/uv pip install av`."
        ) from None
    child = await asyncio.create_subprocess_exec(
        *COMMAND, "bot.decoder.video", json.dumps(asdict(limits)), str(fps), kind,
        stdin=PIPE, stdout=PIPE, stderr=DEVNULL, cwd="/", env=environment(libraries), start_new_session=True,
    )  # fmt: skip
    try:
        async with asyncio.timeout(limits.seconds):
            answer, _ = await child.communicate(data)
    except TimeoutError:
        log.warning("the decoder of videos was killed after %g s", limits.seconds)
        raise BadPicture(f"{name} {TOO_LONG}") from None
    finally:
        send(child, signal.SIGKILL)
        await child.wait()
    assert child.returncode is not None  # noqa: S101 - it was waited for
    return parse_answer(name, child.returncode, answer)
