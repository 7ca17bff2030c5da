"""Crops of earlier steps with the teacher's features of them, to be learned from again without asking the teacher."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


class Replay:
    """As many crops as fit into so many bytes; a new one takes the place of the oldest.

    Float32 is held in half precision, which is exact enough for a target; other types as they are.
    """

    def __init__(self, room: int) -> None:
        """`room`: bytes."""
        self._room, self._held, self._next = room, 0, 0
        self._kept: dict[str, Tensor] = {}
        self._types: dict[str, torch.dtype] = {}

    def __len__(self) -> int:
        return self._held

    def add(self, examples: Mapping[str, Tensor]) -> None:
        """Keep these: tensors (n, channels, h, w) by name, the same names and shapes each time."""
        n = len(next(iter(examples.values())))
        if not self._kept:
            size = 2 * sum(tensor[0].numel() for tensor in examples.values())
            capacity = max(n, self._room // size)
            self._types = {name: tensor.dtype for name, tensor in examples.items()}
            self._kept = {name: _room_for(tensor, capacity) for name, tensor in examples.items()}
        capacity = len(next(iter(self._kept.values())))
        at = torch.arange(self._next, self._next + n) % capacity
        for name, tensor in examples.items():
            self._kept[name][at] = tensor.to(self._kept[name])
        self._next = (self._next + n) % capacity
        self._held = min(capacity, self._held + n)

    def draw(self, n: int, generator: torch.Generator) -> dict[str, Tensor]:
        """So many of them at random, as they were given, none twice; fewer where fewer are held.

        An empty dictionary where none are.
        """
        at = torch.randperm(self._held, generator=generator)[:n]
        return {name: tensor[at].to(self._types[name]) for name, tensor in self._kept.items()} if self._held else {}


def _room_for(example: Tensor, capacity: int) -> Tensor:
    shape = (capacity, *example.shape[1:])
    dtype = torch.float16 if example.dtype == torch.float32 else example.dtype
    return torch.empty(shape, dtype=dtype, device=example.device, memory_format=torch.channels_last)
