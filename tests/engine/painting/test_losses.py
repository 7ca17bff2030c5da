"""The losses and their written-out gradients, against the formulas in float64 and against finite differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.painting import losses

Array = NDArray[np.float64]
N = 5


def features(height: int, width: int, seed: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """(1, N, height, width), not centred, so that mean and covariance differ from the Gram matrix."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(1, N, height, width, generator=generator, dtype=torch.float64).add(0.5).to(dtype)


def matrix(tensor: Tensor) -> Array:
    """The paper's F: N filters by M positions."""
    return np.asarray(tensor.detach().double().reshape(tensor.shape[1], -1))


def naive_gram(f: Array) -> Array:
    n, m = f.shape
    gram: Array = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            for k in range(m):
                gram[i, j] += f[i, k] * f[j, k] / m
    return gram


def naive_gram_loss(f: Array, style: Array) -> tuple[float, Array]:
    """E_l and dE_l/dF."""
    n, m = f.shape
    difference = naive_gram(f) - naive_gram(style)
    loss = sum(difference[i, j] ** 2 for i in range(n) for j in range(n)) / (4 * n**2)
    return loss, np.einsum("ij,jk->ik", difference, f) / (n**2 * m)


def naive_covariance_loss(f: Array, style: Array) -> float:
    mean, target_mean = f.mean(1), style.mean(1)
    own = np.einsum("ik,jk->ij", f - mean[:, None], f - mean[:, None]) / f.shape[1]
    target = np.einsum("ik,jk->ij", style - target_mean[:, None], style - target_mean[:, None]) / style.shape[1]
    spread = ((own - target) ** 2).sum() / (target**2).sum()
    return float(spread + ((mean - target_mean) ** 2).sum() / np.trace(target))


def loss_and_gradient(loss: Callable[[Tensor], Tensor], x: Tensor) -> tuple[float, Array]:
    x = x.detach().requires_grad_()
    value = loss(x)
    (gradient,) = torch.autograd.grad(value, x)
    return float(value.detach()), gradient.double().numpy()


