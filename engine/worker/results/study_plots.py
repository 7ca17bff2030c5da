"""A study's plots: the losses of all its paintings, and their times against their pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, NullFormatter

from engine.contract.drawn_texts import drawn, drawn_number
from engine.worker.results.loss_milestones import Array
from engine.worker.results.loss_plot import (
    INK,
    PAPER,
    QUIET,
    RULE,
    Line,
    as_png,
    drawable,
    drawn_iterations,
    dress,
    mark_scales,
    name_lines,
    new_figure,
)


def losses_plot(
    lines: Sequence[tuple[str, Sequence[float | None]]], scales: Sequence[tuple[int, int]], title: str
) -> bytes:
    """The total loss of each painting, by its label, as a PNG of 1600 x 900 px; `scales` as of `loss_plot`."""
    longest = max(len(values) for _, values in lines)
    colours = colormaps["plasma"](np.linspace(0.0, 0.8, len(lines)))
    drawn = [
        Line(label, _padded(values, longest), (float(red), float(green), float(blue)), strong=True)
        for (label, values), (red, green, blue, _) in zip(lines, colours, strict=True)
    ]
    drawn = [line for line in drawn if np.isfinite(line.values).any()]
    figure, axes = new_figure(title)
    axes.set_xscale("log")
    at = drawn_iterations(longest, [], scales, linear=False)
    dress(axes, longest, drawn, at)
    mark_scales(axes, scales)
    for line in drawn:
        axes.plot(at, line.values[at - 1], color=line.colour, linewidth=2.6, solid_joinstyle="round",
                  marker="o" if len(at) == 1 else "")  # fmt: skip
    name_lines(axes, drawn, longest)
    return as_png(figure)


def time_plot(pixels: Sequence[float], seconds: Sequence[float], exponent: float, machine: str) -> bytes:
    """Seconds of painting against pixels, on logarithmic axes, with the line that fits best."""
    figure, axes = new_figure(drawn("Time against pixels"))
    axes.set_xscale("log")
    axes.set_yscale("log")
    sizes, times = np.asarray(pixels, dtype=np.float64), np.maximum(np.asarray(seconds, dtype=np.float64), 1e-3)
    centre = np.exp(np.log(times).mean() - exponent * np.log(sizes).mean())
    ends = np.array([sizes.min() / 1.3, sizes.max() * 1.3])
    axes.plot(ends, centre * ends**exponent, color="#d2451e", linewidth=2.4, zorder=2)
    axes.plot(sizes, times, "o", markersize=13, markerfacecolor=PAPER, markeredgecolor=INK, markeredgewidth=2.6)
    for x, y in zip(sizes, times, strict=True):
        axes.annotate(f"{drawn_number(y, '.3g')} s", (x, y), xytext=(-12, 14), textcoords="offset points", ha="right",
                      fontsize=14, color=INK, path_effects=[withStroke(linewidth=4, foreground=PAPER)])  # fmt: skip
    power = drawn_number(exponent, ".2f").replace(",", "{,}")  # else a comma has a space after it
    law = f"{drawn('time')} ∝ {drawn('pixels')}$^{{{power}}}$"
    axes.text(1.03, 0.5, law, transform=axes.transAxes, fontsize=21, color="#d2451e", va="center")
    axes.text(0, 1.02, drawn("seconds of painting"), transform=axes.transAxes, fontsize=14, color=QUIET)
    axes.set_xlabel(drawn("pixels"), fontsize=15, color=QUIET, labelpad=8)
    axes.set_xticks(sizes, [drawn_number(size, ",.0f") for size in sizes])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: drawn_number(y, "g")))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.margins(y=0.2)
    axes.grid(color=RULE, linewidth=1)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(QUIET)
    axes.tick_params(axis="both", which="both", colors=QUIET, labelsize=14, length=0)
    return as_png(figure, machine)


def _padded(values: Sequence[float | None], length: int) -> Array:
    """The values filled up with NaN to `length`; what is no positive number leaves a gap."""
    padded = np.full(length, np.nan)
    padded[: len(values)] = [np.nan if value is None else value for value in values]
    return drawable(padded)
