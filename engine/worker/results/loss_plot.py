"""The plot of a painting's losses: logarithmic axes, every line named where it ends; a long run's total evenly too."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import accumulate, pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, LogFormatterSciNotation, LogLocator, NullFormatter
from numpy.typing import ArrayLike, NDArray

from engine.contract.drawn_texts import drawn, drawn_number
from engine.worker.results.loss_milestones import Array, Breakout, breakouts, extremes, first_decade, scale_starts

PAPER, INK, QUIET, RULE = "#fcfbf8", "#1d2230", "#777c88", "#e4e2dc"
_STRONG = {"total": INK, "content": "#1769b0", "style": "#d2451e"}
_HUES = {"content": 0.575, "style": 0.045}
_OTHER = "#5d8a66"
_POINTS = 2000  # more points along the axis than it has pixels would only cost time
_WIDTH, _HEIGHT = 1600, 900  # px
_LONG = 2000  # iterations from which on a logarithmic axis leaves too little room for the last ones
_MARKED = 12  # breakouts; with more the curve could not be seen
_DECADES = 8  # losses further than this below the largest are noise around zero


@dataclass(frozen=True)
class Line:
    label: str
    values: Array  # one per row, NaN where a logarithm has no place for it
    colour: str | tuple[float, float, float]
    strong: bool

    @property
    def width(self) -> float:
        return (3.6 if self.colour == INK else 2.8) if self.strong else 1.4

    @property
    def end(self) -> float:
        return float(self.values[np.isfinite(self.values)][-1])


def loss_plot(
    columns: Sequence[str],
    rows: ArrayLike,
    *,
    snapshots: Sequence[int],
    scales: Sequence[tuple[int, int]],
    starts: Sequence[int] = (),
    title: str,
    note: str = "",
    linear: bool = False,
) -> bytes:
    """The losses as a PNG of 1600 x 900 px.

    `rows` has one row per iteration and one number per column; numbers that are not positive and finite leave
    gaps, and columns without any other are left out. Columns named `content ...` and `style ...` are layers'
    parts. `snapshots` are iterations, `scales` pairs of (side in px, iterations); `starts` are the first iterations of
    further scales, too many to be drawn, as a film has for each frame. The axis of iterations is `linear` where they
    do not grow ever less important; else a long run's total is drawn a second time along a linear one, where its end
    has room. Marked is where the total has fallen by a decade, and where it breaks out (see `loss_milestones.py`).
    Raises `ValueError` where there is no row, or a row does not fit the columns.
    """
    losses = np.asarray(rows, dtype=np.float64)
    if losses.ndim != 2 or not len(losses) or losses.shape[1] != len(columns):
        raise ValueError(f"Losses need rows of {len(columns)} numbers, not the shape {losses.shape}.")
    losses = drawable(losses)
    lines = _lines(columns, losses)
    total = losses[:, list(columns).index("total")] if "total" in columns else None
    at = drawn_iterations(len(losses), snapshots, scales, linear=linear)
    if total is not None:
        at = np.union1d(at, _peaks(total, linear=linear))
    twice = not linear and total is not None and len(losses) > _LONG
    figure, axes = new_figure(title, bottom=0.36 if twice else 0.115)
    axes.set_xscale("linear" if linear else "log")
    dress(axes, len(losses), lines, at)
    mark_scales(axes, scales)
    for line in lines:
        axes.plot(at, line.values[at - 1], color=line.colour, linewidth=line.width, zorder=2 + line.strong,
                  marker="o" if len(at) == 1 else "", solid_joinstyle="round")  # fmt: skip
    if total is not None:
        found = breakouts(total, [*scale_starts(scales), *starts])
        _mark_falls(axes, total, found, first_decade(total))
        _mark_snapshots(axes, total, snapshots)
        if twice:
            _draw_evenly(figure, total, found)
    name_lines(axes, lines, len(losses))
    return as_png(figure, note)


def drawable(values: Array) -> Array:
    """The values with a gap (NaN) for what no logarithm has a place for, with room for limits around the rest."""
    return np.where((values > 1e-290) & (values < 1e290), values, np.nan)


def new_figure(title: str, *, bottom: float = 0.115) -> tuple[Figure, Axes]:
    """One of 1600 x 900 px, with its title, and the axes in it; `bottom` is where they end, in shares of the height."""
    figure = Figure(figsize=(_WIDTH / 100, _HEIGHT / 100), dpi=100, facecolor=PAPER)
    FigureCanvasAgg(figure)
    figure.text(0.066, 0.925, title, fontsize=23, fontweight="bold", color=INK, va="center", parse_math=False)
    return figure, figure.add_axes((0.066, bottom, 0.74, 0.86 - bottom), facecolor=PAPER)


def as_png(figure: Figure, note: str = "") -> bytes:
    """The figure with a note in its corner."""
    figure.text(0.984, 0.032, drawn(note), fontsize=12, style="italic", color=QUIET, ha="right", parse_math=False)
    out = BytesIO()
    figure.savefig(out, format="png", dpi=100, facecolor=PAPER)
    return out.getvalue()


def _lines(columns: Sequence[str], losses: Array) -> list[Line]:
    """The lines worth drawing: a layer that is all of its parent is told in the parent's label instead."""
    families = {parent: [c for c in columns if c.startswith(f"{parent} ")] for parent in _HUES}
    lines = []
    for column, values in zip(columns, losses.T, strict=True):
        parent, _, layer = column.partition(" ")
        family = families.get(parent, [])
        if not np.isfinite(values).any() or (layer and family == [column]):
            continue
        if layer and family:
            lines.append(Line(layer, values, _tint(parent, family.index(column) / (len(family) - 1)), False))
        else:
            only = f" · {family[0].partition(' ')[2]}" if len(family) == 1 else ""
            lines.append(Line(drawn(column) + only, values, _STRONG.get(column, _OTHER), True))
    return lines


