"""The memory plan: whether a picture is painted whole or in strips, decided before its first iteration."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import torch

from engine.painting.memory.allocator import kept_memory
from engine.painting.memory.strips import LEAST_ROWS, margin
from engine.process.memory_limits import memory_limits
from engine.recipe import cost
from engine.recipe.recipe import Recipe

_SPARE = 0.9  # of the free memory: others live there too


def rows_for(recipe: Recipe, width: int, height: int, free: float) -> int | None:
    """Rows of the strips for a scale of width x height px with `free` bytes of memory; None where it fits whole.

    Never fewer than `LEAST_ROWS`: less is for the device itself to refuse.
    """
    left = _SPARE * free - cost.lasting_memory(recipe, width * height)
    if cost.passing_memory(recipe, width * height) + cost.content_memory(recipe, width * height) <= left:
        return None
    fitting = int(left / cost.passing_memory(recipe, width)) - 2 * margin(
        (*recipe.content_layers, *recipe.style_layers)
    )
    return max(LEAST_ROWS, fitting // 16 * 16)


def fits(recipe: Recipe, width: int, height: int, free: float) -> bool:
    """Whether a processor can paint and save a scale of width x height px at all, be it in the narrowest strips."""
    rows = min(height, LEAST_ROWS + 2 * margin((*recipe.content_layers, *recipe.style_layers)))
    passing = max(cost.passing_memory(recipe, width * rows), cost.saving_memory(recipe, width * height))
    return cost.lasting_memory(recipe, width * height) + passing <= free


def free_memory(device: torch.device) -> float:
    """Bytes that the device can still give: on CUDA its own, else the machine's, or a container's or unit's."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return kept_memory() + min([_machine(), *(limit.most - limit.used for limit in memory_limits())])


def _machine() -> float:
    """Without psutil: `make bench-gpu` has torch, torchvision, Pillow and NumPy alone."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return float(line.split()[1]) * 1024
    return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
