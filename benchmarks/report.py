"""Tables, written as JSON and Markdown."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

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


def write(tables: Sequence[Table], machine: dict[str, Any], folder: Path = FOLDER) -> Path:
    """`bench.json` and `bench.md` in the folder, which is returned."""
    folder.mkdir(parents=True, exist_ok=True)
    record = {"machine": machine, "tables": [asdict(table) for table in tables]}
    (folder / "bench.json").write_text(json.dumps(record, indent=1) + "\n")
    head = "# Benchmark\n\n" + "\n".join(f"- {name}: {value}" for name, value in machine.items())
    (folder / "bench.md").write_text("\n\n".join([head, *map(markdown, tables)]) + "\n")
    return folder


def machine() -> dict[str, Any]:
    """What the numbers were measured on, and how busy it was before."""
    return {
        "processor": _processor(),
        **({"GPU": torch.cuda.get_device_name()} if torch.cuda.is_available() else {}),
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


def markdown(table: Table) -> str:
    """The table under its title."""
    lines = [table.columns, ["---", *["---:"] * (len(table.columns) - 1)], *table.rows]
    body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"## {table.title}\n\n{body}\n\n{table.note}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
