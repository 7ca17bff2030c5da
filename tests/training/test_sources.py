"""What the starter network is trained on: pictures drawn alike from one seed, and never those it is looked at with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from training.augment import crops
from training.drawings import drawing
from training.fields import FIELDS
from training.sources import HELD_OUT, SIDE, Sources, draw_sources, photographs
from training.textures import texture


@pytest.fixture(scope="module")
def sources() -> Sources:
    return draw_sources(3, textures=3, drawings=1)


def test_a_seed_is_a_texture() -> None:
    assert np.array_equal(texture(5, 48), texture(5, 48))
    assert not np.array_equal(texture(5, 48), texture(6, 48))


def test_a_seed_is_a_drawing() -> None:
    fillings = [texture(n, 64) for n in range(2)]
    assert np.array_equal(drawing(1, fillings), drawing(1, fillings))
    assert not np.array_equal(drawing(1, fillings), drawing(2, fillings))


@pytest.mark.parametrize("kind", dict.fromkeys(FIELDS), ids=lambda kind: kind.__name__)
def test_a_field_is_neither_flat_nor_out_of_range(kind: object) -> None:
    assert callable(kind)
    y, x = np.mgrid[:96, :96].astype(np.float32)
    for seed in range(3):
        values = kind(np.random.default_rng(seed))(x, y)
        assert values.shape == x.shape
        assert np.isfinite(values).all()
        assert values.std() > 0.02
        assert -0.6 < np.quantile(values, 0.01) <= np.quantile(values, 0.99) < 1.6


def test_spots_lie_in_their_pictures(sources: Sources) -> None:
    assert sources.pictures.shape == (4, 3, SIDE, SIDE)
    assert len(sources.spots) == 3 + 25
    assert set(sources.spots[:, 0].tolist()) == {0, 1, 2, 3}
    centres, reach = sources.spots[:, 1:3], sources.spots[:, 3:]
    assert ((centres - reach >= 0) & (centres + reach <= SIDE)).all()


def test_what_is_held_out_is_not_trained_on(tmp_path: Path) -> None:
    for name in HELD_OUT:
        Image.new("RGB", (SIDE, SIDE), "red").save(tmp_path / f"{name}.png")
    Image.new("RGB", (2 * SIDE, SIDE), "blue").save(tmp_path / "coffee.png")
    (tmp_path / "notes.txt").write_text("no picture")
    pieces = photographs(tmp_path)
    assert [piece.shape for piece in pieces] == [(SIDE, SIDE, 3)] * 2
    assert all((piece == (0, 0, 255)).all() for piece in pieces)


def test_crops_follow_from_the_generator_and_differ_among_themselves(sources: Sources) -> None:
    spots = torch.tensor([0, 0, 9])
    first, again = (crops(sources, spots, 16, torch.Generator().manual_seed(1)) for _ in range(2))
    assert first.shape == (3, 3, 16, 16)
    assert torch.equal(first, again)
    assert (first[0] - first[1]).abs().mean() > 1
    assert -100 < first.min() < first.max() < 355