def _tint(parent: str, share: float) -> tuple[float, float, float]:
    """A colour in the family of `parent`, from its dark end (share 0) to its light end (1)."""
    hue = _HUES[parent] + 0.075 * (share - 0.35)
    return colorsys.hls_to_rgb(hue, 0.42 + 0.16 * share, 0.62)


def drawn_iterations(
    last: int, snapshots: Sequence[int], scales: Sequence[tuple[int, int]], *, linear: bool
) -> NDArray[np.int64]:
    """The iterations to draw: all of a short run, else evenly along the axis and at every mark."""
    jumps = list(accumulate(count for _, count in scales))
    marks = [i for i in (*snapshots, *jumps, *(i + 1 for i in jumps)) if 1 <= i <= last]
    evenly = np.linspace if linear else np.geomspace
    spread = evenly(1, last, _POINTS) if last > _POINTS else np.arange(1, last + 1)
    return np.unique(np.concatenate([np.rint(spread).astype(np.int64), np.array(marks, dtype=np.int64)]))


def dress(axes: Axes, last: int, lines: Sequence[Line], at: NDArray[np.int64], heading: str = "weighted loss") -> None:
    """Axes, ticks, grid and limits; the limits leave out the dust around zero and leave room for marks."""
    axes.set_yscale("log")
    values = np.concatenate([line.values[at - 1] for line in lines] or [np.ones(1)])
    values = values[np.isfinite(values)]
    top = float(values.max())
    low = max(float(np.quantile(values, 0.005)), top / 10**_DECADES)
    room = max(math.log10(top / low), 0.3)
    axes.set_ylim(low / 10 ** (0.05 * room), top * 10 ** (0.16 * room))
    axes.set_xlim(*((1, last) if last > 1 else (0.5, 2)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: drawn_number(x, ",.0f")))
    axes.xaxis.set_minor_formatter(NullFormatter())
    if room < 1.5:
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(LogFormatterSciNotation(minor_thresholds=(math.inf, math.inf)))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(axis="y", color=RULE, linewidth=1)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(QUIET)
    axes.tick_params(axis="both", which="both", colors=QUIET, labelsize=14, length=0)
    axes.tick_params(axis="x", which="both", length=5, pad=7)
    axes.set_xlabel(drawn("iteration"), fontsize=15, color=QUIET, labelpad=8)
    axes.text(0, 1.02, drawn(heading), transform=axes.transAxes, fontsize=14, color=QUIET)


def mark_scales(axes: Axes, scales: Sequence[tuple[int, int]]) -> None:
    """A light line where the painting grows, and each scale's side where there is room for it."""
    if len(scales) < 2:
        return
    starts = [1, *(done + 1 for done in accumulate(count for _, count in scales))]
    across = axes.get_xaxis_transform()
    for (side, _), (start, end) in zip(scales, pairwise(starts), strict=True):
        if start > axes.get_xlim()[1]:
            break
        left, right = (axes.transData.transform((x, 1))[0] for x in (start, end))
        if start > 1:
            axes.axvline(start, color="#c9c5ba", linewidth=1.1, linestyle=(0, (2, 4)), zorder=1)
        if right - left > 24:
            axes.annotate(f"{side} px", (start, 1), xycoords=across, xytext=(5, -2), rotation=90, va="top",
                          textcoords="offset points", fontsize=11, color="#9b978c")  # fmt: skip


def _peaks(total: Array, *, linear: bool) -> NDArray[np.int64]:
    """The iterations of the total's ends and extremes in each place along the axis: no spike is left out."""
    known = np.flatnonzero(np.isfinite(total))
    if len(known) <= _POINTS:
        return known + 1
    along = (known + 1) / len(total) if linear else np.log(known + 1) / math.log(len(total))
    return known[extremes(np.rint(along * _POINTS / 2).astype(np.int64), total[known])] + 1


def _mark_falls(axes: Axes, total: Array, found: Sequence[Breakout], decade: int | None) -> None:
    """A diamond where the total has fallen by a decade, a triangle over each of the highest breakouts, and words."""
    words = []
    if decade is not None:
        axes.plot(decade, total[decade - 1], "D", markersize=9, color=INK, zorder=5)
        words.append(drawn("◆ a tenth of its first, at iteration {iteration}", iteration=drawn_number(decade, ",")))
    _mark_breakouts(axes, total, found, 10)
    if found:
        highest = max(found, key=lambda one: one.factor)
        at = {"factor": drawn_number(highest.factor, ".3g"), "iteration": drawn_number(highest.iteration, ",")}
        several = drawn(
            "▼ {count} breakouts, the highest × {factor} at {iteration}", count=drawn_number(len(found), ","), **at
        )
        words.append(several if len(found) > 1 else drawn("▼ a breakout, × {factor} at {iteration}", **at))
    axes.text(1, 1.02, "   ".join(words), transform=axes.transAxes, fontsize=13, color=QUIET, ha="right")


