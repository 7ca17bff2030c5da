"""The child that opens one stranger's picture and can do nothing else.

Standard input: the file's bytes. Arguments: the `Limits`, as JSON; what is wanted, `picture`, `mask` or
`alpha` (how opaque it is); and `heif`, where it may be HEIF. Standard output: one line of JSON, then, if
that line holds no "refusal", the clean picture as an RGB PNG without metadata; animated, where an
animation is asked for and is one.

It imports nothing of the bot, so that it starts fast, and everything it will ever import before it
sees a single byte of the picture, so that by then it can be denied files, sockets and processes.
"""

from __future__ import annotations

import copy  # noqa: F401  # the GIF plugin imports it when it meets a palette
import ctypes
import errno
import io
import json
import math
import os
import resource
import signal
import struct
import sys
import warnings
from contextlib import suppress
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageCms,
    JpegImagePlugin,
    MpoImagePlugin,  # noqa: F401  # the JPEG plugin imports it when it meets a telephone's picture
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

if TYPE_CHECKING:
    from bot.intake.limits import Limits

FORMATS = [
    str(kind.format)
    for kind in (
        PngImagePlugin.PngImageFile,
        JpegImagePlugin.JpegImageFile,
        WebPImagePlugin.WebPImageFile,
        GifImagePlugin.GifImageFile,
        BmpImagePlugin.BmpImageFile,
        TiffImagePlugin.TiffImageFile,
        AvifImagePlugin.AvifImageFile,
    )
]

ANIMATED = ("GIF", "WEBP", "PNG", "AVIF")
"""Of them those whose further pictures follow in time; those of a TIFF do not."""

TOO_SHORT_MS, USUAL_MS = 20, 100
"""A picture that is to be shown for less than the one is shown for the other, as browsers do."""

ACCEPTED = "PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF or HEIC"
"""The same as `refused_kinds.ACCEPTED`, which is out of reach here; a test holds them together."""

WHITE, BLACK = (255, 255, 255), (0, 0, 0)

ORIENTATIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class Refusal(Exception):  # it is an answer, not an error
    """Why the picture is not taken: a sentence without its subject."""


def main() -> None:
    """Answer for the picture on standard input; the process ends well whatever that picture is."""
    limits = cast("Limits", SimpleNamespace(**json.loads(sys.argv[1])))
    heif = "heif" in sys.argv[3:]
    prepare(limits, heif=heif)
    give_up_rights(limits, threads=heif)
    answer, png = answer_for(sys.stdin.buffer.read(), limits, sys.argv[2])
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + png)
    sys.stdout.buffer.flush()


def prepare(limits: Limits, *, heif: bool) -> None:
    """Set Pillow up: its own imports done, its bomb check at our limit, no threads, no warnings."""
    warnings.simplefilter("ignore")
    Image.preinit()
    if heif:  # another library, which no other picture shall meet
        import pillow_heif  # noqa: PLC0415

        # What else such a file holds, small copies and maps of depth, may show something else.
        pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=0)
        FORMATS.append(pillow_heif.HeifImageFile.format)
    # Pillow refuses at twice this number, and before it allocates anything.
    Image.MAX_IMAGE_PIXELS = limits.max_pixels // 2
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1


def give_up_rights(limits: Limits, *, threads: bool) -> None:
    """Give up, for good, whatever a hijacked decoder could use; the open pipes stay, and `threads` where they must."""
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)
    for what, most, reserve in (
        (resource.RLIMIT_AS, limits.memory, 0),
        # The first limit ends the process by SIGXCPU, which tells the bot why; the second by SIGKILL.
        (resource.RLIMIT_CPU, limits.cpu_seconds, 1),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_NOFILE, 0, 0),
        # To Linux a thread is a process. Where it knows no difference, a decoder that needs one fails.
        *([] if threads and forbid_processes() else [(resource.RLIMIT_NPROC, 0, 0)]),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        _, ceiling = resource.getrlimit(what)
        hard = most + reserve if ceiling == resource.RLIM_INFINITY else min(most + reserve, ceiling)
        try:
            resource.setrlimit(what, (min(most, hard), hard))
        except (ValueError, OSError):
            if sys.platform == "linux" or what != resource.RLIMIT_AS:  # macOS bounds no address space
                raise


