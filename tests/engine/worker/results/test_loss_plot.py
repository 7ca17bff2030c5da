from __future__ import annotations

import math
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from numpy.typing import NDArray
from PIL import Image
from support.jobs import a_job, light

from engine.worker.results.finished_files import plot_of_losses
from engine.worker.results.loss_plot import loss_plot

COLUMNS = ("total", "content", "style", "variation", "content conv2_1", "style relu1_1", "style relu2_1")
LEFT, WIDTH = 0.066 * 1600, 0.74 * 1600


def falling(count: int) -> NDArray[np.float64]:
    i = np.arange(1, count + 1)
    style = np.column_stack([4e5 / i, 2e5 / np.sqrt(i)])
    content = 100.0 * np.log1p(i)
    zero = np.zeros(count)
    return np.column_stack([style.sum(1) + content, content, style.sum(1), zero, content, style])


def drawn(rows: Any, *, columns: tuple[str, ...] = COLUMNS, **options: Any) -> NDArray[np.int16]:
    """The plot's levels; a plain plot, but for the options."""
    plain = {"snapshots": (), "scales": (), "title": "A plot"}
    png = loss_plot(columns, rows, **(plain | options))
    with Image.open(BytesIO(png)) as image:
        assert image.format == "PNG"
        assert image.size == (1600, 900)
        return np.asarray(image.convert("RGB"), dtype=np.int16)


def changed_columns(before: NDArray[np.int16], after: NDArray[np.int16]) -> set[int]:
    return set(np.flatnonzero((before != after).any(axis=(0, 2))).tolist())


def colours(picture: NDArray[np.int16]) -> set[tuple[int, ...]]:
    return {tuple(c) for c in np.unique(picture.reshape(-1, 3), axis=0).tolist()}


@pytest.mark.long
def test_the_three_strong_lines_are_drawn_in_their_colours() -> None:
    seen = colours(drawn(falling(300)))
    assert {(0x1D, 0x22, 0x30), (0x17, 0x69, 0xB0), (0xD2, 0x45, 0x1E)} <= seen


def test_each_snapshot_is_marked_at_its_iteration_and_nowhere_else() -> None:
    rows = falling(1000)
    changed = changed_columns(drawn(rows), drawn(rows, snapshots=(10, 100)))
    places = [LEFT + WIDTH * math.log10(i) / 3 for i in (10, 100)]
    for place in places:
        assert {round(place) + d for d in (-8, -7, 7, 8)} <= changed
    assert all(min(abs(column - place) for place in places) < 30 for column in changed)


def test_every_frame_of_a_sequence_has_as_much_room() -> None:
    rows = falling(1001)
    changed = changed_columns(drawn(rows, linear=True), drawn(rows, linear=True, snapshots=(501,)))
    assert abs((min(changed) + max(changed)) / 2 - (LEFT + WIDTH / 2)) < 3
    drawn(falling(7000), linear=True, scales=((64, 5000), (90, 2000)))


@pytest.mark.parametrize("count", [1500, 30_000])
def test_a_spike_of_one_iteration_is_drawn_and_marked_however_long_the_run(count: int) -> None:
    rows, at = falling(count), round(0.7 * count)
    spiked = rows.copy()
    spiked[at - 1, 0] *= 4
    changed = changed_columns(drawn(rows)[120:760], drawn(spiked)[120:760])
    place = LEFT + WIDTH * math.log(at) / math.log(count)
    assert min(abs(column - place) for column in changed) < 2
    words = drawn(rows)[80:115] != drawn(spiked)[80:115]
    assert words.any()


def axes_below(picture: NDArray[np.int16]) -> int:
    """How many axes of iterations there are: rows in QUIET across the whole plot."""
    across = picture[:, round(LEFT) + 20 : round(LEFT + WIDTH) - 20]
    rows = (np.abs(across - np.array([0x77, 0x7C, 0x88])).max(axis=2) < 70).mean(axis=1) > 0.9
    return int((np.diff(rows.astype(int), prepend=0) > 0).sum())


def test_a_long_runs_end_has_room_along_a_second_axis() -> None:
    rows = falling(30_000)
    spiked = rows.copy()
    spiked[23_456, 0] *= 4
    changed = np.abs(drawn(rows)[640:815] - drawn(spiked)[640:815]).max(axis=(0, 2))
    place = LEFT + WIDTH * 23_456 / 30_000
    assert all(abs(column - place) < 12 for column in np.flatnonzero(changed > 100))
    assert changed[round(place)] > 100
    assert [axes_below(drawn(rows)), axes_below(drawn(falling(300))), axes_below(drawn(rows, linear=True))] == [2, 1, 1]


