"""Where the pictures come from: drawn by code, and photographs from a folder, if one is given."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from training.drawings import drawing
from training.textures import Pixels, texture

SIDE = 192  # px of every picture; photographs are cut into so large pieces
HELD_OUT = ("astronaut", "chelsea", "tubingen", "starry", "scream", "harbour", "strokes")
"""A photograph whose file name begins so is not trained on: the results are looked at on these."""
_SPOT = 32  # px between the centres of a picture's spots
_LONGEST = 2 * SIDE  # px; photographs are shrunk to it, so that crops show things and not only surfaces


@dataclass(frozen=True)
class Sources:
    """Pictures, and the spots in them that are to be told apart (Dosovitskiy et al. 2014: exemplars)."""

    pictures: Tensor
    """(n, 3, SIDE, SIDE), uint8, RGB."""
    spots: Tensor
    """(spots, 4): the picture, x and y of the centre in px, and how far from there a crop's centre may lie."""


def draw_sources(seed: int, textures: int, drawings: int, folder: Path | None = None) -> Sources:
    """So many textures and drawings of this seed, and what the folder holds but `HELD_OUT`.

    A texture is the same everywhere, so it is one spot; another picture has a spot every 32 px.
    """
    rng = np.random.default_rng(seed)
    surfaces = [texture(int(n), SIDE) for n in rng.integers(2**31, size=textures)]
    scenes = [drawing(int(n), surfaces) for n in rng.integers(2**31, size=drawings)]
    scenes += photographs(folder) if folder else []
    half = SIDE / 2
    spots = [(i, half, half, half - _SPOT / 2) for i in range(len(surfaces))]
    centres = range(_SPOT, SIDE, _SPOT)
    spots += [(i, x, y, _SPOT / 6) for i in range(len(surfaces), len(surfaces) + len(scenes))
              for y in centres for x in centres]  # fmt: skip
    pictures = torch.from_numpy(np.stack([*surfaces, *scenes])).permute(0, 3, 1, 2).contiguous()
    return Sources(pictures, torch.tensor(spots, dtype=torch.float32))


def photographs(folder: Path) -> list[Pixels]:
    """Pieces of `SIDE` px of the folder's PNG and JPEG files, in the order of their names."""
    pieces: list[Pixels] = []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in (".png", ".jpg", ".jpeg") or path.stem.lower().startswith(HELD_OUT):
            continue
        with Image.open(path) as file:
            picture = file.convert("RGB")
        picture.thumbnail((_LONGEST, _LONGEST), Image.Resampling.LANCZOS)
        if min(picture.size) < SIDE:
            picture = picture.resize([max(SIDE, side) for side in picture.size], Image.Resampling.LANCZOS)
        pixels = np.asarray(picture)
        for y in range(0, picture.height - SIDE + 1, SIDE):
            for x in range(0, picture.width - SIDE + 1, SIDE):
                pieces.append(pixels[y : y + SIDE, x : x + SIDE])
    return pieces
