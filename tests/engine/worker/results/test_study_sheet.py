"""A study's sheet, plots and measures: what is on them, whatever the pictures' shapes."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from engine.worker.results.loss_plot import PAPER, loss_plot
from engine.worker.results.study_measures import flicker, time_exponent
from engine.worker.results.study_plots import losses_plot, time_plot
from engine.worker.results.study_sheet import SheetTile, contact_sheet, side_by_side

COLOURS = ["#d00000", "#00a000", "#0000d0", "#a0a000", "#a000a0", "#00a0a0", "#605040", "#203060", "#901050"]


def tile(colour: str, size: tuple[int, int] = (64, 48), style: Image.Image | None = None) -> SheetTile:
    return SheetTile(colour, "loss 1", Image.new("RGB", size, colour), style)


def area(sheet: Image.Image, colour: str) -> tuple[int, int, int, int]:
    """Where the colour is: left, top, width, height; all of the box is of it."""
    wanted = np.array(Image.new("RGB", (1, 1), colour))[0, 0]
    at = (np.abs(np.asarray(sheet).astype(int) - wanted) <= 2).all(axis=2)
    rows, columns = np.flatnonzero(at.any(axis=1)), np.flatnonzero(at.any(axis=0))
    return int(columns[0]), int(rows[0]), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1


@pytest.mark.parametrize("count", [1, 2, 3, 5, 6, 8, 9])
def test_every_picture_is_on_the_sheet_whole_and_in_order(count: int) -> None:
    sheet = contact_sheet("Title", "harbour in strokes", [], [tile(colour) for colour in COLOURS[:count]], "foot")
    places = [area(sheet, colour) for colour in COLOURS[:count]]
    assert len({place[2:] for place in places}) == 1
    width, height = places[0][2:]
    assert width / height == pytest.approx(64 / 48, rel=0.02)
    assert [place[:2] for place in places] == sorted((place[:2] for place in places), key=lambda p: (p[1], p[0]))
    for left, top, wide, high in places:
        assert 0 < left < left + wide < sheet.width
        assert 0 < top < top + high < sheet.height
    assert 0.5 < sheet.width / sheet.height < 3


def test_pictures_of_several_sizes_and_shapes_are_not_distorted() -> None:
    shapes = {"#d00000": (64, 48), "#00a000": (48, 64), "#0000d0": (400, 300), "#a0a000": (200, 40)}
    sheet = contact_sheet("T", "s", [], [tile(colour, size) for colour, size in shapes.items()], "")
    for colour, (width, height) in shapes.items():
        _, _, wide, high = area(sheet, colour)
        assert wide / high == pytest.approx(width / height, rel=0.05)


def test_sources_stand_in_the_heading_and_styles_below_their_pictures() -> None:
    source, style = Image.new("RGB", (90, 60), "#123456"), Image.new("RGB", (60, 60), "#abcdef")
    sheet = contact_sheet("T" * 60, "s" * 200, [source], [tile("#d00000", style=style)], "f" * 300)
    left, top, _, _ = area(sheet, "#123456")
    assert top < 120
    assert left > sheet.width / 2
    inset = area(sheet, "#abcdef")
    whole = area(sheet, "#d00000")
    assert whole[0] < inset[0] < inset[0] + inset[2] <= whole[0] + whole[2]
    assert whole[1] + whole[3] < inset[1]
    assert whole[2] / whole[3] == pytest.approx(64 / 48, rel=0.02)  # nothing lies on the picture
    assert inset[2] == inset[3] >= 60


def test_two_side_by_side() -> None:
    both = side_by_side(
        [("one", Image.new("RGB", (64, 48), "#d00000")), ("two", Image.new("RGB", (64, 48), "#0000d0"))]
    )
    left, right = area(both, "#d00000"), area(both, "#0000d0")
    assert left[2:] == right[2:] == (64, 48)
    assert left[0] + left[2] < right[0]
    assert both.getpixel((0, 0)) == Image.new("RGB", (1, 1), PAPER).getpixel((0, 0))


def test_the_exponent_is_that_of_the_times() -> None:
    pixels = [1e4, 2e4, 4e4, 8e4]
    assert time_exponent(pixels, [3e-5 * p**1.25 for p in pixels]) == pytest.approx(1.25)


def test_flicker_is_the_mean_difference_of_all_pairs() -> None:
    grey = [Image.new("RGB", (8, 8), (level,) * 3) for level in (10, 20, 40)]
    assert flicker(grey) == pytest.approx((10 + 30 + 20) / 3)
    assert flicker([grey[0], grey[0]]) == 0


def drawn(png: bytes) -> set[tuple[int, ...]]:
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.size == (1600, 900)
        return {colour for _, colour in picture.convert("RGB").getcolors(2**24) or []}  # type: ignore[misc]


def test_a_long_name_beside_its_line_ends_before_the_edge() -> None:
    names = ("seed 9007199254740991, once more", "W" * 60)
    png = losses_plot([(name, [3.0, 2.0 / k]) for k, name in enumerate(names, 1)], [], "")
    with Image.open(io.BytesIO(png)) as image:
        levels = np.asarray(image.convert("L"), dtype=int)
    assert np.ptp(levels[:, -8:]) == 0
    assert np.ptp(levels[:, -60:]) > 0


@pytest.mark.parametrize("typed", ["$x^$", "$", r"$\undefined{$", "{0} %s {", r"100 $ \$"])
def test_whatever_somebody_calls_a_style_or_picture_is_drawn_as_it_is(typed: str) -> None:
    assert drawn(losses_plot([(typed, [3.0, 2.0]), ("b", [4.0, 2.0])], [], typed))
    rows = [[3.0, 2.0, 1.0], [2.0, 1.0, 1.0]]
    columns = ("total", "content", f"style {typed}")
    assert drawn(loss_plot(columns, rows, snapshots=(), scales=(), title=typed, note=typed))
    assert drawn(time_plot([1e4, 4e4], [1.0, 4.0], 1.0, typed))
    sheet = contact_sheet(typed, typed, [], [SheetTile(typed, typed, Image.new("RGB", (64, 48)))], typed)
    assert sheet.width > 64
    assert side_by_side([(typed, sheet), (typed, sheet)]).width > sheet.width


def test_a_line_for_each_painting_whatever_its_losses() -> None:
    rows: list[float | None] = [1e6 / i for i in range(1, 41)]
    lines: list[tuple[str, list[float | None]]] = [
        ("a", rows),
        ("b", [5e6 / i for i in range(1, 21)]),
        ("gone", [None] * 40),
        ("zero", [0.0] * 40),
    ]
    one, two = losses_plot(lines[:1], [], "one"), losses_plot(lines, [(64, 20), (128, 20)], "all")
    assert drawn(one) != drawn(two)
    assert drawn(losses_plot([("a", [3.0])], [], "one iteration"))


def test_the_times_are_plotted() -> None:
    assert drawn(time_plot([1e4, 4e4], [1.0, 4.0], 1.0, "a machine"))
