"""Which tensors of a state dict are which convolutions of a VGG, by their names alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from engine.recipe.vgg_layers import NAMES

_OURS = re.compile(r"conv(\d+)_(\d+)\.(weight|bias)")
_PLACED = (re.compile(r"(features\.)(\d+)\.(weight|bias)"), re.compile(r"()(\d+)\.(weight|bias)"))
"""Torchvision's names, in the whole model and in its `features` alone: the place among all steps of the network."""
_SAME_BLOCK, _NEXT_BLOCK = 2, 3
"""Places from one convolution to the next: past a rectification, and past a pooling too."""


class BatchNorm(Exception):
    """The network has batch normalisation."""


class Gap(Exception):
    """Tensors are missing; the text is a clause whose subject are the weights."""


class NotVGG(Exception):
    """The layers are not those of a VGG; the text is a clause as of `Gap`."""


def conv_keys(keys: Sequence[str]) -> dict[str, str]:
    """Our name of each convolution, conv1_1 on, in the order of the network -> what its two tensors' keys begin with.

    Keys are torchvision's (`features.0.weight`, or `0.weight` alone) or ours (`conv1_1.weight`). Later convolutions of
    a block, and later blocks, may be absent. Raises `BatchNorm`, `Gap` and `NotVGG`.
    """
    if any(key.endswith("running_mean") for key in keys):
        raise BatchNorm
    counts = [sum(1 for key in keys if pattern.fullmatch(key)) for pattern in (_OURS, *_PLACED)]
    most = counts.index(max(counts))
    if not counts[most]:
        raise NotVGG("hold no convolutions by torchvision's names or ours (features.0.weight, conv1_1.weight)")
    found = dict(_ours(keys) if most == 0 else _placed(keys, _PLACED[most - 1]))
    needed = [f"{key}.{kind}" for key in found.values() for kind in ("weight", "bias")]
    if lacking := sorted(set(needed) - set(keys), key=needed.index):
        more = f" and {len(lacking) - 3} more" if len(lacking) > 3 else ""
        raise Gap(f"lack {', '.join(lacking[:3])}{more}")
    if strange := [(name, key) for name, key in found.items() if name not in NAMES]:
        name, key = strange[0]
        raise NotVGG(f"have a layer {name} ({key}), which no VGG down to VGG19 has")
    return found


def _ours(keys: Sequence[str]) -> Iterator[tuple[str, str]]:
    numbers = sorted({(int(m[1]), int(m[2])) for key in keys if (m := _OURS.fullmatch(key))})
    allowed = [(1, 1)]
    for block, number in numbers:
        if (block, number) not in allowed:
            raise Gap(f"lack {' or '.join(f'conv{b}_{n}.weight' for b, n in allowed)}, before conv{block}_{number}")
        name = f"conv{block}_{number}"
        yield name, name
        allowed = [(block, number + 1), (block + 1, 1)]


def _placed(keys: Sequence[str], pattern: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    matches = [m for key in keys if (m := pattern.fullmatch(key))]
    prefix, places = matches[0][1], sorted({int(m[2]) for m in matches})
    block, number, before = 1, 0, -_SAME_BLOCK
    for place in places:
        gap = place - before
        if gap not in (_SAME_BLOCK, _NEXT_BLOCK) or (before < 0 and place):
            missing = f"a layer between {prefix}{before} and {prefix}{place}" if before >= 0 else f"{prefix}0.weight"
            raise Gap(f"lack {missing}")
        block, number = (block, number + 1) if gap == _SAME_BLOCK else (block + 1, 1)
        yield f"conv{block}_{number}", f"{prefix}{place}"
        before = place
