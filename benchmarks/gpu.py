"""`python -m benchmarks.gpu [--device cuda] [--seconds 420]`: what a GPU must keep, and how fast it is.

Needs torch, torchvision, NumPy and Pillow, nothing else. Each part has its share of the time and stops in it; what
is there is written to `out/bench-gpu/` after each. Ends with 1 where something is not equal that should be, or a part
broke.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks import report
from benchmarks.equalities import equalities
from benchmarks.peer_speeds import contest
from benchmarks.rates import rates
from benchmarks.report import Table
from benchmarks.sizes import sizes
from benchmarks.target import target, write_curves

FOLDER = Path(__file__).parent.parent / "out" / "bench-gpu"


@dataclass(frozen=True)
class Plan:
    """How large everything is, px, and how often it is timed."""

    equal: int
    contest: tuple[int, ...]
    rates: tuple[int, ...]
    sizes: tuple[int, ...]
    target: int
    iterations: int
    rounds: int


PLANS = {
    "cuda": Plan(equal=256, contest=(512, 1024), rates=(512, 1024), sizes=(128, 256, 512, 1024, 2048), target=512,
                 iterations=500, rounds=5),
    "cpu": Plan(equal=64, contest=(64,), rates=(64,), sizes=(64, 128), target=64, iterations=25, rounds=1),
}  # fmt: skip
"""By kind of device; on a CPU everything is small: a rehearsal."""


class Report:
    """What was found so far, printed and written as it comes."""

    def __init__(self, folder: Path) -> None:
        self.tables: list[Table] = []
        self.failures: list[str] = []
        self._folder, self._machine = folder, report.machine()

    def part(self, name: str, measure: Callable[[], Table]) -> None:
        """One table; where it cannot be made, the reason in its place."""
        began = time.monotonic()
        try:
            table = measure()
        except Exception:  # the other parts are worth having
            reason = "\n".join(f"    {line}" for line in traceback.format_exc().splitlines())
            table = Table(name, f"{name}: broke", ("",), [], reason, None)
            self.failures.append(f"{name} broke")
        self.tables.append(table)
        print(report.markdown(table), f"\n({name}: {time.monotonic() - began:.0f} s)\n", sep="\n", flush=True)
        if table.name == "target" and table.data:
            write_curves(table, self._folder)
        report.write(self.tables, self._machine, self._folder)

    def equalities(self, device: str, side: int, deadline: float) -> Table:
        """The first part; what does not hold is a failure."""
        table, hold = equalities(device, side, deadline)
        if not hold:
            self.failures.append("something is not equal that should be")
        return table


def run(device: str, plan: Plan, allowed: float, folder: Path) -> list[str]:
    """All parts within about so many seconds; returns what failed."""
    found = Report(folder)
    began = time.monotonic()

    def until(share: float) -> float:
        return began + share * allowed

    # A part that is done early leaves its time to those after it.
    found.part("equalities", lambda: found.equalities(device, plan.equal, until(0.35)))
    found.part("peers", lambda: contest(plan.contest, plan.rounds, device, until(0.5)))
    found.part("rates", lambda: rates(plan.rates, plan.rounds, device, until(0.6)))
    found.part("sizes", lambda: sizes(plan.sizes, plan.rounds, device, until(0.75)))
    found.part("target", lambda: target(plan.target, device, until(0.95), plan.iterations))
    print(f"{time.monotonic() - began:.0f} s in all; written to {folder}.")
    return found.failures


def main() -> None:
    """Run it; the status says whether all went well."""
    parser = argparse.ArgumentParser("benchmarks.gpu", description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--seconds", type=float, default=420.0, help="for all parts together")
    options = parser.parse_args()
    device: str = options.device
    kind = torch.device(device).type
    if kind == "cuda" and not torch.cuda.is_available():
        sys.exit("There is no CUDA GPU here; with --device cpu everything is rehearsed, small, on the processor.")
    failures = run(device, PLANS[kind], options.seconds, FOLDER)
    if failures:
        sys.exit("; ".join(failures).capitalize() + ".")


if __name__ == "__main__":
    main()
