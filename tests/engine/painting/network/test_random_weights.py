"""The stand-in weights: the same for everybody, and calibrated on the pictures."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from painting_kit import levels
from torch import Tensor

from engine.painting.network import vgg
from engine.painting.network.random_weights import random_convs
from engine.recipe import vgg_layers

DEPTH = 5
WIDTHS = {conv.name: conv.outputs for conv in vgg_layers.convs("vgg19")[:DEPTH]}
NAMES = tuple(WIDTHS)


@pytest.fixture(scope="module")
def pictures() -> list[Tensor]:
    return [levels(48, 36, 1), levels(32, 40, 2)]


def test_the_same_index_gives_the_same_weights(pictures: list[Tensor]) -> None:
    torch.manual_seed(1)
    first = random_convs(0, DEPTH, pictures)
    torch.manual_seed(2)
    second = random_convs(0, DEPTH, pictures)
    assert tuple(first) == NAMES
    for name in NAMES:
        assert all(torch.equal(a, b) for a, b in zip(first[name], second[name], strict=True))


def test_another_index_gives_other_weights(pictures: list[Tensor]) -> None:
    first, second = random_convs(0, DEPTH, pictures), random_convs(1, DEPTH, pictures)
    assert not any(torch.allclose(first[name][0], second[name][0]) for name in NAMES)


def test_a_deeper_network_begins_like_a_shallow_one(pictures: list[Tensor]) -> None:
    deep, shallow = random_convs(0, DEPTH, pictures), random_convs(0, 2, pictures)
    assert all(torch.equal(deep[name][0], shallow[name][0]) for name in shallow)


def test_every_channel_has_zero_mean_and_unit_variance_over_the_pictures(pictures: list[Tensor]) -> None:
    network = vgg.VGG(random_convs(0, DEPTH, pictures), pooling="average", device=torch.device("cpu"))
    maps = [network(picture, NAMES) for picture in pictures]
    for name in NAMES:
        values = torch.cat([m[name].flatten(2) for m in maps], dim=2)[0]
        assert len(values) == WIDTHS[name]
        torch.testing.assert_close(values.mean(1), torch.zeros(len(values)), rtol=0, atol=2e-4)
        torch.testing.assert_close(values.std(1), torch.ones(len(values)), rtol=2e-3, atol=0)


def test_filters_are_orthogonal(pictures: list[Tensor]) -> None:
    """Up to the calibration's factor for each filter."""
    weight = random_convs(0, 2, pictures)["conv1_2"][0].flatten(1)
    directions = weight / weight.norm(dim=1, keepdim=True)
    torch.testing.assert_close(directions @ directions.T, torch.eye(64), rtol=0, atol=1e-5)


@pytest.mark.parametrize("colour", [(90.0, 90.0, 90.0), [255 * mean for mean in vgg.MEAN]])
def test_a_flat_picture_gives_finite_weights(colour: Sequence[float]) -> None:
    """In the mean colour even every feature is nought."""
    convs = random_convs(0, 3, [torch.tensor(colour).view(1, 3, 1, 1).expand(1, 3, 32, 32)])
    assert all(torch.isfinite(tensor).all() for pair in convs.values() for tensor in pair)
