"""Pictures as tensors: (1, 3, height, width), float32, RGB, in 8-bit levels (0 to 255)."""

from __future__ import annotations

import hashlib
from typing import cast

import numpy as np
import torch
from PIL import Image, ImageChops, ImageOps
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
    return from_bytes(to_bytes(levels).cpu())


def to_bytes(levels: Tensor) -> Tensor:
    """Levels (1, 3, height, width), rounded and clipped, as (height, width, 3) bytes where the tensor is."""
    levels = torch.nan_to_num(levels.detach(), nan=127.5, posinf=127.5, neginf=127.5).round().clamp(0, 255)
    return levels.to(torch.uint8)[0].permute(1, 2, 0).contiguous()


def from_bytes(levels: Tensor) -> Image.Image:
    """The picture of (height, width, 3) bytes on the CPU."""
    return Image.fromarray(levels.numpy(), "RGB")


def pixels_sha256(picture: Image.Image) -> str:
    """Sixty-four hex digits over size and RGB bytes: equal exactly when the pixels are equal."""
    digest = hashlib.sha256(f"{picture.width}x{picture.height} RGB\n".encode())
    digest.update(picture.convert("RGB").tobytes())
    return digest.hexdigest()


def is_colourless(picture: Image.Image) -> bool:
    """Whether all channels are alike everywhere, but for what compression leaves behind."""
    most = 4
    red, green, blue = picture.convert("RGB").split()
    differences = (ImageChops.difference(red, green), ImageChops.difference(green, blue))
    return all(cast("tuple[int, int]", difference.getextrema())[1] <= most for difference in differences)


def grey(picture: Tensor) -> Tensor:
    """The luminance of (1, 3, height, width) in levels, in all three channels."""
    return _luminance(picture).expand(-1, 3, -1, -1).contiguous()


def coloured(painting: Image.Image, like: Image.Image) -> Image.Image:
    """The painting's luminance with the chroma of `like`, which has the same size. Clipped to 8 bits."""
    return to_picture(with_chroma(to_tensor(painting), to_tensor(like)))


def with_chroma(painting: Tensor, like: Tensor) -> Tensor:
    """The painting's luminance with the chroma of `like`, both (1, 3, height, width) in levels; not clipped.

    In YIQ and back (Gatys et al. 2017, section 5.1): to exchange Y adds the same to R, G and B.
    """
    return like + (_luminance(painting) - _luminance(like))


def match_luminance(
    picture: Tensor, like: Tensor, *, weight: Tensor | None = None, like_weight: Tensor | None = None
) -> Tensor:
    """`picture` with the mean and deviation of luminance that `like` has (Gatys et al. 2017, eq. 10).

    Both (1, 3, height, width) in levels; the weights, (1, 1, height, width) and not 0 everywhere, say how much each
    pixel of the one and of the other counts. The result is clipped to 0 to 255.
    """
    own = _luminance(picture)
    mean, deviation = _mean_and_deviation(own, weight)
    wanted, wide = _mean_and_deviation(_luminance(like), like_weight)
    gain = wide / deviation.clamp_min(1.0)
    return (picture + (own - mean) * (gain - 1) + wanted - mean).clamp(0, 255)


def match_colours(picture: Tensor, like: Tensor, *, weight: Tensor | None = None) -> Tensor:
    """`picture` with the mean and covariance of colour that `like` has (Gatys et al. 2017, section 5.2).

    x -> A x + b with A = C^(1/2) S^(-1/2) from the covariances C of `like` and S of the picture, the choice of A that
    turns colours the least. Both (1, 3, height, width) in levels; `weight`, (1, 1, height, width) and not 0 everywhere,
    says how much each pixel of the picture counts. The result is clipped to 0 to 255.
    """
    own, other = picture[0].flatten(1).double(), like[0].flatten(1).double()
    counts = None if weight is None else weight.flatten().double()
    mean = own.mean(1, keepdim=True) if counts is None else (own * counts).sum(1, keepdim=True) / counts.sum()
    matrix = _power(torch.cov(other), 0.5) @ _power(torch.cov(own, aweights=counts), -0.5)
    matched: Tensor = matrix @ (own - mean) + other.mean(1, keepdim=True)
    return matched.clamp(0, 255).to(picture.dtype).view_as(picture)


def transport_colours(picture: Tensor, like: Tensor, weight: Tensor | None = None) -> Tensor:
    """`picture` with about the mean and covariance of colour that `like` has, every colour moved as little as can be.

    The linear Monge-Kantorovitch map of Pitie and Kokaram (2007): x -> T (x - s) + c with
    T = S^(-1/2) (S^(1/2) C S^(1/2))^(1/2) S^(-1/2), of means s, c and covariances S, C of the picture and of `like`.
    Both (1, 3, height, width) in levels; `weight`, (1, 1, height, width) and not 0 everywhere, says how much each pixel
    of `like` counts. The result is clipped to 0 to 255.
    """
    own, other = picture[0].flatten(1).double(), like[0].flatten(1).double()
    counts = torch.ones_like(other[0]) if weight is None else weight.flatten().double()
    mean = (other * counts).sum(1, keepdim=True) / counts.sum()
    covariance = (other - mean) * counts @ (other - mean).T / counts.sum()
    root, inverse = (_power(torch.cov(own, correction=0), exponent) for exponent in (0.5, -0.5))
    matrix = inverse @ _power(root @ covariance @ root, 0.5) @ inverse
    moved: Tensor = matrix @ (own - own.mean(1, keepdim=True)) + mean
    return moved.clamp(0, 255).to(picture.dtype).view_as(picture)


def random_phase(picture: Tensor, generator: torch.Generator) -> Tensor:
    """Noise with the mean, colour covariance and spectrum of `picture` (1, 3, height, width), as large.

    A random phase is added to every frequency, the same in all channels (Galerne, Gousseau, Morel 2011, "Random Phase
    Textures"). In levels, but not clipped to them.
    """
    white = torch.fft.rfft2(torch.randn(picture.shape[2:], generator=generator))
    mean = picture.mean((2, 3), keepdim=True)
    spectrum = torch.fft.rfft2(picture - mean) * (white / white.abs().clamp_min(1e-12))
    noise: Tensor = torch.fft.irfft2(spectrum, s=picture.shape[2:])
    return mean + noise


def _power(covariance: Tensor, exponent: float) -> Tensor:
    """A power of a symmetric (3, 3); deviations below one level count as one, or what is grey would be blown up."""
    values, vectors = torch.linalg.eigh(covariance)
    power: Tensor = (vectors * values.clamp_min(1.0) ** exponent) @ vectors.T
    return power


def mask_to_tensor(mask: Image.Image, size: tuple[int, int]) -> Tensor:
    """A grey picture as (1, 1, height, width) of weights, 0 (black) to 1 (white), stretched to (width, height)."""
    grey = mask.convert("L").convert("F").resize(size, Image.Resampling.BOX)
    return torch.from_numpy(np.array(grey, dtype=np.float32)).view(1, 1, size[1], size[0]) / 255


def _mean_and_deviation(luminance: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
    """Mean and deviation of (1, 1, height, width), where each pixel counts by its weight."""
    if weight is None:
        return luminance.mean(), luminance.std()
    mean = (luminance * weight).sum() / weight.sum()
    return mean, ((luminance - mean).square() * weight).sum().div(weight.sum()).sqrt()


def _luminance(picture: Tensor) -> Tensor:
    """Y of YIQ, (1, 1, height, width)."""
    return (picture * torch.tensor((0.299, 0.587, 0.114)).view(1, 3, 1, 1)).sum(1, keepdim=True)