# (code, jump if so, jump if not, value), as the kernel has it in linux/filter.h and linux/seccomp.h.
Instruction = tuple[int, int, int, int]

LOAD, EQUAL, AT_LEAST, ANY_BIT, ANSWER = 0x20, 0x15, 0x35, 0x45, 0x06
KILL, ALLOW, ERRNO = 0x80000000, 0x7FFF0000, 0x00050000
NUMBER_AT, MACHINE_AT, FIRST_ARGUMENT_AT = 0, 4, 16
CLONE_THREAD, FOREIGN_ABI = 0x10000, 0x40000000

SYSTEM_CALLS = {  # the machine's number; clone; clone3; fork, vfork, execve and execveat, as far as it has them
    "x86_64": (0xC000003E, 56, 435, (57, 58, 59, 322)),
    "aarch64": (0xC00000B7, 220, 435, (221, 281)),
}


def forbid_processes() -> bool:
    """Allow threads, but no further process and no other program; whether that can be done here."""
    if sys.platform != "linux" or os.uname().machine not in SYSTEM_CALLS:
        return False
    machine, clone, clone3, others = SYSTEM_CALLS[os.uname().machine]
    refuse, not_there = (ANSWER, 0, 0, ERRNO | errno.EPERM), (ANSWER, 0, 0, ERRNO | errno.ENOSYS)
    program: list[Instruction] = [
        (LOAD, 0, 0, MACHINE_AT), (EQUAL, 1, 0, machine), (ANSWER, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER_AT), (AT_LEAST, 0, 1, FOREIGN_ABI), refuse,
        *(step for number in others for step in ((EQUAL, 0, 1, number), refuse)),
        (EQUAL, 0, 1, clone3), not_there,  # it hides its flags; the C library then takes the older one
        (EQUAL, 0, 3, clone), (LOAD, 0, 0, FIRST_ARGUMENT_AT), (ANY_BIT, 1, 0, CLONE_THREAD), refuse,
        (ANSWER, 0, 0, ALLOW),
    ]  # fmt: skip
    code = b"".join(struct.pack("=HBBI", *step) for step in program)
    buffer = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("@HP", len(program), ctypes.addressof(buffer))
    no_new_privileges, set_seccomp, by_filter = 38, 22, 2
    prctl = ctypes.CDLL(None).prctl
    return not prctl(no_new_privileges, 1, 0, 0, 0) and not prctl(set_seccomp, by_filter, header)


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


def check_shape(size: tuple[int, int], limits: Limits) -> None:
    """Refuse what is too small or too thin to paint; `size` is in pixels, from the header."""
    width, height = size
    if min(size) < limits.min_side:
        raise Refusal(
            f"is {width} × {height} pixels, and each side needs at least {limits.min_side}: send a larger picture."
        )
    if max(size) > limits.max_ratio * min(size):
        raise Refusal(
            f"is {width} × {height} pixels, which is too long and thin: "
            f"send one whose longer side is at most {limits.max_ratio:g} times its shorter side."
        )


def allowed(size: tuple[int, int], limits: Limits, count: int) -> tuple[int, int]:
    """The size of each of `count` pictures in the result."""
    side = math.isqrt(int(limits.max_film_pixels / count * max(size) / min(size)))
    return fitted(size, min(limits.max_side, side))


