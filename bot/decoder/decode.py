"""From a file's bytes to a clean picture or film, or to the sentence that says why not."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from PIL import Image, UnidentifiedImageError

from bot.decoder.colours import in_srgb, plain
from bot.decoder.formats import ANIMATED, FORMATS
from bot.decoder.refusal import ACCEPTED, Refusal
from bot.decoder.scaled_size import allowed, check_shape
from bot.decoder.transparency import Paper, opacity

if TYPE_CHECKING:
    from bot.decoder.picture_limits import Limits

TOO_SHORT_MS, USUAL_MS = 20, 100
"""A picture that is to be shown for less than the one is shown for the other, as browsers do."""

ORIENTATIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def answer_for(data: bytes, limits: Limits, wanted: str = "picture") -> tuple[dict[str, Any], bytes]:
    """The answer's first line and the PNG that follows it (empty after a refusal)."""
    try:
        return cleaned(data, limits, wanted)
    except Refusal as refusal:
        return {"refusal": str(refusal), "why": "refused"}, b""
    except Exception as error:  # a broken picture can raise anything out of Pillow
        return {"refusal": sentence_for(error, limits), "why": f"{type(error).__name__}: {error}"[:300]}, b""


def sentence_for(error: Exception, limits: Limits) -> str:
    """What `error`, raised by Pillow, means to the one who sent the picture."""
    if isinstance(error, Image.DecompressionBombError):
        most = limits.max_pixels / 1e6
        return f"has more than {most:g} million pixels, the most I can open: send a smaller copy."
    if isinstance(error, UnidentifiedImageError):
        return f"is not a picture I can read, or is damaged: send it as {ACCEPTED}."
    if isinstance(error, MemoryError):
        return "needs more memory to open than I may use: send a smaller copy."
    return "is damaged or cut short: save it again as JPEG or PNG and send that."


def cleaned(data: bytes, limits: Limits, wanted: str) -> tuple[dict[str, Any], bytes]:
    """Decode `data`; raises `Refusal`, or whatever Pillow raises."""
    paper = Paper(mask=wanted == "mask")
    with Image.open(io.BytesIO(data), formats=FORMATS) as file:
        size = file.size
        check_shape(size, limits)
        if limits.max_frames > 1 and file.format in ANIMATED and getattr(file, "n_frames", 1) > 1:
            return film(file, limits, paper)
        target = allowed(size, limits, 1)
        file.draft(None, target)
        file.load()
        turn = orientation(file)
        profile = None if wanted == "alpha" else file.info.get("icc_profile")
        image: Image.Image = opacity(file) if wanted == "alpha" else plain(file, paper)
    image = finished(image, target, profile, turn)
    width, height = reversed(size) if turn >= 5 else size
    png = io.BytesIO()
    image.save(png, "PNG", compress_level=1)
    sizes = {"width": image.width, "height": image.height, "original_width": width, "original_height": height}
    return sizes, png.getvalue()


def film(file: Image.Image, limits: Limits, paper: Paper) -> tuple[dict[str, Any], bytes]:
    """All pictures of an animation as an animated PNG, each with its time; raises as `cleaned` does."""
    # A PNG's picture for programs that know no animations is no part of it.
    numbers = range(int(bool(file.info.get("default_image"))), file.n_frames)  # type: ignore[attr-defined]
    count, most = len(numbers), limits.max_frames
    if count > most:
        raise Refusal(f"has {count} pictures, and a film may have {most} at most: send a part of it, or one picture.")
    size = file.size
    target = allowed(size, limits, count)
    frames: list[Image.Image] = []
    times: list[int] = []
    for number in numbers:
        file.seek(number)
        file.load()
        shown = round(file.info.get("duration") or 0)
        turn = orientation(file)
        image = finished(plain(file, paper), target, file.info.get("icc_profile"), turn)
        times.append(shown if shown >= TOO_SHORT_MS else USUAL_MS)
        frames.append(image)
    width, height = reversed(size) if turn >= 5 else size
    png, kept = animated(frames, times)
    first = frames[0]
    sizes = {"width": first.width, "height": first.height, "original_width": width, "original_height": height}
    return sizes | {"frames": kept}, png


def animated(frames: list[Image.Image], times: list[int]) -> tuple[bytes, int]:
    """The animated PNG, and how many frames it has: like pictures that follow each other become one."""
    png = io.BytesIO()
    first, *further = frames
    first.save(png, "PNG", compress_level=1, save_all=True, append_images=further, duration=times)
    with Image.open(png, formats=["PNG"]) as written:
        return png.getvalue(), getattr(written, "n_frames", 1)


def finished(image: Image.Image, target: tuple[int, int], profile: object, turn: int) -> Image.Image:
    """The plain picture at its size, in sRGB, upright, and nothing else."""
    if image.size != target:
        image = image.resize(target, Image.Resampling.LANCZOS, reducing_gap=3.0)
    image = in_srgb(image, profile)
    if turn in ORIENTATIONS:
        image = image.transpose(ORIENTATIONS[turn])
    image.info = {}  # or Pillow would write the profile, the transparency and more into the PNG
    return image


def orientation(image: Image.Image) -> int:
    """Which way up the picture wants to be shown, 1 to 8; broken EXIF counts as upright.

    To be asked after loading: a TIFF turns itself while it loads, a PNG may keep its EXIF at the end.
    """
    try:
        value = image.getexif().get(0x0112)
    except Exception:  # any bytes may claim to be EXIF
        return 1
    return value if isinstance(value, int) and value in ORIENTATIONS else 1