def _mark_breakouts(axes: Axes, total: Array, found: Sequence[Breakout], size: float) -> None:
    for one in sorted(found, key=lambda one: one.factor)[-_MARKED:]:
        axes.annotate("▼", (one.iteration, total[one.iteration - 1]), xytext=(0, 3), textcoords="offset points",
                      ha="center", va="bottom", fontsize=size, color=INK, zorder=6)  # fmt: skip


def _draw_evenly(figure: Figure, total: Array, found: Sequence[Breakout]) -> None:
    """The total once more below, along a linear axis, as high as all but its first hundredth needs."""
    late = total[len(total) // 100 :]
    late = late[np.isfinite(late)]
    if not len(late):
        return
    axes = figure.add_axes((0.066, 0.085, 0.74, 0.16), facecolor=PAPER)
    at = _peaks(total, linear=True)
    line = Line("total", late, INK, strong=True)
    dress(axes, len(total), [line], np.arange(1, len(late) + 1), "the total, with as much room for each iteration")
    axes.set_xlabel("")
    if late.max() / late.min() > 10:
        axes.yaxis.set_major_locator(LogLocator(numticks=4))  # there is room for few
    axes.plot(at, total[at - 1], color=INK, linewidth=1.6, solid_joinstyle="round")
    _mark_breakouts(axes, total, found, 7)


def _mark_snapshots(axes: Axes, total: Array, snapshots: Sequence[int]) -> None:
    """A ring on the total's line for each snapshot; its number above, higher where numbers would meet."""
    floors = [-math.inf] * 4
    for i in sorted(set(snapshots)):
        if not 1 <= i <= len(total) or not np.isfinite(total[i - 1]):
            continue
        axes.plot(i, total[i - 1], "o", markersize=10, markerfacecolor=PAPER, markeredgecolor=INK,
                  markeredgewidth=2.4, zorder=5, clip_on=False)  # fmt: skip
        x, half = axes.transData.transform((i, 1))[0], 5.5 * len(f"{i:,}") + 3
        floor = next((f for f, right in enumerate(floors) if x - half > right), None)
        if floor is None:
            continue
        floors[floor] = x + half
        axes.annotate(drawn_number(i, ","), (i, total[i - 1]), xytext=(0, 12 + 17 * floor), textcoords="offset points",
                      ha="center", fontsize=13, fontweight="bold", color=INK, zorder=6,
                      path_effects=[withStroke(linewidth=4, foreground=PAPER)])  # fmt: skip


def name_lines(axes: Axes, lines: Sequence[Line], last: int) -> None:
    """Each line's name to the right of its end, moved apart where names would meet, with a leader to it."""
    bottom, top = axes.get_window_extent().y0, axes.get_window_extent().y1
    gap = min(25.0, (top - bottom) / max(1.6 * len(lines), 1))
    ordered = sorted(lines, key=lambda line: line.end)
    ends = np.array([np.clip(axes.transData.transform((last, line.end))[1], bottom, top) for line in ordered])
    right = axes.get_window_extent().x1
    for line, end, y in zip(ordered, ends, _apart(ends, gap, bottom - 40, top), strict=True):
        leader = {"arrowstyle": "-", "color": line.colour, "alpha": 0.6, "shrinkB": 0, "relpos": (0, 0.5)}
        name = axes.annotate(line.label, (right + 10, end), xycoords="figure pixels", xytext=(right + 44, y),
                             textcoords="figure pixels", va="center", color=line.colour, arrowprops=leader,
                             fontsize=min(16.0 if line.strong else 13.5, gap * 0.62), annotation_clip=False,
                             fontweight="bold" if line.strong else "normal", parse_math=False)  # fmt: skip
        most = _WIDTH - 12 - (right + 44)
        name.set_fontsize(name.get_fontsize() * min(1.0, most / Text.get_window_extent(name).width))


def _apart(wanted: Array, gap: float, bottom: float, top: float) -> Array:
    """Rising positions at least `gap` apart and within the ends, as near as can be to the `wanted` ones.

    Names that would meet become a block around the mean of their places (isotonic least squares).
    """
    steps = gap * np.arange(len(wanted))
    blocks: list[tuple[float, int]] = []
    for place in wanted - steps:
        mean, size = float(place), 1
        while blocks and blocks[-1][0] >= mean:
            below, count = blocks.pop()
            mean, size = (below * count + mean * size) / (count + size), count + size
        blocks.append((mean, size))
    placed = np.repeat([mean for mean, _ in blocks], [size for _, size in blocks]) + steps
    return np.asarray(np.clip(placed, bottom + steps, top - steps[::-1]))
