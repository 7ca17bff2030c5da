"""`python -m benchmarks.plots FOLDER`: draws the curves of `target.csv` there as `target.png`."""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter


def draw(path: Path) -> Path:
    """The losses over seconds of painting, with L-BFGS' last loss and a fifth of its time marked; beside the CSV."""
    curves: dict[str, list[tuple[float, float]]] = defaultdict(list)
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            curves[row["contender"]].append((float(row["seconds"]), float(row["loss"])))
    figure, axes = plt.subplots(figsize=(9, 5.5), layout="constrained")
    for name, points in curves.items():
        ours = name in ("classic", "gatys") or name.startswith("fine")
        axes.plot(*zip(*points, strict=True), label=name, linewidth=2 if ours else 1.2, linestyle="-" if ours else "--",
                  marker="o", markersize=3)  # fmt: skip
    end, goal = curves["gatys"][-1]
    axes.axhline(goal, color="grey", linewidth=0.8)
    axes.axvline(end / 5, color="grey", linewidth=0.8, linestyle=":")
    axes.annotate("a fifth of L-BFGS' time", (end / 5, 1), xycoords=("data", "axes fraction"), fontsize=8,
                  xytext=(4, -12), textcoords="offset points", color="grey")  # fmt: skip
    axes.annotate("what L-BFGS reaches", (end, goal), fontsize=8, xytext=(0, -12), ha="right",
                  textcoords="offset points", color="grey")  # fmt: skip
    axes.set(xscale="log", yscale="log", xlabel="seconds of painting", ylabel="Gatys et al.'s loss of what is shown")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    picture = path.with_suffix(".png")
    figure.savefig(picture, dpi=120)
    plt.close(figure)
    return picture


if __name__ == "__main__":
    print(draw(Path(sys.argv[1]) / "target.csv"))