def test_where_it_has_fallen_by_a_decade_is_marked() -> None:
    rows = np.repeat([[1000.0], [90.0]], [30, 70], axis=0)
    before = drawn(rows[:30], columns=("total",))
    marked = drawn(rows, columns=("total",))
    assert (marked[80:115, 700:1190] != marked[0, 0]).any()
    assert not (before[80:115, 700:1190] != before[0, 0]).any()


def test_where_a_frame_of_a_film_begins_its_loss_does_not_break_out(monkeypatch: pytest.MonkeyPatch) -> None:
    job = a_job().model_copy(update={"recipe": light(24, scales=1, frame_iterations=20).sequence(4)})
    counts = [count for _, count in job.recipe.plan()]
    totals = np.concatenate([1e6 / np.arange(1.0, count + 1) for count in counts])
    said: list[str] = []
    text = Axes.text

    def watched(self: Axes, x: float, y: float, words: str, **options: Any) -> Any:
        said.append(words)
        return text(self, x, y, words, **options)

    monkeypatch.setattr(Axes, "text", watched)
    for spike, expected in ((None, False), (sum(counts[:2]) + 15, True)):
        rows = totals.copy()
        if spike is not None:
            rows[spike - 1] *= 50
        said.clear()
        losses = {"columns": ["total"], "rows": rows[:, None].tolist()}
        plot_of_losses(job, {"losses": losses, "snapshots": [], "weights": {"note": ""}})
        assert any("▼ a breakout" in words for words in said) == expected
        assert not any("breakouts" in words for words in said)


def test_snapshots_past_the_run_or_without_a_loss_are_not_marked() -> None:
    rows = falling(50)
    rows[19, 0] = np.nan
    assert not changed_columns(drawn(rows), drawn(rows, snapshots=(0, 20, 51, 300)))


def test_a_column_without_losses_is_left_out() -> None:
    rows = falling(40)
    without = np.delete(rows, 3, axis=1)
    names = tuple(c for c in COLUMNS if c != "variation")
    assert (drawn(rows) == drawn(without, columns=names)).all()
    rows[:, 3] = 500
    assert (drawn(rows) != drawn(without, columns=names)).any()


def test_scales_are_marked_where_the_picture_grows() -> None:
    rows = falling(100)
    changed = changed_columns(drawn(rows), drawn(rows, scales=((256, 30), (512, 70))))
    place = LEFT + WIDTH * math.log10(31) / 2
    assert any(abs(column - place) < 2 for column in changed)
    assert not changed_columns(drawn(rows), drawn(rows, scales=((512, 100),)))


def test_title_and_note_are_drawn_as_they_are() -> None:
    rows = falling(20)
    plain = drawn(rows)
    assert (drawn(rows, title="$x^") != plain)[:120].any()
    noted = drawn(rows, note="Stand-in weights: 5$ and 3$")
    assert (noted != plain)[830:].any()
    assert not (noted != plain)[:830].any()


@pytest.mark.long
@pytest.mark.parametrize("count", [1, 2, 3, 99_900])
def test_runs_of_any_length_are_drawn(count: int) -> None:
    picture = drawn(falling(count), snapshots=(1, count), scales=((512, count),), note="note")
    assert (0x17, 0x69, 0xB0) in colours(picture)


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf, 1e308, 5e-324])
def test_a_run_of_nothing_but_odd_losses_is_drawn(value: float) -> None:
    drawn(np.full((30, len(COLUMNS)), value), snapshots=(1, 10, 30), scales=((256, 15), (512, 15)))


def test_odd_losses_are_gaps_and_do_not_bend_the_axes() -> None:
    gaps = falling(200)
    gaps[50:60] = np.nan
    gaps[[70, 80, 90], [0, 1, 2]] = np.nan
    odd = gaps.copy()
    odd[50:60], odd[70, 0], odd[80, 1], odd[90, 2] = 0, math.inf, -5, -math.inf
    assert (drawn(odd) == drawn(gaps)).all()
    assert (drawn(odd) != drawn(falling(200))).any()


def test_constant_losses_and_lists_are_drawn() -> None:
    drawn([[5.0, 0.0, 5.0]] * 12, columns=("total", "content", "style"), snapshots=(12,))


def test_a_run_that_was_stopped_early_is_drawn_with_the_scales_it_reached() -> None:
    rows = falling(40)
    assert (drawn(rows, scales=((256, 30), (362, 30), (512, 40))) == drawn(rows, scales=((256, 30), (362, 30)))).all()


@pytest.mark.parametrize("rows", [[], [[1.0, 2.0]], [1.0, 2.0]])
def test_rows_that_do_not_fit_are_refused(rows: Any) -> None:
    with pytest.raises(ValueError, match="Losses need rows of 7 numbers"):
        drawn(rows)


def test_plots_are_the_same_every_time() -> None:
    rows = falling(60)
    assert (drawn(rows, snapshots=(10,)) == drawn(rows, snapshots=(10,))).all()