def fitted(size: tuple[int, int], max_side: int) -> tuple[int, int]:
    """`size` scaled down, if it must be, so that the longer side is `max_side`."""
    scale = min(1.0, max_side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def orientation(image: Image.Image) -> int:
    """Which way up the picture wants to be shown, 1 to 8; broken EXIF counts as upright.

    To be asked after loading: a TIFF turns itself while it loads, a PNG may keep its EXIF at the end.
    """
    try:
        value = image.getexif().get(0x0112)
    except Exception:  # any bytes may claim to be EXIF
        return 1
    return value if isinstance(value, int) and value in ORIENTATIONS else 1


class Paper:
    """What lies under a picture where it is transparent, the same under every picture of an animation.

    White, unless hardly anything would show on that. Under a mask black, for what was not painted is not meant.
    """

    def __init__(self, *, mask: bool) -> None:
        self._mask = mask
        self._colour = BLACK if mask else None

    def under(self, layer: Image.Image) -> Image.Image:
        """The RGBA picture, opaque."""
        alpha = layer.getchannel("A")
        if alpha.getextrema() == (0, 0) and not is_flat(layer.convert("RGB")):
            return layer.convert("RGB")  # some programs leave that channel empty where they mean none
        if self._colour is None and alpha.getextrema() != (0, 0):
            self._colour = BLACK if is_white_on_clear(layer) else WHITE
        paper = Image.new("RGB", layer.size, self._colour or WHITE)
        paper.paste(layer, mask=layer)
        if self._mask and is_flat(paper):
            return alpha.convert("RGB")  # a shape that is drawn in black
        return paper


def opacity(image: Image.Image) -> Image.Image:
    """How opaque the picture is, in grey; white where it has no transparency, or that channel was left empty."""
    if image.has_transparency_data:
        alpha = (image if image.mode == "RGBA" else image.convert("RGBA")).getchannel("A")
        if alpha.getextrema() != (0, 0):
            return alpha
    return Image.new("L", image.size, 255)


def is_flat(image: Image.Image) -> bool:
    """Whether the RGB picture is of one colour, give or take what nobody sees."""
    most = 8
    return all(high - low <= most for low, high in cast("tuple[tuple[int, int], ...]", image.getextrema()))


def is_white_on_clear(layer: Image.Image) -> bool:
    """Whether the RGBA picture is for the most part white, and what is around that is transparent."""
    small = layer.resize((128, 128), Image.Resampling.NEAREST)
    pixels = cast("list[tuple[int, int, int, int]]", list(small.getdata()))
    visible = sum(alpha for *_, alpha in pixels)
    white = sum(alpha for *colour, alpha in pixels if min(colour) > 225)
    clear = sum(alpha < 128 for *_, alpha in pixels)
    return clear > 0.05 * len(pixels) and white > 0.75 * visible


def plain(image: Image.Image, paper: Paper) -> Image.Image:
    """The same picture with 8 bits a channel, no palette and no transparency: L, RGB or CMYK.

    CMYK is left as it is because its colour profile has to see it so.
    """
    if image.mode in ("L", "RGB", "CMYK") and not image.has_transparency_data:
        return image
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return eight_bits(image)
    if image.mode == "1":
        return image.convert("L")
    if image.has_transparency_data:
        # Converting a picture into its own mode would copy it, half a gigabyte at the worst.
        return paper.under(image if image.mode == "RGBA" else image.convert("RGBA"))
    return image.convert("RGB")


def eight_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 bits, whose whole range counts, or of 32 bits or floats, stretched between its extremes.

    Left to itself Pillow would clip: everything above 255 would be white.
    """
    if image.mode.startswith("I;16"):
        low, high = 0.0, 65535.0
        image = image if image.mode == "I;16" else image.convert("I")
    else:
        low, high = cast("tuple[float, float]", image.getextrema())
    scale = 255 / ((high - low) or 1)
    # The half is for rounding: Pillow cuts fractions off.
    return image.point(lambda value: value * scale + (0.5 - low * scale)).convert("L")


def in_srgb(image: Image.Image, profile: object) -> Image.Image:
    """The picture's colours as sRGB has them; a profile that is broken or does not fit is ignored."""
    if isinstance(profile, bytes) and profile:
        with suppress(Exception):
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            srgb = ImageCms.createProfile("sRGB")
            changed = ImageCms.profileToProfile(image, source, srgb, outputMode="RGB")
            if changed is not None:
                return changed
    return image.convert("RGB")


if __name__ == "__main__":
    main()
