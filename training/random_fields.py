"""Fields: functions of the plane with values from 0 to 1 or so, the stuff of textures. Every one is drawn at random."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Field = Callable[[Array, Array], Array]
"""Of x and y in px, two arrays of one shape."""

TILE = 256  # px; noise repeats after so many


def noise(rng: np.random.Generator) -> Field:
    """Noise with a power law for a spectrum, often within a band or an orientation: clouds, spots, wood, strokes."""
    fy, fx = np.meshgrid(np.fft.fftfreq(TILE), np.fft.rfftfreq(TILE), indexing="ij")
    angle = rng.uniform(0, np.pi)
    stretch = rng.choice([1.0, 1.0, rng.uniform(2, 8)])
    along, across = fx * np.cos(angle) + fy * np.sin(angle), fy * np.cos(angle) - fx * np.sin(angle)
    radius = np.hypot(along * stretch, across) + 1e-6
    spectrum = radius ** -rng.uniform(0.6, 2.2)
    if rng.random() < 0.5:
        centre, width = np.exp(rng.uniform(np.log(0.02), np.log(0.2))), rng.uniform(0.15, 0.5)
        spectrum = np.exp(-((np.log(radius / centre) / width) ** 2))
    spectrum[0, 0] = 0
    phases = np.exp(2j * np.pi * rng.random(spectrum.shape))
    tile = np.fft.irfft2(spectrum * phases, (TILE, TILE))
    tile = (0.5 + tile / (4 * tile.std() + 1e-9)).astype(np.float32)
    if rng.random() < 0.25:  # ridges
        tile = 1 - np.abs(2 * tile - 1)
    return lambda x, y: _sample(tile, x, y)


def flow(rng: np.random.Generator) -> Field:
    """Brush strokes: fine noise smeared along a smooth field of directions (line integral convolution)."""
    angles, grain = smooth(rng), rng.random((TILE, TILE)).astype(np.float32)
    length, turns = int(rng.integers(6, 20)), rng.uniform(1, 5)
    thick = rng.uniform(1.2, 3.5)

    def field(x: Array, y: Array) -> Array:
        total = np.zeros_like(x)
        for sign in (1, -1):
            u, v = x.copy(), y.copy()
            for _ in range(length):
                angle = turns * np.pi * angles(u, v)
                total += _sample(grain, u / thick, v / thick)
                u += sign * np.cos(angle)
                v += sign * np.sin(angle)
        total -= total.mean()
        return np.asarray(0.5 + total / (4 * total.std() + 1e-9), dtype=np.float32)

    return field


def smooth(rng: np.random.Generator) -> Field:
    """A few slow waves, 0 to 1."""
    waves = [(rng.normal(0, 0.012, 2), rng.uniform(0, 2 * np.pi)) for _ in range(5)]
    return lambda x, y: np.asarray(
        0.5 + sum(np.sin(2 * np.pi * (k[0] * x + k[1] * y) + phase) for k, phase in waves) / 10, dtype=np.float32
    )


def cells(rng: np.random.Generator) -> Field:
    """Worley's cells: distance to the nearest of shaken points, to the walls between them, or flat tones."""
    spacing, kind, shake = rng.uniform(8, 40), rng.integers(3), rng.uniform(0.1, 0.5)
    moves = rng.uniform(-shake, shake, (64, 64, 2)).astype(np.float32)
    tones = rng.random((64, 64)).astype(np.float32)

    def field(x: Array, y: Array) -> Array:
        x, y = x / spacing, y / spacing
        first = np.full(x.shape, 9, np.float32)
        second, tone = first.copy(), np.zeros_like(x)
        for down, right in product((-1, 0, 1), repeat=2):
            i, j = np.floor(y) + down, np.floor(x) + right
            at = i.astype(int) % 64, j.astype(int) % 64
            distance = np.hypot(x - j - 0.5 - moves[at][..., 0], y - i - 0.5 - moves[at][..., 1])
            nearer = distance < first
            second = np.where(nearer, first, np.minimum(second, distance))
            first, tone = np.where(nearer, distance, first), np.where(nearer, tones[at], tone)
        return np.asarray([first, np.clip((second - first) * 2, 0, 1), tone][kind], np.float32)

    return field


