"""Broken, lying and hostile pictures, the same ones for the same seed.

    python tests/bot/malformed.py COUNT [SEED [films]]

takes in every bomb and COUNT mangled files, and prints as JSON what became of them; with `films`, where animations are
taken in whole.
"""

from __future__ import annotations

import asyncio
import io
import json
import logging
import random
import resource
import struct
import sys
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator

import pillow_heif
from PIL import Image, ImageCms

from bot.intake import FILM, USUAL, BadPicture, Decoders, Limits, take_in

SIDES = (48, 32)
KINDS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")

pillow_heif.register_heif_opener()


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """`image` as a file of that kind."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def scene() -> Image.Image:
    """A small picture with no symmetry: red grows to the right, green downwards, blue is even."""
    across = Image.linear_gradient("L").transpose(Image.Transpose.ROTATE_90)
    red, green, blue = across, Image.linear_gradient("L"), Image.new("L", (256, 256), 90)
    return Image.merge("RGB", (red, green, blue)).resize(SIDES)


def valid() -> dict[str, bytes]:
    """One sound file of each accepted kind, and of the variants that take other paths in a decoder."""
    profile = {"icc_profile": b"not a profile"}
    exif = Image.Exif()
    exif[0x0112] = 6
    files = {kind: encoded(scene(), kind) for kind in KINDS}
    return files | {
        "PNG palette": encoded(scene().quantize(16), "PNG", transparency=3),
        "PNG profile and EXIF": encoded(scene(), "PNG", exif=exif.tobytes(), **profile),
        "JPEG progressive": encoded(scene(), "JPEG", progressive=True, exif=exif.tobytes(), **profile),
        "JPEG CMYK": encoded(scene().convert("CMYK"), "JPEG"),
        "WEBP lossless": encoded(scene().convert("RGBA"), "WEBP", lossless=True, exif=exif.tobytes()),
        **{
            f"{kind} moving": encoded(scene(), kind, save_all=True, append_images=[scene().rotate(180)])
            for kind in ("GIF", "PNG", "WEBP", "AVIF")
        },
        "TIFF LZW": encoded(scene(), "TIFF", compression="tiff_lzw"),
        "HEIF of several": encoded(scene(), "HEIF", save_all=True, append_images=[scene().rotate(180)]),
        "HEIF tiled": encoded(scene().resize((200, 150)), "HEIF", tile_size=64, exif=exif.tobytes(), **profile),
        "TIFF JPEG": encoded(scene(), "TIFF", compression="jpeg"),
    }


def mangled(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """`count` files, each a sound one with one to three things done to it."""
    chance = random.Random(seed)
    sound = list(valid().items())
    for number in range(count):
        kind, data = sound[number % len(sound)]
        for _ in range(chance.randint(1, 3)):
            data = chance.choice(WAYS)(bytearray(data), chance) or b"\0"
        yield f"{number} {kind}", data


def _place(data: bytearray, chance: random.Random) -> int:
    """An offset in `data`, half of the time in its first bytes, where the decoders decide things."""
    return chance.randrange(min(len(data), 64) if chance.random() < 0.5 else len(data))


def _truncated(data: bytearray, chance: random.Random) -> bytes:
    return bytes(data[: _place(data, chance)])


def _flipped(data: bytearray, chance: random.Random) -> bytes:
    for _ in range(chance.randint(1, 16)):
        data[_place(data, chance)] ^= 1 << chance.randrange(8)
    return bytes(data)


def _spliced(data: bytearray, chance: random.Random) -> bytes:
    """A stretch of the file copied to somewhere else in it, over what is there or in between."""
    at, source, length = _place(data, chance), _place(data, chance), chance.randint(1, 200)
    over = length if chance.random() < 0.5 else 0
    data[at : at + over] = data[source : source + length]
    return bytes(data)


def _cut_out(data: bytearray, chance: random.Random) -> bytes:
    at = _place(data, chance)
    del data[at : at + chance.randint(1, 40)]
    return bytes(data)


def _overwritten(data: bytearray, chance: random.Random) -> bytes:
    """A number in the file replaced by one from the edges of its range, as sizes and offsets love it."""
    at = _place(data, chance)
    edge = chance.choice((b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\0\0\0\x80", b"\xff\xff"))
    data[at : at + len(edge)] = edge
    return bytes(data)


WAYS = (_truncated, _flipped, _spliced, _cut_out, _overwritten)


def png(width: int, height: int, *chunks: tuple[bytes, bytes], pixels: bytes = b"") -> bytes:
    """A grey PNG whose header says whatever you like; `pixels` are its rows, compressed already."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )


