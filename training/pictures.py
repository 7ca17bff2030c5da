"""Pictures to train on: photographs and paintings from folders, textures and drawings made by code."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from training.drawings import drawing
from training.textures import texture

HELD_OUT = (
    "astronaut", "brad_pitt", "camera", "candy", "cat", "chelsea", "chicago", "china", "coffee", "composition_vii",
    "escher", "feathers", "flower", "frida_kahlo", "golden_gate", "great_wave", "greatwave", "harbour",
    "hokusai", "hoovertowernight", "la_muse", "mosaic", "muse", "picasso", "scream", "seated-nude", "seated_nude",
    "shipwreck", "starry", "stata", "strokes", "the_scream", "the_shipwreck", "the_starry", "the_wave",
    "tubingen", "udnie", "wave", "woman-with-hat", "woman_with_hat",
)  # fmt: skip
"""A file whose name begins so is never read: results are looked at on these pictures."""
LONGEST = 720
"""Px of a picture's longest side at most; paintings are made at 256 to 1024."""
DRAWN_SIDE = 192  # px
SMALLEST = 144
"""Px of a picture's shorter side at least: a crop must fit."""
_SCORED = 16  # one name in so many is kept for the score
_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


def picture_files(folders: Sequence[Path]) -> list[Path]:
    """All PNG, JPEG and WebP files below these folders but those of `HELD_OUT`, in the order of their names."""
    files = {path for folder in folders for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES}
    return sorted((p for p in files if not p.stem.lower().startswith(HELD_OUT)), key=lambda p: (p.name, str(p)))


def is_scored(path: Path) -> bool:
    """Whether the picture is kept for the score and not trained on: one name in sixteen, by a hash of its first word.

    So the choice stays when pictures are added, and Altai-1080x1920 goes with Altai-5120x2880.
    """
    match = re.match(r"[a-z]*", path.stem.lower())
    word = match.group() if match else ""
    return hashlib.sha256(word.encode()).digest()[0] % _SCORED == 0


def read_picture(path: Path, longest: int = LONGEST) -> Tensor:
    """The picture as (3, height, width), uint8, RGB, shrunk to `longest` px and no smaller than a crop."""
    with Image.open(path) as file:
        file.draft("RGB", (2 * longest, 2 * longest))
        picture = file.convert("RGB")
    picture.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    if min(picture.size) < SMALLEST:
        picture = picture.resize([max(SMALLEST, side) for side in picture.size], Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).contiguous()


def drawn_pictures(seed: int, textures: int, drawings: int) -> list[Tensor]:
    """So many textures and drawings of this seed, each (3, 192, 192), uint8, RGB."""
    rng = np.random.default_rng(seed)
    surfaces = [texture(int(n), DRAWN_SIDE) for n in rng.integers(2**31, size=textures)]
    scenes = [drawing(int(n), surfaces) for n in rng.integers(2**31, size=drawings)]
    return [torch.from_numpy(np.array(pixels)).permute(2, 0, 1).contiguous() for pixels in (*surfaces, *scenes)]
