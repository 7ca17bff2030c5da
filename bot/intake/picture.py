"""Take in a picture from a stranger.

The bytes are opened in a child process (`bot/decoder`), so that whatever they do to the decoder, the
bot gets a clean picture or says one sentence.
"""

from __future__ import annotations

import json
import logging
import signal
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from bot.decoder.picture_limits import USUAL, Limits
from bot.intake.decoders import Decoder, DecoderLost
from bot.intake.refused_kinds import may_be_heif, why_refused

NAMELESS = "The picture"
"""What a picture without a name is called in a sentence."""

log = logging.getLogger(__name__)


class BadPicture(Exception):  # it is an answer to the sender, not an error of ours
    """The picture is not taken; `str()` is one plain sentence that says why and what to do."""


@dataclass(frozen=True)
class Picture:
    """A clean picture: upright, sRGB, opaque, without metadata."""

    png: bytes = field(repr=False)
    """RGB, 8 bits a channel; animated where it has several frames."""

    width: int
    """Pixels, of `png`."""

    height: int
    """Pixels, of `png`."""

    name: str
    """The picture's name as the sender gave it, made safe to print."""

    original_width: int
    """Pixels, of the file that came in, once it is turned upright."""

    original_height: int
    """Pixels, of the file that came in, once it is turned upright."""

    frames: int = 1
    """How many pictures an animation has; 1 for a picture that is none."""

    sound: bytes = field(default=b"", repr=False)
    """A video's sound, as an MP4 file; empty without one."""


Wanted = Literal["picture", "mask", "alpha"]
"""A picture; a mask, of which what is transparent counts as black; or, in grey, how opaque a picture is."""


async def take_in(
    data: bytes, name: str = NAMELESS, limits: Limits = USUAL, wanted: Wanted = "picture",
    decoder: Decoder | None = None,
) -> Picture:  # fmt: skip
    """Turn a stranger's bytes into a clean picture.

    One child process runs for it, and is gone when this returns, raises or is cancelled; it is forked from the one
    of `decoder`, or from one that then ends too. Nothing here counts the children: callers decide how many run at
    once, each up to `limits.memory`.

    Raises:
        BadPicture: the bytes are no picture that can be taken; nothing else is raised about them.
        OSError: this machine cannot start a process.
    """
    name = printable_name(name)
    if not data:
        raise BadPicture(f"{name} is empty: send a picture that holds something.")
    _check_bytes(name, len(data), limits)
    if saying := why_refused(data):
        raise BadPicture(f"{name} {saying}")
    arguments = [json.dumps(asdict(limits)), wanted, *(["heif"] if may_be_heif(data) else [])]
    # A PNG of noise is a little more than its pixels; a hijacked decoder must not fill our memory.
    pixels = limits.max_side**2 if limits.max_frames == 1 else max(limits.max_side**2, limits.max_film_pixels)
    most = 4 * pixels + 2**16
    try:
        async with AsyncExitStack() as stack:
            if decoder is None:
                decoder = await stack.enter_async_context(Decoder())
            returncode, answer = await decoder.decode(arguments, data, most, limits.seconds)
    except DecoderLost:
        log.warning("the process of the decoders has ended")
        raise BadPicture(f"{name} {_CRASHED}") from None
    except TimeoutError:
        log.warning("the decoder was killed after %g s", limits.seconds)
        raise BadPicture(f"{name} {TOO_LONG}") from None
    return parse_answer(name, returncode, answer)


def read_picture_file(path: Path, limits: Limits = USUAL) -> bytes:
    """The bytes of the picture at `path`, which is measured before it is read.

    Raises:
        BadPicture: there is no such file, or it is not one, cannot be read or is too large.
    """
    name = printable_name(path.name or str(path))
    try:
        if path.is_dir():
            raise BadPicture(f"{name} is a folder: give me the picture inside it.")
        # A pipe or a device would never end, and has no size to measure.
        if path.exists() and not path.is_file():
            raise BadPicture(f"{name} is not an ordinary file: give me a picture file.")
        with path.open("rb") as file:
            _check_bytes(name, path.stat().st_size, limits)
            data = file.read(limits.max_bytes + 1)
    except FileNotFoundError:
        raise BadPicture(f"{name} does not exist: check the name and the folder.") from None
    except (OSError, ValueError):
        raise BadPicture(f"{name} cannot be read: check that you may open it.") from None
    _check_bytes(name, len(data), limits)
    return data


TOO_LONG = "takes too long to open: send a smaller or simpler copy."
_CRASHED = "cannot be opened safely: save it again as JPEG or PNG and send that."


def parse_answer(name: str, returncode: int, answer: bytes) -> Picture:
    """The decoder's answer as a picture, or raised as `BadPicture`."""
    if returncode != 0:
        log.warning("the decoder ended with return code %d", returncode)
        raise BadPicture(f"{name} {TOO_LONG if returncode == -signal.SIGXCPU else _CRASHED}")
    first, _, blobs = answer.partition(b"\n")
    try:
        said = json.loads(first)
        if "refusal" in said:
            log.info("the decoder refused a picture: %r", said["why"])
            raise BadPicture(f"{name} {_printable(said['refusal'])}")
        end = len(blobs) - int(said.pop("sound", 0))
        return Picture(png=blobs[:end], sound=blobs[end:], name=name, **said)
    except (ValueError, TypeError, KeyError, AttributeError):
        log.warning("the decoder ended well but spoke nonsense: %r", first[:100])
        raise BadPicture(f"{name} {_CRASHED}") from None


def _check_bytes(name: str, size: int, limits: Limits) -> None:
    if size > limits.max_bytes:
        raise BadPicture(
            f"{name} is {size / 2**20:.1f} MB, and {limits.max_bytes / 2**20:g} MB is the most I take: "
            "send a smaller copy."
        )


def printable_name(name: str) -> str:
    """A stranger's file name, fit to stand in a sentence: printable, one line, about 50 letters at most."""
    name = _printable(name)
    if len(name) > 50:
        name = f"{name[:36]}…{name[-12:]}"  # the end is kept because it says the kind
    return name or NAMELESS


def _printable(text: str) -> str:
    """`text` on one line, without control characters or those that turn the writing direction."""
    words = " ".join(text.split())
    return "".join(letter for letter in words if letter.isprintable())
