"""Pictures as tensors: (1, 3, height, width), float32, RGB, in 8-bit levels (0 to 255)."""

from __future__ import annotations

import hashlib

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

SMALLEST_SIDE = 16
"""Px; the shortest side that still leaves one position after VGG19's four poolings."""


def fitted_size(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """(width, height) scaled, up or down, so that the longest side is `longest` px; proportions kept.

    A side that would fall below `SMALLEST_SIDE` is stretched to it.
    """
    ratio = longest / max(size)
    width, height = (max(SMALLEST_SIDE, round(side * ratio)) for side in size)
    return width, height


def fit(picture: Image.Image, longest: int) -> Image.Image:
    """The picture at its fitted size, in RGB (Lanczos)."""
    size = fitted_size(picture.size, longest)
    rgb = picture.convert("RGB")
    return rgb if size == picture.size else rgb.resize(size, Image.Resampling.LANCZOS)


def cut_to(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The picture at exactly (width, height), in RGB (Lanczos); what does not fit the proportions is cut off evenly."""
    return ImageOps.fit(picture.convert("RGB"), size, Image.Resampling.LANCZOS)


def to_tensor(picture: Image.Image) -> Tensor:
    """The picture as a (1, 3, height, width) float32 tensor of 8-bit levels, on the CPU."""
    array = np.asarray(picture.convert("RGB"), dtype=np.float32)
    return torch.from_numpy(array).permute(2, 0, 1).unsqueeze(0).contiguous()


def to_picture(levels: Tensor) -> Image.Image:
    """The tensor (1, 3, height, width), rounded and clipped to 8 bits; what is not finite becomes mid-grey."""
    levels = torch.nan_to_num(levels.detach(), nan=127.5, posinf=127.5, neginf=127.5).round().clamp(0, 255)
    array = levels.to("cpu", torch.uint8)[0].permute(1, 2, 0).contiguous().numpy()
    return Image.fromarray(array, "RGB")


def pixels_sha256(picture: Image.Image) -> str:
    """Sixty-four hex digits over size and RGB bytes: equal exactly when the pixels are equal."""
    digest = hashlib.sha256(f"{picture.width}x{picture.height} RGB\n".encode())
    digest.update(picture.convert("RGB").tobytes())
    return digest.hexdigest()


def grey(picture: Tensor) -> Tensor:
    """The luminance of (1, 3, height, width) in levels, in all three channels."""
    return _luminance(picture).expand(-1, 3, -1, -1).contiguous()


def coloured(painting: Image.Image, like: Image.Image) -> Image.Image:
    """The painting's luminance with the chroma of `like`, which has the same size.

    In YIQ and back (Gatys et al. 2017, section 5.1): to exchange Y adds the same to R, G and B. Clipped to 8 bits.
    """
    levels, other = to_tensor(painting), to_tensor(like)
    return to_picture(other + (_luminance(levels) - _luminance(other)))


def match_luminance(picture: Tensor, like: Tensor) -> Tensor:
    """`picture` with the mean and deviation of luminance that `like` has (Gatys et al. 2017, eq. 10).

    Both (1, 3, height, width) in levels; the result is clipped to 0 to 255.
    """
    own, other = _luminance(picture), _luminance(like)
    gain = other.std() / own.std().clamp_min(1.0)
    return (picture + (own - own.mean()) * (gain - 1) + other.mean() - own.mean()).clamp(0, 255)


def _luminance(picture: Tensor) -> Tensor:
    """Y of YIQ, (1, 1, height, width)."""
    return (picture * torch.tensor((0.299, 0.587, 0.114)).view(1, 3, 1, 1)).sum(1, keepdim=True)
