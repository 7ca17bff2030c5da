"""The real command, from its start to its last file."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.bench import CONTENT, ROOT, STYLE, Ours, classic, timed
from benchmarks.report import Table, seconds

_SIDE = 256
_SNAPSHOTS = (10, 30, 60)
_SLICE = 15.0  # s
_HANGS = 600.0  # s


@dataclass(frozen=True)
class Run:
    """One run of the command: (seconds since its start, event) of each event, its length, its `run.json`."""

    events: list[tuple[float, dict[str, Any]]]
    seconds: float
    record: dict[str, Any]

    def first(self, *kinds: str, iteration: int = 0) -> float:
        """When the first event of these kinds at or past `iteration` arrived."""
        return next(at for at, event in self.events if event["kind"] in kinds and event["iteration"] >= iteration)


def run_command(*options: str) -> Run:
    """`impasto paint` on the example pictures. Raises `CalledProcessError`."""
    environment = os.environ | {"IMPASTO_SLICE_SECONDS": str(_SLICE)}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "bot.terminal.main", "paint", str(CONTENT), str(STYLE), "-o", folder]
        command += ["--weights", "random", "--size", str(_SIDE), "--json", *options]
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, text=True)  # fmt: skip
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        watchdog = threading.Timer(_HANGS, process.kill)
        watchdog.start()
        events = [(time.perf_counter() - began, json.loads(line)) for line in process.stdout]
        status = process.wait()
        watchdog.cancel()
        if status:
            raise subprocess.CalledProcessError(status, command)
        record = json.loads((Path(folder) / "run.json").read_text())
        return Run(events, time.perf_counter() - began, record)


def start(rounds: int) -> Table:
    """How long one waits for the first stroke."""
    waits: dict[str, list[float]] = {"painting begins": [], "first iteration seen": [], "all done": []}
    for _ in range(rounds):
        run = run_command("--recipe", "fine", "--iterations", "40")
        waits["painting begins"].append(run.first("started"))
        waits["first iteration seen"].append(run.first("progress", "snapshot", iteration=1))
        waits["all done"].append(run.seconds)
    return Table(
        "start",
        f"From the command to the first iteration (fine, random weights, {_SIDE} px, 40 iterations)",
        ("moment", "after the command", "fastest", "slowest"),
        [[name, *map(seconds, (statistics.median(w), min(w), max(w)))] for name, w in waits.items()],
        f"Median of {rounds} runs; interpreter, Redis and worker start within it. `All done` is the whole process.",
        waits,
    )


@dataclass(frozen=True)
class Shares:
    """Seconds of one run between its events `started` and `done`, and of the same iterations without the worker."""

    wall: float
    loop: float
    finishing: float
    slices: int
    bare: float

    @property
    def between(self) -> float:
        """Before, after and between the slices: checkpoints, the queue, the store."""
        return self.wall - self.loop - self.finishing


def overhead(rounds: int, iterations: int) -> Table:
    """What the worker adds to the loop."""
    shares = [measure_shares(iterations) for _ in range(rounds)]
    middle = {
        "the loop": [s.loop for s in shares],
        "finishing (film, plot, last checkpoint)": [s.finishing for s in shares],
        "around the slices (checkpoints, queue, store)": [s.between for s in shares],
        "all, from `started` to `done`": [s.wall for s in shares],
    }
    rows = [
        [name, seconds(statistics.median(values)), f"{_median_share(values, [s.wall for s in shares]):.1%}"]
        for name, values in middle.items()
    ]
    inside = _median_share([s.loop - s.bare for s in shares], [s.bare for s in shares])
    rows.append(
        ["the loop over the bare painter", seconds(statistics.median(s.bare for s in shares)), f"{inside:+.1%}"]
    )
    return Table(
        "overhead",
        f"What is not the loop (classic, random weights, {_SIDE} px, {iterations} iterations)",
        ("part", "time", "share"),
        rows,
        f"Median of {rounds} runs in slices of at most {_SLICE:.0f} s ({shares[0].slices} in the first), snapshots at "
        f"{_SNAPSHOTS}. Last row: time of the same iterations by the painter alone, half of them before and half after "
        "the command, and how much longer the worker's loop takes, which looks up, tells and encodes beside it; it "
        "means little where others use the cores.",
        [asdict(s) for s in shares],
    )


def measure_shares(iterations: int) -> Shares:
    """One run of the command, and the same iterations by the painter alone around it."""
    content, style = (Image.open(path).convert("RGB") for path in (CONTENT, STYLE))
    bare = Ours(classic(_SIDE, iterations=iterations, snapshots=_SNAPSHOTS), content, style)
    half = iterations // 2
    before = timed(bare.step, half) * half
    snapshots = ",".join(map(str, _SNAPSHOTS))
    run = run_command("--recipe", "classic", "--iterations", str(iterations), "--snapshots", snapshots)
    after = timed(bare.step, iterations - half) * (iterations - half)
    done = run.first("done")
    slices = run.record["slices"]
    return Shares(
        wall=done - run.first("started"),
        loop=sum(s["seconds"] for s in slices),
        finishing=done - run.first("progress", iteration=iterations),
        slices=len(slices),
        bare=before + after,
    )


def _median_share(parts: list[float], wholes: list[float]) -> float:
    return statistics.median(part / whole for part, whole in zip(parts, wholes, strict=True))
