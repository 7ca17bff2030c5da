"""Any mode, depth and profile as 8 bits a channel in sRGB."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import cast

from PIL import Image, ImageCms

from bot.decoder.transparency import Paper


def plain(image: Image.Image, paper: Paper) -> Image.Image:
    """A copy of the picture with 8 bits a channel, no palette and no transparency: L, RGB or CMYK.

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
