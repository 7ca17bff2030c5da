"""Peak memory of ours and of the plain loop. `python -m benchmarks.memory WHO SIDE` measures one of them."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.bench import ROOT, Ours, classic, plain_loop, square_pictures, torch_as_it_comes
from benchmarks.report import Table

_WHO = ("nothing", "ours", "reference")
_ITERATIONS = 3


def memory(sides: Sequence[int]) -> Table:
    """Each measured in a process of its own."""
    peaks = {side: {who: peak_of_child("benchmarks.memory", who, side) for who in _WHO} for side in sides}
    return Table(
        "memory",
        "Peak memory (resident, MiB)",
        ("size", "ours", "plain loop", "ours / plain", "ours / plain, without the libraries"),
        [_row(side, peak) for side, peak in peaks.items()],
        f"VmHWM of a fresh process after {_ITERATIONS} iterations. A process that only imports the libraries takes "
        f"{peaks[sides[0]]['nothing']:.0f} MiB.",
        {str(side): peak for side, peak in peaks.items()},
    )


def _row(side: int, peak: dict[str, float]) -> list[str]:
    ours, plain, base = (peak[who] for who in ("ours", "reference", "nothing"))
    return [
        f"{side} px", f"{ours:.0f}", f"{plain:.0f}", f"{ours / plain:.2f}", f"{(ours - base) / (plain - base):.2f}"
    ]  # fmt: skip


def peak_of_child(module: str, who: str, side: int) -> float:
    """MiB that `python -m MODULE WHO SIDE` says it took."""
    command = [sys.executable, "-m", module, who, str(side)]
    return float(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)


def _paint(who: str, side: int) -> None:
    """A few iterations of one contender; neither keeps what the other one needs."""
    recipe = classic(side)
    content, style = square_pictures(side)
    if who == "ours":
        ours = Ours(recipe, content, style)
        for _ in range(_ITERATIONS):
            ours.step()
    elif who == "reference":
        with torch_as_it_comes():
            plain = plain_loop(recipe, content, style, _start(side))
            for _ in range(_ITERATIONS):
                next(plain)


def _start(side: int) -> Tensor:
    return torch.full((1, 3, side, side), 127.5)


def peak() -> float:
    """MiB, of this process; on Linux not by `getrusage`, which counts the parent's in there."""
    if sys.platform != "linux":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


if __name__ == "__main__":
    _paint(sys.argv[1], int(sys.argv[2]))
    print(peak())
