"""`python -m benchmarks [--quick] [--only TABLE]`: measure, print, write `out/bench/`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable

os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # the profiler looks for a GPU, and says so where there is none

from rich.console import Console

from benchmarks import report
from benchmarks.breakdown import breakdown
from benchmarks.command import overhead, start
from benchmarks.eta import eta
from benchmarks.memory import memory
from benchmarks.speed import speed
from engine.painting.memory import keep_memory

_TABLES = ("speed", "breakdown", "memory", "start", "overhead", "eta")


def main() -> None:
    """Run the tables that were asked for."""
    keep_memory()
    parser = argparse.ArgumentParser("benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round each at 128 and 256 px: a smoke test")
    parser.add_argument("--only", choices=_TABLES, help="one table")
    options = parser.parse_args()
    quick: bool = options.quick
    sides = (128, 256) if quick else (128, 256, 512)
    benches: dict[str, Callable[[], report.Table]] = {
        "speed": lambda: speed(sides, 1 if quick else 7),
        "breakdown": lambda: breakdown(256, 2 if quick else 10),
        "memory": lambda: memory(sides),
        "start": lambda: start(1 if quick else 3),
        "overhead": lambda: overhead(1 if quick else 3, 20 if quick else 100),
        "eta": lambda: eta(128 if quick else 256, 20 if quick else 100),
    }
    console, machine, tables = Console(), report.machine(), []
    for name, bench in benches.items():
        if options.only in (None, name):
            tables.append(bench())
            report.show(tables[-1], console)
    machine["load after"] = report.load()
    console.print(f"Written to {report.write(tables, machine)}. Load before: {machine['load before']}; "
                  f"after: {machine['load after']} ({os.cpu_count()} cores).")  # fmt: skip


main()
