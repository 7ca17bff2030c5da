"""`python -m benchmarks [--quick] [--only TABLE] [--size PX]`: measure, print, write `out/bench/`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable

os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # the profiler looks for a GPU, and says so where there is none

import rich.table
from rich.console import Console

from benchmarks import plots, report
from benchmarks.breakdown import breakdown
from benchmarks.command import overhead, start
from benchmarks.eta import eta
from benchmarks.memory import memory
from benchmarks.peer_speeds import contest
from benchmarks.sizes import SIDES, sizes
from benchmarks.speed import speed
from benchmarks.starter import SIDES as STARTER_SIDES
from benchmarks.starter import starter
from benchmarks.target import ITERATIONS, target, write_curves
from engine.painting.memory.allocator import keep_memory

_TABLES = ("speed", "peers", "sizes", "starter", "target", "breakdown", "memory", "start", "overhead", "eta")


def main() -> None:
    """Run the tables that were asked for."""
    keep_memory()
    parser = argparse.ArgumentParser("benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round each at 128 and 256 px: a smoke test")
    parser.add_argument("--only", choices=_TABLES, help="one table")
    parser.add_argument("--size", type=int, help="of the table `target`, px (128; with --quick 64)")
    options = parser.parse_args()
    quick: bool = options.quick
    size: int = options.size or (64 if quick else 128)
    sides = (128, 256) if quick else (128, 256, 512)
    benches: dict[str, Callable[[], report.Table]] = {
        "speed": lambda: speed(sides, 1 if quick else 5),
        "peers": lambda: contest(sides, 1 if quick else 3),
        "sizes": lambda: sizes(sides if quick else SIDES, 1 if quick else 3),
        "starter": lambda: starter((128,) if quick else STARTER_SIDES, 1 if quick else 3),
        "target": lambda: target(size, iterations=25 if quick else ITERATIONS),
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
            show(tables[-1], console)
            report.write(tables, machine)
            if name == "target":
                console.print(f"The curves: {plots.draw(write_curves(tables[-1], report.FOLDER))}\n")
    machine["load after"] = report.load()
    console.print(f"Written to {report.write(tables, machine)}. Load before: {machine['load before']}; "
                  f"after: {machine['load after']} ({os.cpu_count()} cores).")  # fmt: skip


def show(table: report.Table, console: Console) -> None:
    """Print the table, its first column to the left, numbers to the right."""
    shown = rich.table.Table(title=table.title, title_justify="left", caption=table.note, caption_justify="left")
    for i, column in enumerate(table.columns):
        shown.add_column(column, justify="right" if i else "left")
    for row in table.rows:
        shown.add_row(*row)
    console.print(shown)
    console.print()


main()
