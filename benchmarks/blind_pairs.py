"""Pairs of pictures for a person to choose from without knowing whose they are.

The pictures are `01-A.png`, `01-B.png` and so on; `pairs.md` beside them is to be filled in; the key lies elsewhere.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from engine.painting.pictures import cut_to

_CROPPED = 4
"""Px by which sizes may differ for the larger picture to be cropped; beyond that it is scaled."""


class Match(NamedTuple):
    """Two pictures of one pair, by whom."""

    pair: str
    ours: str
    our_picture: Image.Image
    peer: str
    peer_picture: Image.Image


def write(matches: Sequence[Match], folder: Path, key: Path, seed: int) -> None:
    """The pictures and `pairs.md` into `folder`, which is made, and what is what into the file `key`.

    The order of the matches, and which picture of each is A, are drawn with `seed`.
    """
    folder.mkdir(parents=True)
    drawn = random.Random(seed)
    shuffled = drawn.sample(matches, len(matches))
    known, lines = {}, []
    for number, match in enumerate(shuffled, 1):
        ours, theirs = same_size(match.our_picture, match.peer_picture)
        sides = [(match.ours, ours), (match.peer, theirs)]
        drawn.shuffle(sides)
        names = [f"{number:02}-{letter}.png" for letter in "AB"]
        for name, (_, picture) in zip(names, sides, strict=True):
            picture.save(folder / name)
        known[f"{number:02}"] = {"pair": match.pair, "A": sides[0][0], "B": sides[1][0]}
        lines.append(f"| {number:02} | {match.pair} | ![A]({names[0]}) | ![B]({names[1]}) | | |")
    (folder / "pairs.md").write_text(_HEAD + "\n".join(lines) + "\n", encoding="utf-8")
    key.write_text(json.dumps({"seed": seed, "matches": known}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def same_size(one: Image.Image, other: Image.Image) -> tuple[Image.Image, Image.Image]:
    """Both at the smaller width and the smaller height.

    A few px are cropped, since to resample one of the two would soften it and so tell them apart.
    """
    size = min(one.width, other.width), min(one.height, other.height)
    return _brought_to(one, size), _brought_to(other, size)


def _brought_to(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    across, down = picture.width - size[0], picture.height - size[1]
    if max(across, down) > _CROPPED:
        return cut_to(picture, size)
    left, top = across // 2, down // 2
    return picture.crop((left, top, left + size[0], top + size[1]))


_HEAD = """# Which is better?

For each line: A, B or = under "better", and why in a few words. The key is not in this folder; leave it closed until
all lines are filled in.

| no. | pair | A | B | better | why |
|---|---|---|---|---|---|
"""
