"""The finished picture as files, each with its colour profile and how it was made."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, PngImagePlugin

from engine.contract.models import Format
from engine.worker.results import sixteen_bits
from engine.worker.results.metadata import srgb_profile, xmp

_QUALITY = 95


@dataclass(frozen=True)
class FinalPicture:
    """The picture, its pixels before they were rounded, and how opaque it is, unless it is wholly."""

    picture: Image.Image
    levels: npt.NDArray[np.float32]
    """(height, width, 3), 0 to 255."""
    alpha: Image.Image | None
    """Grey, as large as the picture."""

    def encode(self, kind: Format, run: Mapping[str, Any]) -> bytes:
        """The file's bytes; `run` is the painting's record."""
        profile, packet = srgb_profile(), xmp(run)
        if kind in ("png16", "tiff16"):
            write = sixteen_bits.png if kind == "png16" else sixteen_bits.tiff
            return write(self._samples(), profile, packet)
        picture, buffer = self._with_alpha(), io.BytesIO()
        if kind == "png":
            text = PngImagePlugin.PngInfo()
            text.add_itxt("XML:com.adobe.xmp", packet.decode())
            picture.save(buffer, "PNG", compress_level=4, icc_profile=profile, pnginfo=text)
        elif kind == "jpeg":
            self.picture.save(buffer, "JPEG", quality=_QUALITY, subsampling=0, icc_profile=profile, xmp=packet)
        else:
            picture.save(buffer, "WEBP", quality=_QUALITY, method=4, exact=True, icc_profile=profile, xmp=packet)
        return buffer.getvalue()

    def _with_alpha(self) -> Image.Image:
        if self.alpha is None:
            return self.picture
        picture = self.picture.copy()
        picture.putalpha(self.alpha)
        return picture

    def _samples(self) -> sixteen_bits.Samples:
        deep = (np.nan_to_num(self.levels, nan=127.5).clip(0, 255) * 257).round().astype(np.uint16)
        if self.alpha is None:
            return deep
        alpha = np.asarray(self.alpha, np.uint16)[:, :, None] * 257
        return np.concatenate([deep, alpha.astype(np.uint16)], axis=2)
