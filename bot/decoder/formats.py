"""The formats that Pillow may open, and Pillow set up for strangers' pictures."""

from __future__ import annotations

import copy  # noqa: F401  # the GIF plugin imports it when it meets a palette
import warnings
from typing import TYPE_CHECKING

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    MpoImagePlugin,  # noqa: F401  # the JPEG plugin imports it when it meets a telephone's picture
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

if TYPE_CHECKING:
    from bot.decoder.picture_limits import Limits

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
"""Formats whose further pictures follow in time, unlike those of a TIFF."""


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