def style_loss(name: str, style: Tensor) -> Callable[[Tensor], Tensor]:
    """The named loss as a function of features, with the gradient that is written out."""
    compare, target = getattr(losses, f"{name}_loss"), losses.moments(style)

    class Loss(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Any:
            ctx.x = x.detach()
            return compare(losses.moments(ctx.x), target)

        @staticmethod
        def backward(ctx: Any, grad: Tensor) -> Tensor:
            seen = losses.Moments(*(part.requires_grad_() for part in losses.moments(ctx.x)))
            with torch.enable_grad():
                slope = torch.autograd.grad(grad * compare(seen, target), seen, materialize_grads=True)
            return losses.moments_backward(ctx.x, losses.Moments(*slope), ctx.x[0, 0].numel())

    return lambda x: torch.as_tensor(Loss.apply(x))


def central_differences(loss: Callable[[Tensor], Tensor], x: Tensor) -> Array:
    gradient = np.zeros(x.numel())
    for i in range(x.numel()):
        up, down = x.clone(), x.clone()
        up.view(-1)[i] += 1e-5
        down.view(-1)[i] -= 1e-5
        gradient[i] = float(loss(up) - loss(down)) / 2e-5
    return gradient.reshape(x.shape)


SIZES = [(4, 6, 4, 6), (3, 5, 7, 4), (1, 2, 9, 9)]


@pytest.mark.parametrize(("h", "w", "style_h", "style_w"), SIZES)
def test_the_gram_loss_and_its_gradient_are_the_papers(h: int, w: int, style_h: int, style_w: int) -> None:
    f, style = features(h, w, 1), features(style_h, style_w, 2)
    value, gradient = loss_and_gradient(style_loss("gram", style), f)
    expected, expected_gradient = naive_gram_loss(matrix(f), matrix(style))
    assert value == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(gradient.reshape(N, -1), expected_gradient, rtol=1e-10, atol=1e-15)


def test_the_gram_loss_of_equal_sizes_is_equation_4() -> None:
    """1 / (4 N^2 M^2) of Gram matrices that are plain sums."""
    f, style = matrix(features(4, 6, 1)), matrix(features(4, 6, 2))
    paper = ((f @ f.T - style @ style.T) ** 2).sum() / (4 * N**2 * 24**2)
    assert float(
        losses.gram_loss(losses.moments(features(4, 6, 1)), losses.moments(features(4, 6, 2)))
    ) == pytest.approx(paper)


@pytest.mark.parametrize(("h", "w", "style_h", "style_w"), SIZES)
def test_the_covariance_loss_is_its_formula(h: int, w: int, style_h: int, style_w: int) -> None:
    f, style = features(h, w, 1), features(style_h, style_w, 2)
    value = losses.covariance_loss(losses.moments(f), losses.moments(style))
    assert float(value) == pytest.approx(naive_covariance_loss(matrix(f), matrix(style)), rel=1e-12)


@pytest.mark.parametrize("name", ["gram", "covariance"])
@pytest.mark.parametrize(("h", "w", "style_h", "style_w"), SIZES)
def test_the_written_out_gradients_agree_with_finite_differences(
    name: str, h: int, w: int, style_h: int, style_w: int
) -> None:
    compare, f = style_loss(name, features(style_h, style_w, 2)), features(h, w, 1)

    def loss(x: Tensor) -> Any:
        return 3 * compare(x)  # a factor, for the gradient that comes from above

    np.testing.assert_allclose(loss_and_gradient(loss, f)[1], central_differences(loss, f), rtol=1e-6, atol=1e-8)
    assert torch.autograd.gradcheck(loss, f.requires_grad_())


@pytest.mark.parametrize("name", ["gram", "covariance"])
def test_the_layout_of_features_makes_no_difference(name: str) -> None:
    plain, style = features(6, 4, 1), features(5, 5, 2)
    last = plain.contiguous(memory_format=torch.channels_last)
    style_last = style.contiguous(memory_format=torch.channels_last)
    value, gradient = loss_and_gradient(style_loss(name, style), plain)
    value_last, gradient_last = loss_and_gradient(style_loss(name, style_last), last)
    assert value == pytest.approx(value_last, rel=1e-13)
    np.testing.assert_allclose(gradient, gradient_last, rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("name", ["gram", "covariance"])
def test_float32_is_close_to_float64(name: str) -> None:

    def of(dtype: torch.dtype) -> tuple[float, Array]:
        return loss_and_gradient(style_loss(name, features(7, 4, 2, dtype)), features(3, 5, 1, dtype))

    (value, gradient), (exact, exact_gradient) = of(torch.float32), of(torch.float64)
    assert value == pytest.approx(exact, rel=1e-5)
    np.testing.assert_allclose(gradient, exact_gradient, atol=1e-5 * np.abs(exact_gradient).max())


@pytest.mark.parametrize("name", ["gram", "covariance"])
def test_a_picture_in_its_own_style_costs_nothing(name: str) -> None:
    f = features(4, 6, 1)
    value, gradient = loss_and_gradient(style_loss(name, f), f)
    assert value == 0
    assert not gradient.any()


def test_a_flat_style_gives_no_nan() -> None:
    flat = torch.full((1, N, 4, 4), 2.0, dtype=torch.float64)
    value, gradient = loss_and_gradient(style_loss("covariance", flat), features(4, 6, 1))
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


def test_the_content_loss_is_the_talks() -> None:
    f, target = features(3, 4, 1), features(3, 4, 2)
    n, m = N, 12
    value, gradient = losses.content_loss(f, target, n * m)
    assert float(value) == pytest.approx(((matrix(f) - matrix(target)) ** 2).sum() / (4 * n * m), rel=1e-12)
    np.testing.assert_allclose(gradient.numpy(), (f - target).numpy() / (2 * n * m), rtol=1e-12)


def test_total_variation_is_the_mean_squared_difference_of_neighbours() -> None:
    pixels = torch.rand(1, 3, 4, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 255
    unit, expected = pixels[0].numpy(), 0.0
    for channel in unit:
        for y in range(4):
            for x in range(5):
                expected += (channel[y, x] - channel[y - 1, x]) ** 2 if y else 0.0
                expected += (channel[y, x] - channel[y, x - 1]) ** 2 if x else 0.0
    assert float(losses.total_variation(pixels)) == pytest.approx(expected / 60, rel=1e-12)
    assert torch.autograd.gradcheck(losses.total_variation, pixels.requires_grad_())


def test_total_variation_of_a_flat_picture_is_nothing() -> None:
    flat: Any = torch.full((1, 3, 8, 9), 77.0)
    assert float(losses.total_variation(flat)) == 0
