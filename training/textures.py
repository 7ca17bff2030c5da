"""Textures drawn by code: a field or two, bent, lit and coloured; hundreds of kinds from as many seeds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.random_fields import FIELDS, Array, noise, smooth

Pixels = NDArray[np.uint8]
"""(height, width, 3), RGB."""


def texture(seed: int, side: int = 192) -> Pixels:
    """The texture of this seed, `side` px wide and high."""
    rng = np.random.default_rng(seed)
    height = _height(rng, side)
    colours = _ramp(rng, height)
    if rng.random() < 0.4:
        colours *= _light(rng, height)[..., None]
    if rng.random() < 0.4:
        colours += rng.normal(0, rng.uniform(0, 20), (side, side, 1))
    return colours.clip(0, 255).astype(np.uint8)


def _height(rng: np.random.Generator, side: int) -> Array:
    """One field, or two of them mixed, as a map of heights from 0 to 1."""
    first = _bent(rng, side)
    match rng.integers(6):
        case 0:
            mask = np.clip((noise(rng)(*_plane(rng, side)) - 0.5) * 8 + 0.5, 0, 1)
            first = first * mask + _bent(rng, side) * (1 - mask)
        case 1:
            first = first * _bent(rng, side)
        case 2:
            share = rng.uniform(0.2, 0.5)
            first = first * (1 - share) + _bent(rng, side) * share
    return np.asarray(np.clip(first, 0, 1), np.float32)


def _bent(rng: np.random.Generator, side: int) -> Array:
    x, y = _plane(rng, side)
    if rng.random() < 0.6:
        bend = rng.uniform(2, 30)
        x, y = x + bend * smooth(rng)(x, y), y + bend * smooth(rng)(x, y)
    field = FIELDS[rng.integers(len(FIELDS))]
    return field(rng)(x, y)


def _plane(rng: np.random.Generator, side: int) -> tuple[Array, Array]:
    """Coordinates, turned and moved at random."""
    y, x = np.mgrid[:side, :side].astype(np.float32)
    angle = rng.choice([0, np.pi / 2, rng.uniform(0, np.pi)])
    dx, dy = rng.uniform(0, 256, 2)
    return (
        np.asarray(x * np.cos(angle) + y * np.sin(angle) + dx, np.float32),
        np.asarray(y * np.cos(angle) - x * np.sin(angle) + dy, np.float32),
    )


def _ramp(rng: np.random.Generator, height: Array) -> NDArray[np.float64]:
    """Heights as colours: a ramp between two to five, in levels."""
    count = int(rng.integers(2, 6))
    stops, colours = np.linspace(0, 1, count), palette(rng, count)
    return np.stack([np.interp(height, stops, channel) for channel in colours.T], axis=-1)


def palette(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Colours that have something to do with each other, (count, 3) in levels, of differing lightness."""
    hue = rng.normal(0, 1, 3) * rng.uniform(0, 50)
    lightness = rng.permutation(np.linspace(rng.uniform(0, 80), rng.uniform(150, 255), count))
    own = rng.normal(0, rng.uniform(5, 60), (count, 3))
    return np.clip(lightness[:, None] + hue + own, 0, 255)


def _light(rng: np.random.Generator, height: Array) -> Array:
    """Light from one side on the heights, as a factor about one."""
    down, right = np.gradient(height)
    angle, strength = rng.uniform(0, 2 * np.pi), rng.uniform(1, 5)
    return np.asarray(np.clip(1 + strength * (right * np.cos(angle) + down * np.sin(angle)), 0.3, 1.7), np.float32)