def deflated_zeros(count: int) -> bytes:
    """`count` zeros, compressed about a thousandfold, without ever holding them all."""
    squeezer = zlib.compressobj(9)
    million, rest = bytes(1_000_000), bytes(count % 1_000_000)
    parts = [squeezer.compress(million) for _ in range(count // 1_000_000)]
    return b"".join(parts) + squeezer.compress(rest) + squeezer.flush()


def scan_bomb(side: int, scans: int) -> bytes:
    """A sound progressive JPEG that repeats its last scan: little to send, endless to decode."""
    data = encoded(Image.new("L", (side, side), 128), "JPEG", progressive=True)
    start = data.rindex(b"\xff\xda")
    return data[:start] + data[start:-2] * scans + data[-2:]


def endless_gif(frames: int) -> bytes:
    """A GIF of a hundred thousand frames costs its reader nothing, if only the first is wanted."""
    data = encoded(scene(), "GIF")
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return data[:-1] + frame * frames + b";"


def polyglots() -> dict[str, bytes]:
    """Sound pictures that are something else as well."""
    jpeg = encoded(scene(), "JPEG")
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("run.sh", "echo secret")
    page = b"<html><script>secret()</script></html>"
    gif = encoded(scene(), "GIF")
    return {
        "GIF and web page": gif + page,
        "GIF and script": gif + b"*/=1;secret()//",
        "PNG and ZIP": encoded(scene(), "PNG") + zipped.getvalue(),
        "PNG and script": png(48, 32, (b"tEXt", b"secret\0<?php secret() ?>"), pixels=zlib.compress(bytes(49 * 32))),
        "JPEG and web page": jpeg[:2] + segment(0xFE, page) + jpeg[2:] + page,
        "JPEG and ZIP": jpeg + zipped.getvalue(),
        "BMP and PDF": encoded(scene(), "BMP") + b"%PDF-1.7 secret",
        "WebP and ZIP": encoded(scene(), "WEBP") + zipped.getvalue(),
    }


def segment(kind: int, body: bytes) -> bytes:
    """One of a JPEG's."""
    return bytes((0xFF, kind)) + struct.pack(">H", len(body) + 2) + body


def jpeg_with_profile(size: int) -> bytes:
    """A JPEG with an ICC profile of so many bytes, at most 16 million, in as many pieces as it takes."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile += bytes(size - len(profile))
    profile[:4] = struct.pack(">I", size)
    pieces = [bytes(profile[at : at + 65_000]) for at in range(0, size, 65_000)]
    jpeg = encoded(scene(), "JPEG")
    told = [b"ICC_PROFILE\0" + bytes((number, len(pieces))) + piece for number, piece in enumerate(pieces, 1)]
    return jpeg[:2] + b"".join(segment(0xE2, body) for body in told) + jpeg[2:]


def jpeg_with_exif(size: int) -> bytes:
    """A JPEG with so many bytes of EXIF, at most 65,000: one directory that says it has as many entries as fit."""
    count = (size - 20) // 12
    entries = b"".join(struct.pack("<HHII", tag % 65_536, 2, 0xFFFFFFFF, 8) for tag in range(count))
    jpeg = encoded(scene(), "JPEG")
    exif = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", count) + entries
    return jpeg[:2] + segment(0xE1, exif) + jpeg[2:]


def bombs() -> dict[str, bytes]:
    """Files that claim or cost far more than they weigh; none is a picture that can be taken."""
    jpeg = encoded(scene(), "JPEG")
    sizes = jpeg.index(b"\xff\xc0") + 5
    absurd = b"".join(struct.pack("<HHII", tag % 65536, 12, 0xFFFFFFFF, 8) for tag in range(254, 65700))
    tiff = {256: 50_000, 257: 50_000, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 50_000, 279: 2**32 - 1}
    tags = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tiff.items())
    return {
        "PNG that claims 60000 a side": png(60_000, 60_000, pixels=b"x"),
        "PNG that is cut after its header": png(48, 32)[:40],
        "JPEG that claims 65535 a side": jpeg[:sizes] + b"\xff" * 4 + jpeg[sizes + 4 :],
        "GIF that claims 65535 a side": b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0) + b"\x2c;",
        "BMP that claims 2147483647 a side": b"BM"
        + struct.pack("<IHHIIiiHHIIiiII", 99, 0, 0, 54, 40, 2**31 - 1, 2**31 - 1, 1, 24, 0, 0, 0, 0, 0, 0),
        "WebP that claims 16384 a side": b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\x3f\0\xff\x3f\0" + b"VP8 ",
        "TIFF that claims 50000 a side": b"II*\0\x08\0\0\0" + struct.pack("<H", len(tiff)) + tags + bytes(4),
        "TIFF of absurd tags": b"II*\0\x08\0\0\0\xff\xff" + absurd,
        "TIFF whose directory is itself": b"II*\0\x08\0\0\0\0\0\x08\0\0\0",
        "PNG of 8 a side": png(8, 8, pixels=zlib.compress(bytes(9 * 8))),
        "PNG of 1 by 4000": png(1, 4000, pixels=zlib.compress(bytes(2 * 4000))),
        "PNG of 20 by 4000": png(20, 4000, pixels=zlib.compress(bytes(21 * 4000))),
    }


def heavy() -> dict[str, bytes]:
    """Bombs that may pass for pictures, as long as they cost no more than a picture may."""
    pixels = zlib.compress(bytes(49 * 32))
    nested = b"II*\0\x08\0\0\0\x02\0" + struct.pack("<HHIIHHII", 0x8769, 4, 1, 8, 0x8825, 4, 1, 8) + b"\x08\0\0\0"
    zeros = deflated_zeros(300_000_000)
    return {
        "PNG of 11000 by 10900": png(11_000, 10_900, pixels=deflated_zeros(11_001 * 10_900)),
        "PNG with a profile bomb": png(48, 32, (b"iCCP", b"p\0\0" + zeros), pixels=pixels),
        "PNG with a text bomb": png(48, 32, (b"zTXt", b"t\0\0" + zeros), pixels=pixels),
        "PNG with 300 text bombs": png(48, 32, *[(b"zTXt", b"t\0\0" + deflated_zeros(10**6))] * 300, pixels=pixels),
        "PNG with nested EXIF": png(48, 32, (b"eXIf", nested), pixels=pixels),
        "PNG with 8 MB of EXIF": png(48, 32, (b"eXIf", b"II*\0\x08\0\0\0" + b"\xff" * 8_000_000), pixels=pixels),
        "GIF of 100000 frames": endless_gif(100_000),
        "JPEG with 60 KB of EXIF": jpeg_with_exif(60_000),
        "JPEG with 8 MB of profile": jpeg_with_profile(8_000_000),
        "TIFF with 8 MB of profile": encoded(scene(), "TIFF", icc_profile=bytes(8_000_000)),
        **polyglots(),
    }


async def report(files: Iterable[tuple[str, bytes]], limits: Limits = USUAL) -> dict[str, object]:
    """Take in all of them, two at a time: how many ended how, and what the worst one cost."""
    ends: Counter[str] = Counter()
    slowest = (0.0, "")

    async def one(name: str, data: bytes) -> None:
        nonlocal slowest
        async with pool.take() as decoder:
            started = time.perf_counter()
            try:
                await take_in(data, name, limits, decoder=decoder)
                ends["taken"] += 1
            except BadPicture as bad:
                ends[str(bad).removeprefix(name).strip()] += 1
            slowest = max(slowest, (time.perf_counter() - started, name))

    async with Decoders(2) as pool:
        await asyncio.gather(*(one(name, data) for name, data in files))
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    return {"ends": dict(ends.most_common()), "slowest": slowest, "peak_bytes": peak}


def main() -> None:
    """The command line."""
    count, seed = int(sys.argv[1]), int((sys.argv[2:] or ["0"])[0])
    limits = FILM if "films" in sys.argv[2:] else USUAL
    logging.basicConfig(level=logging.WARNING)
    files = [*bombs().items(), *heavy().items(), *mangled(count, seed)]
    sys.stdout.write(json.dumps(asyncio.run(report(files, limits)), indent=2) + "\n")


if __name__ == "__main__":
    main()
