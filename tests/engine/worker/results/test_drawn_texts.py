"""What is drawn in plots, sheets and films: in the language that the job brings, and nothing English beside it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from engine.contract.drawn_texts import NUMBER, TEXTS, WEIGHTS_NOTES, drawn, drawn_list, drawn_number, translated
from engine.worker.results.film_loss_curve import LossStrip
from engine.worker.results.loss_plot import loss_plot
from engine.worker.results.study_files import weights_in_words
from engine.worker.results.study_plots import losses_plot, time_plot

MARKED = {text: f"«{text}»" for text in (*TEXTS, *WEIGHTS_NOTES)}
GIVEN = {"conv2_1", "relu1_1", "px", "s"}
"""Layers' names and units, which are alike in all languages."""
GREY = Image.new("RGB", (320, 240), "#808080")


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every text that is drawn."""
    texts: list[str] = []

    def watched(own: Callable[..., Any], place: int) -> Callable[..., Any]:
        def draw(*args: Any, **options: Any) -> Any:
            texts.append(str(args[place]))
            return own(*args, **options)

        return draw

    for owner, name, place in (
        (Figure, "text", 3), (Axes, "text", 3), (Axes, "annotate", 1), (Axes, "set_xlabel", 1),
        (ImageDraw.ImageDraw, "text", 2),
    ):  # fmt: skip
        monkeypatch.setattr(owner, name, watched(getattr(owner, name), place))
    yield texts


def left_in_english(texts: list[str]) -> set[str]:
    """Words outside of marks."""
    outside = " ".join(re.sub("«[^»]*»", "", text) for text in texts)
    return set(re.findall(r"[^\W\d_][\w]*", outside)) - GIVEN


def spiky(count: int, *spikes: int) -> NDArray[np.float64]:
    total = 1e6 / np.arange(1.0, count + 1)
    total[[spike - 1 for spike in spikes]] *= 50
    return np.column_stack([total, total / 2, total / 2, total / 9, total / 2, total / 2])


@pytest.mark.parametrize(
    ("count", "spikes", "wanted"), [(60, (50,), "a breakout"), (60, (25, 50), "breakouts"), (3000, (), "as much room")]
)
def test_of_a_plot_of_losses(seen: list[str], count: int, spikes: tuple[int, ...], wanted: str) -> None:
    columns = ("total", "content", "style", "variation", "content conv2_1", "style relu1_1")
    with translated(MARKED):
        scales = ((128, 30), (181, count - 30))
        loss_plot(columns, spiky(count, *spikes), snapshots=(10,), scales=scales, title="", note=WEIGHTS_NOTES[0])
    assert left_in_english(seen) == set()
    assert any(wanted in text for text in seen)
    assert {"«weighted loss»", "«iteration»", "«total»", "«style» · relu1_1"} <= set(seen)


def test_of_a_films_strip_and_a_studys_plots(seen: list[str]) -> None:
    with translated(MARKED):
        LossStrip([3.0, 2.0], [1, 2]).under(GREY, 1)
        losses_plot([("«one»", [3.0, 2.0])], [], "")
        time_plot([1e4, 4e4], [1.0, 4.0], 1.0, "")
    assert left_in_english(seen) == set()
    assert {"«iteration 2»", "«loss 2»", "«Time against pixels»", "«seconds of painting»"} <= set(seen)


def test_without_translations_all_is_english(seen: list[str]) -> None:
    LossStrip([3.0, 2.0], [1, 2]).under(GREY, 1)
    assert {"iteration 2", "loss 2"} <= set(seen)


@pytest.mark.parametrize("broken", ["Iteration {number}", "Iteration {", "Iteration {0}"])
def test_a_translation_that_cannot_be_filled_in_is_left_out(broken: str) -> None:
    with translated({"iteration {iteration}": broken}):
        assert drawn("iteration {iteration}", iteration="7") == "iteration 7"


def test_names_are_joined_by_the_languages_word() -> None:
    with translated({"{names} and {last}": "{names} und {last}"}):
        assert [drawn_list(names) for names in (["a"], ["a", "b"], ["a", "b", "c {x}"])] == [
            "a", "a und b", "a, b und c {x}"
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("sample", "written"),
    [("1.234,5", ["1.234.567", "0,0123", "1,23e+09", "7"]), ("", ["1,234,567", "0.0123", "1.23e+09", "7"])],
)
def test_numbers_have_the_languages_signs(seen: list[str], sample: str, written: list[str]) -> None:
    with translated({NUMBER: sample} if sample else {}):
        told = [
            drawn_number(value, spec) for value, spec in ((1234567, ","), (0.0123, ".3g"), (1.23e9, ".3g"), (7, "g"))
        ]
        LossStrip([3e4] * 2000, [1, 2000]).under(GREY, 1)
        time_plot([1e4, 4e4], [1.5, 4.0], 1.02, "")
    assert told == written
    comma, point = (".", ",") if sample else (",", ".")
    assert {f"iteration 2{comma}000", f"loss 30{comma}000", f"1{comma}000", f"1{point}5 s"} <= set(seen)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("sha256:609a17c3ef54783c", "own VGG16 weights 609a17c3"),
        ("starter", "weights starter"),
    ],
)
def test_weights_of_a_file_are_told_by_the_beginning_of_their_hash(name: str, told: str) -> None:
    assert weights_in_words(name, "vgg16") == told
