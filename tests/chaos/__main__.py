"""`make chaos`: break everything for a while, and print what came of it; the exit status is 0 when nothing did."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from chaos.run import FAULTS, run, summary, table


def main() -> int:
    parser = argparse.ArgumentParser("make chaos")
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=None, help="repeats a run's faults and dice")
    parser.add_argument("--fault", action="append", choices=sorted(FAULTS), help="this one only; may be given again")
    parser.add_argument("--keep", type=Path, help="a new folder for logs, store and Redis' file, kept afterwards")
    options = parser.parse_args()
    console = Console(width=110)
    seed = options.seed if options.seed is not None else secrets.randbelow(1_000_000)
    console.print(f"seed {seed}", highlight=False)
    with tempfile.TemporaryDirectory(prefix="impasto-") as folder:
        if options.keep:
            options.keep.mkdir(parents=True)
        kept = (options.keep or Path(folder)).absolute()
        report = asyncio.run(run(kept, seed, options.fault, options.minutes * 60, console))
    console.print(table(report), summary(report))
    for line in [*report.broken, *report.verdict.wrong]:
        console.print(line, style="red", highlight=False, markup=False)
    return 0 if report.well else 1


if __name__ == "__main__":
    sys.exit(main())