def stripes(rng: np.random.Generator) -> Field:
    """Stripes, smooth or hard, or two sets of them that cross."""
    period, share, sharp = rng.uniform(4, 40), rng.uniform(0.25, 0.75), rng.uniform(1, 12)
    other = rng.choice([0.0, rng.uniform(0.5, 2)])

    def field(x: Array, y: Array) -> Array:
        waves = np.sin(2 * np.pi * x / period)
        if other:
            waves = np.maximum(waves, np.sin(2 * np.pi * y / (period * other)))
        return np.asarray(_step(waves - np.cos(np.pi * share), sharp), np.float32)

    return field


def rings(rng: np.random.Generator) -> Field:
    """Circles or spirals about a point."""
    cx, cy = rng.uniform(0, TILE, 2)
    period, arms, sharp = rng.uniform(5, 30), int(rng.integers(0, 5)), rng.uniform(1, 8)
    return lambda x, y: np.asarray(
        _step(np.sin(2 * np.pi * np.hypot(x - cx, y - cy) / period + arms * np.arctan2(y - cy, x - cx)), sharp),
        np.float32,
    )


def tiles(rng: np.random.Generator) -> Field:
    """Bricks, tiles or planks, each of its own tone, with joints."""
    width, height = rng.uniform(8, 48), rng.uniform(6, 32)
    shift, joint, tones = rng.choice([0, 0.5, 0.33]), rng.uniform(0, 3), rng.random((64, 64)).astype(np.float32)

    def field(x: Array, y: Array) -> Array:
        row = np.floor(y / height)
        across = x / width + shift * row
        column = np.floor(across)
        tone = 0.3 + 0.7 * tones[row.astype(int) % 64, column.astype(int) % 64]
        edge = np.minimum(np.minimum(y - row * height, height - (y - row * height)),
                          np.minimum(across - column, 1 - across + column) * width)  # fmt: skip
        return np.asarray(tone * np.clip(edge - joint / 2 + 0.5, 0, 1), np.float32)

    return field


def dots(rng: np.random.Generator) -> Field:
    """Discs or rings on a grid that is more or less shaken."""
    spacing, shake = rng.uniform(6, 32), rng.uniform(0, 0.35)
    size, hollow = rng.uniform(0.15, 0.45), rng.random() < 0.3
    moves = rng.uniform(-shake, shake, (64, 64, 2)).astype(np.float32)

    def field(x: Array, y: Array) -> Array:
        i, j = np.floor(y / spacing), np.floor(x / spacing)
        move = moves[i.astype(int) % 64, j.astype(int) % 64]
        radius = np.hypot(x / spacing - j - 0.5 - move[..., 0], y / spacing - i - 0.5 - move[..., 1])
        inside = np.abs(radius - size * 0.8) - size * 0.2 if hollow else radius - size
        return np.asarray(np.clip(0.5 - inside * spacing, 0, 1), np.float32)

    return field


def arcs(rng: np.random.Generator) -> Field:
    """Truchet's tiles: quarter circles that join into meanders."""
    size, width = rng.uniform(10, 32), rng.uniform(0.08, 0.25)
    flips = rng.random((64, 64)) < 0.5

    def field(x: Array, y: Array) -> Array:
        i, j = np.floor(y / size), np.floor(x / size)
        u, v = x / size - j, y / size - i
        u = np.where(flips[i.astype(int) % 64, j.astype(int) % 64], 1 - u, u)
        radius = np.minimum(np.abs(np.hypot(u, v) - 0.5), np.abs(np.hypot(1 - u, 1 - v) - 0.5))
        return np.asarray(np.clip(0.5 + (width - radius) * size, 0, 1), np.float32)

    return field


FIELDS = (noise, noise, noise, flow, flow, flow, cells, stripes, rings, tiles, dots, arcs)
"""What `textures` draws from; what is there more than once is drawn more often."""


def _step(values: Array, sharp: float) -> Array:
    return np.asarray(1 / (1 + np.exp(-sharp * values)), np.float32)


def _sample(tile: Array, x: Array, y: Array) -> Array:
    """The tile, repeated for ever, between its pixels (bilinear)."""
    i, j = np.floor(y), np.floor(x)
    v, u = y - i, x - j
    i, j = i.astype(int) % TILE, j.astype(int) % TILE
    below, right = (i + 1) % TILE, (j + 1) % TILE
    above = tile[i, j] * (1 - u) + tile[i, right] * u
    return np.asarray(above * (1 - v) + (tile[below, j] * (1 - u) + tile[below, right] * u) * v, np.float32)
