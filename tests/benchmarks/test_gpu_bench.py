"""The bench for a GPU runs on torch alone, tells what is not equal, and never ends without a report."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import torch

from benchmarks import bench, equalities
from benchmarks.equalities import Equality
from benchmarks.gpu import Plan, run
from benchmarks.sizes import exponent
from benchmarks.target import Curve
from engine.painting.network import vgg
from engine.recipe.presets import preset
from engine.recipe.vgg_layers import convs

ROOT = Path(__file__).parents[2]
TINY = Plan(equal=32, contest=(32,), rates=(32,), sizes=(32, 64), target=32, iterations=2, rounds=1)


def cheap_convs(_index: int, layers: int, _pictures: object) -> vgg.Convs:
    made, channels = {}, 3
    for name, _, width, _ in convs("vgg19")[:layers]:
        weight = torch.randn(width, channels, 3, 3, generator=torch.Generator().manual_seed(1))
        made[name], channels = (weight * (2 / (9 * channels)) ** 0.5, torch.zeros(width)), width
    return made


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Ours looks at two shallow layers, and one recipe is asked for its equalities."""
    shallow = partial(
        preset, content_layers=("relu2_1",), style_layers=("relu1_1", "relu2_1"), style_layer_weights=(1.0, 1.0)
    )
    monkeypatch.setattr(bench, "preset", shallow)
    monkeypatch.setattr(bench, "random_convs", cheap_convs)
    one_recipe = tuple(equality for equality in equalities.EQUALITIES if equality.name.endswith(": fine"))
    monkeypatch.setattr(equalities, "EQUALITIES", one_recipe)
    bench.stand_in.cache_clear()
    yield
    bench.stand_in.cache_clear()


@pytest.mark.long
def test_all_parts_run_and_are_written(tmp_path: Path) -> None:
    assert run("cpu", TINY, 600, tmp_path) == []
    tables = {table["name"]: table for table in json.loads((tmp_path / "bench.json").read_text())["tables"]}
    assert list(tables) == ["equalities", "peers", "rates", "sizes", "target"]
    assert [row[1] for row in tables["equalities"]["rows"]] == ["yes"] * 6
    report = (tmp_path / "bench.md").read_text()
    assert all(table["title"] in report for table in tables.values())
    curves = (tmp_path / "target.csv").read_text().splitlines()
    assert {line.rsplit(",", 2)[0].strip('"') for line in curves[1:]} == set(tables["target"]["data"])
    assert all(curve["seconds"] == sorted(curve["seconds"]) for curve in tables["target"]["data"].values())


def test_what_is_not_equal_and_what_breaks_is_told_and_the_rest_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(_device: str, _side: int) -> float:
        raise ZeroDivisionError("on order")

    asked = (
        Equality("near", 0.1, lambda _device, _side: 0.1),
        Equality("far", 0, lambda _device, _side: 0.1),
        Equality("no number", 1, lambda _device, _side: float("nan")),
        Equality("broken", 1, broken),
    )
    monkeypatch.setattr(equalities, "EQUALITIES", asked)
    failures = run("cpu", Plan(32, (), (), (32,), 0, 0, 1), 600, tmp_path)
    assert failures == ["something is not equal that should be", "sizes broke", "target broke"]
    tables = json.loads((tmp_path / "bench.json").read_text())["tables"]
    assert [row[1] for row in tables[0]["rows"]] == ["yes", "NO", "NO", "NO"]
    assert "on order" in tables[0]["rows"][3][2]
    assert "Traceback" in (tmp_path / "bench.md").read_text()


def test_past_the_deadline_nothing_more_is_asked() -> None:
    table, _ = equalities.equalities("cpu", 32, deadline=0)
    assert table.rows == []
    assert "6 more were not asked" in table.note


def test_it_needs_no_more_than_a_gpu_machine_has() -> None:
    command = [sys.executable, "-c", "import sys, benchmarks.gpu; print(*sys.modules)"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    packages = {name.split(".")[0] for name in done.stdout.split()}
    assert {"torch", "PIL", "numpy"} <= packages
    assert not packages & {"matplotlib", "rich", "pytest", "redis", "arq", "pydantic", "safetensors", "bot"}


@pytest.mark.parametrize("power", [0.5, 1.0, 1.25])
def test_the_exponent_is_that_of_the_number_of_pixels(power: float) -> None:
    assert exponent({side: 3e-7 * side ** (2 * power) for side in (128, 256, 512)}) == pytest.approx(power)


def test_a_loss_is_reached_when_it_is_first_seen() -> None:
    curve = Curve([1.0, 2.0, 3.0], [9.0, 4.0, 5.0])
    assert (curve.reached(5.0), curve.reached(3.0)) == (2.0, None)
