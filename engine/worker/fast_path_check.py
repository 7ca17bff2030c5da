"""Whether the fast way of painting (graphs, bfloat16) paints what the plain one does, on this very device.

The fast way rests on what drivers and libraries promise, and may be wrong on a device that nobody tried; so a worker
paints a little both ways when it starts. `python -m engine.worker.fast_path_check DEVICE` prints what came of it.
"""

from __future__ import annotations

import math
import sys
import warnings

import numpy as np
import torch
from PIL import Image

from engine.contract.settings import SettingsError
from engine.painting.cuda.graphs import Graphs
from engine.painting.memory.allocator import keep_memory
from engine.painting.painter import Painter
from engine.painting.state import State
from engine.process.exit import exit_now
from engine.recipe.recipe import Recipe, RecipeError
from engine.worker.device import choose_device

_RECIPE = Recipe(
    weights="random", size=64, iterations=12, snapshots=(), seed=1, start="content", noise=0.3, step=4.0, clamp=True,
    average=0.5, content_layers=("relu3_1",), style_layers=("relu1_1", "relu2_1", "relu3_1"),
    style_layer_weights=(1.0, 1.0, 1.0),
)  # fmt: skip
# In bfloat16 on a processor: losses 0.004 apart, and pixels 2 levels.
_LOSSES = 0.1
"""The largest difference of two losses of the same iteration, relative to the plain way's."""
_PIXELS = 6.0
"""The largest mean difference of the finished pixels, levels."""


def fault_of_fast_path(device: torch.device, graphs: Graphs, dtype: torch.dtype | None = None) -> str:
    """Why the fast way must not be taken on this device, as a clause; empty where it paints what the plain one does.

    `graphs` are those that the fast way uses, and `dtype` what it computes in, by itself as the painter chooses.
    Raises `RecipeError` where the device cannot even paint plainly.
    """
    try:
        plain = [_painted(seed, device) for seed in (1, 2)]
    except (RuntimeError, MemoryError) as error:
        raise RecipeError(f"{device} cannot be painted on ({_line(error)}): use --device cpu.") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of graphs that cannot be recorded: it is told below
            # The second painting uses what the first one recorded.
            fast = [_painted(seed, device, graphs, dtype) for seed in (1, 2)]
    except (RuntimeError, MemoryError) as error:
        return f"it fails ({_line(error)})"
    for one, other in zip(fast, plain, strict=True):
        if reason := _difference(one, other):
            return reason
    return "" if graphs.records else "no graph can be recorded"


def _painted(seed: int, device: torch.device, graphs: Graphs | None = None, dtype: torch.dtype | None = None) -> State:
    """A small painting: plain, or the fast way with these graphs. It is on the host."""
    draw = np.random.default_rng(seed).integers(0, 256, (2, 5, 5, 3), dtype=np.uint8)
    content, style = (Image.fromarray(blobs).resize((64, 64), Image.Resampling.BICUBIC) for blobs in draw)
    painter = Painter(
        _RECIPE, content, [style], device=str(device), dtype=dtype, graphs=graphs, fast=graphs is not None
    )  # fmt: skip
    *_, state = painter.paint(painter.begin())
    state.losses, state.pixels = state.losses.cpu(), state.pixels.cpu()
    return state


def _difference(fast: State, plain: State) -> str:
    """In what two paintings differ more than by rounding, as a clause."""
    losses, expected = fast.losses[:, 0], plain.losses[:, 0]
    apart = float(((losses - expected).abs() / expected).max())
    if not apart <= _LOSSES:  # nor is a loss that is no number
        return f"its losses are {apart:.0%} off" if math.isfinite(apart) else "its losses are no numbers"
    pixels = float((fast.pixels - plain.pixels).abs().mean())
    return "" if pixels <= _PIXELS else f"its pixels are {pixels:.0f} levels off"


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__


def in_words(reason: str) -> str:
    """What is told of a device whose fast way is distrusted for `reason`."""
    return f"painted the slow way, without graphs and in float32, for the fast one is wrong here: {reason}"


def main() -> int:
    """Print one line on the device named by the first argument; the exit status is 0 unless it cannot paint at all."""
    keep_memory()
    try:
        device = torch.device(choose_device(sys.argv[1]))
        reason = fault_of_fast_path(device, Graphs.on(device)) if device.type == "cuda" else ""
    except (RecipeError, SettingsError) as error:
        print(error, file=sys.stderr)
        return 1
    print(in_words(reason) if reason else "the fast way paints what the plain one does")
    return 0


if __name__ == "__main__":
    exit_now(main())
