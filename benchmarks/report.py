"""Tables: shown by rich, written as JSON and Markdown."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import rich.table
import torch
from rich.console import Console

FOLDER = Path(__file__).parent.parent / "out" / "bench"


@dataclass(frozen=True)
class Table:
    """One table: `rows` are what a person reads, `data` the numbers behind them."""

    name: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str
    data: Any


def show(table: Table, console: Console) -> None:
    """Print the table, its first column to the left, numbers to the right."""
    shown = rich.table.Table(title=table.title, title_justify="left", caption=table.note, caption_justify="left")
    for i, column in enumerate(table.columns):
        shown.add_column(column, justify="right" if i else "left")
    for row in table.rows:
        shown.add_row(*row)
    console.print(shown)
    console.print()


def write(tables: Sequence[Table], machine: dict[str, Any]) -> Path:
    """`bench.json` and `bench.md` in `out/bench`; returns the folder."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    record = {"machine": machine, "tables": [asdict(table) for table in tables]}
    (FOLDER / "bench.json").write_text(json.dumps(record, indent=1) + "\n")
    head = "# Benchmark\n\n" + "\n".join(f"- {name}: {value}" for name, value in machine.items())
    (FOLDER / "bench.md").write_text("\n\n".join([head, *map(_markdown, tables)]) + "\n")
    return FOLDER


def machine() -> dict[str, Any]:
    """What the numbers were measured on, and how busy it was before."""
    return {
        "processor": _processor(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "load before": load(),
    }


def load() -> str:
    """Load averages over 1, 5 and 15 minutes: above the number of cores, others were at work too."""
    return " ".join(f"{value:.2f}" for value in os.getloadavg())


def seconds(value: float) -> str:
    """Seconds with three digits that count: 1.23 s, 45.6 ms."""
    return f"{value:.3g} s" if value >= 1 else f"{value * 1000:.3g} ms"


def _markdown(table: Table) -> str:
    lines = [table.columns, ["---", *["---:"] * (len(table.columns) - 1)], *table.rows]
    body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"## {table.title}\n\n{body}\n\n{table.note}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
