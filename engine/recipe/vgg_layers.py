"""VGG's layers by name, and what is known of them without torch: widths, poolings, and which network has which.

Names are convB_I before and reluB_I after the rectification: block B (1 to 5, each but the first begins with a pooling
by two), convolution I within it (Simonyan & Zisserman 2015, table 1).
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import NamedTuple

ARCHITECTURES = {
    "vgg19": ((64,) * 2, (128,) * 2, (256,) * 4, (512,) * 4, (512,) * 4),
    "vgg16": ((64,) * 2, (128,) * 2, (256,) * 3, (512,) * 3, (512,) * 3),
}
"""Filters of each convolution, block by block. All other architectures are subsets of VGG19's names."""

NAMES = tuple(f"conv{b}_{i}" for b, block in enumerate(ARCHITECTURES["vgg19"], 1) for i in range(1, len(block) + 1))
"""Every convolution that there can be, in order."""
LAYERS = tuple(f"{kind}{name[4:]}" for name in NAMES for kind in ("conv", "relu"))
"""Every layer that a recipe can name, in order."""


class Conv(NamedTuple):
    """One 3x3 convolution: its name, its filters, those of the one before (or 3), and the poolings before it."""

    name: str
    inputs: int
    outputs: int
    poolings: int


@functools.lru_cache(64)
def convs(architecture: str) -> tuple[Conv, ...]:
    """The convolutions of an architecture, in order.

    It is called `vgg19`, `vgg16`, or by its widths: `32,32|64,64|128,128` has three blocks of two. Raises `ValueError`.
    """
    blocks = ARCHITECTURES.get(architecture) or _parsed(architecture)
    found: list[Conv] = []
    for number, block in enumerate(blocks, 1):
        for i, width in enumerate(block, 1):
            found.append(Conv(f"conv{number}_{i}", found[-1].outputs if found else 3, width, number - 1))
    return tuple(found)


def conv_names(architecture: str) -> tuple[str, ...]:
    """Names of its convolutions, in order; none where there is no such architecture."""
    try:
        return tuple(conv.name for conv in convs(architecture))
    except ValueError:
        return ()


def _parsed(text: str) -> tuple[tuple[int, ...], ...]:
    blocks = tuple(tuple(int(width) for width in block.split(",")) for block in text.split("|"))
    known = ARCHITECTURES["vgg19"]
    if len(blocks) > len(known) or any(len(b) > len(k) or min(b) < 1 for b, k in zip(blocks, known, strict=False)):
        raise ValueError(f"no architecture {text}")
    return blocks


def named(widths: Iterable[tuple[str, int]]) -> str:
    """The name of the architecture whose convolutions have these names and widths, in order; a part has its widths."""
    blocks: dict[str, tuple[int, ...]] = {}
    for name, width in widths:
        blocks[name[4]] = (*blocks.get(name[4], ()), width)
    found = tuple(blocks.values())
    text = "|".join(",".join(map(str, block)) for block in found)
    return next((known for known, own in ARCHITECTURES.items() if own == found), text)


def conv_of(layer: str) -> str:
    """The convolution that a feature map comes from: relu4_2 -> conv4_2."""
    return "conv" + layer[-3:]


def relu_of(conv: str) -> str:
    """The layer after this convolution: conv4_2 -> relu4_2."""
    return "relu" + conv[-3:]


def depth(layers: Iterable[str], names: Iterable[str] = NAMES) -> int:
    """How many of the convolutions `names` it takes to compute all of `layers`."""
    last = max((NAMES.index(conv_of(layer)) for layer in layers), default=-1)
    return sum(NAMES.index(name) <= last for name in names)


def stride(layer: str) -> int:
    """Pixels to a position of the layer's feature map, along each side."""
    return 1 << (int(layer[4]) - 1)


def starts_block(name: str) -> bool:
    """Whether a pooling stands before this convolution."""
    return name.endswith("_1") and name != NAMES[0]
