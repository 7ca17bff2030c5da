"""The peers' loops do what their papers say."""

from __future__ import annotations

from typing import Literal

import pytest
import torch
from torch import Tensor

from benchmarks.peers import NeuralStyle, Wasserstein, _Normal, _Root
from engine.painting.network import vgg
from engine.recipe import vgg_layers


def convs() -> vgg.Convs:
    """All of the trunk, cheap, in float32."""
    generator, made, channels = torch.Generator().manual_seed(0), {}, 3
    for name, width in [(conv.name, conv.outputs) for conv in vgg_layers.convs("vgg19")[:13]]:
        weight = torch.randn(width, channels, 3, 3, generator=generator) * (2 / (9 * channels)) ** 0.5
        made[name], channels = (weight, torch.zeros(width)), width
    return made


def levels(seed: int, side: int = 32) -> Tensor:
    coarse = torch.rand(1, 3, 4, 4, generator=torch.Generator().manual_seed(seed)) * 255
    fine: Tensor = torch.nn.functional.interpolate(coarse, (side, side), mode="bilinear")
    return fine


def exact_root(matrix: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    root: Tensor = vectors @ torch.diag(values.sqrt()) @ vectors.T
    return root


def test_the_root_and_its_gradient_are_those_of_the_eigenvalues() -> None:
    generator = torch.Generator().manual_seed(0)
    a, w = (torch.randn(6, 6, dtype=torch.float64, generator=generator) for _ in range(2))
    matrix, weights = (a @ a.T + torch.eye(6, dtype=torch.float64)).requires_grad_(), w + w.T
    gradients: list[Tensor] = []
    for root in (_Root.apply, exact_root):
        value = root(matrix)
        torch.testing.assert_close(value @ value, matrix)
        gradients += torch.autograd.grad((value * weights).sum(), matrix)
    torch.testing.assert_close(gradients[0], gradients[1])


def test_a_distribution_is_no_distance_from_itself_and_a_shift_is_its_square() -> None:
    features = torch.rand(1, 4, 12, 12, generator=torch.Generator().manual_seed(0))
    normal = _Normal(features)
    assert float(normal.distance(features)) == pytest.approx(0, abs=1e-4)
    assert float(normal.distance(features + 3)) == pytest.approx(9, rel=1e-3)


@pytest.mark.long
def test_wasserstein_brings_the_colours_nearer_to_the_styles() -> None:
    content, style = levels(1), levels(2) * 0.2
    painting = Wasserstein(convs(), content, style)
    distances = []
    for _ in range(3):
        distances.append(float((painting.shown().mean((2, 3)) - style.mean((2, 3))).abs().mean()))
        painting.step()
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] < distances[0]
    assert painting.shown().shape == content.shape
    assert 0 <= float(painting.shown().min()) <= float(painting.shown().max()) <= 255


@pytest.mark.long
@pytest.mark.parametrize("optimiser", ["adam", "lbfgs"])
def test_neural_style_lowers_its_loss(optimiser: Literal["adam", "lbfgs"]) -> None:
    painting = NeuralStyle(convs(), levels(1), levels(2), optimiser)
    losses = []
    for _ in range(6):
        losses.append(painting._loss())
        painting.step()
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0]


@pytest.mark.long
def test_the_next_scale_goes_on_from_the_last() -> None:
    coarse = Wasserstein(convs(), levels(1), levels(2))
    coarse.step()
    fine = Wasserstein(convs(), levels(1, 48), levels(2, 48), coarser=coarse)
    assert fine.shown().shape == (1, 3, 48, 48)
    assert float((fine.shown().mean() - coarse.shown().mean()).abs()) < 2
    fine.step()
