"""The measures of a comparison: their zeros, their ones, and what a grid of pixels does to them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.measures import LAYERS, Measurer, fine_energy, lacking
from engine.painting.network import vgg
from engine.recipe import vgg_layers

VGG19 = vgg_layers.convs("vgg19")


def smooth(seed: int, size: tuple[int, int] = (48, 40)) -> Image.Image:
    """A picture without fine detail."""
    levels = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    return Image.fromarray(levels).resize(size, Image.Resampling.BICUBIC)


def with_grid(picture: Image.Image, *, rows: int = 1, columns: int = 1) -> Image.Image:
    """With every other pixel a little lighter, along the axes whose factor is 1."""
    y, x = np.indices((picture.height, picture.width))
    lighter = 20 * ((rows * y + columns * x) % 2)
    return Image.fromarray((np.asarray(picture) * 0.9 + lighter[..., None]).astype(np.uint8))


@pytest.fixture(scope="module")
def measure() -> Measurer:
    """With random filters, at most 64 of them in each layer."""
    generator, made, channels = torch.Generator().manual_seed(0), {}, 3
    for name, width in [(conv.name, min(conv.outputs, 64)) for conv in VGG19[:13]]:
        weight = torch.randn(width, channels, 3, 3, generator=generator) * (2 / (9 * channels)) ** 0.5
        made[name], channels = (weight, torch.zeros(width)), width
    convs: vgg.Convs = made
    return Measurer(convs)


def test_the_content_has_lost_nothing_and_misses_all_of_the_style(measure: Measurer) -> None:
    measured = measure(smooth(1), smooth(1), smooth(2))
    assert measured.content_lost == 0
    assert measured.style_missing == pytest.approx((1,) * 5)


def test_the_style_misses_nothing_of_itself(measure: Measurer) -> None:
    measured = measure(smooth(2), smooth(1), smooth(2))
    assert measured.style_missing == pytest.approx((0,) * 5, abs=1e-9)
    assert measured.content_lost > 0.1
    assert measured.grid == pytest.approx(1)


def test_flat_grey_has_lost_all_of_the_content(measure: Measurer) -> None:
    flat = Image.new("RGB", (48, 40), (127, 127, 127))  # mid-grey is half a level more
    assert measure(flat, smooth(1), smooth(2)).content_lost == pytest.approx(1, rel=0.05)


def test_pictures_are_measured_at_their_own_size(measure: Measurer) -> None:
    content, style = smooth(1, (96, 80)), smooth(2, (60, 90))
    assert measure(content.resize((48, 40), Image.Resampling.LANCZOS), content, style).content_lost == 0
    upright = style.resize((32, 48), Image.Resampling.LANCZOS)
    assert measure(upright, content, style).style_missing == pytest.approx((0,) * 5, abs=1e-9)


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 0), (0, 1)])
def test_a_grid_of_one_pixel_is_seen(measure: Measurer, rows: int, columns: int) -> None:
    plain, grid = smooth(1), with_grid(smooth(1), rows=rows, columns=columns)
    before, after = (measure(picture, smooth(1), smooth(2)).grid for picture in (plain, grid))
    assert after > 10 * before


def test_the_share_of_fine_energy_is_between_none_and_all() -> None:
    flat = Image.new("RGB", (32, 32), (90, 90, 90))
    assert fine_energy(flat) == pytest.approx(0, abs=1e-9)
    assert fine_energy(with_grid(flat)) > 0.9
    assert fine_energy(smooth(1)) < 0.01


def test_a_network_must_lead_to_all_layers() -> None:
    names = [conv.name for conv in VGG19]
    assert lacking(names) == []
    assert lacking(names[: names.index("conv4_1") + 1]) == ["relu4_2", "relu5_1"]
    assert set(lacking([])) == set(LAYERS)
