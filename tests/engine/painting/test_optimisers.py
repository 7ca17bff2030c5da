"""Adam against torch's; L-BFGS on losses that gradient descent cannot cope with."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from painting_kit import quick
from torch import Tensor

from engine.painting.optimisers import LBFGS, OPTIMISERS, Adam

Loss = Callable[[Tensor], Tensor]
SHAPE = (1, 3, 4, 5)


def draw(seed: int) -> Tensor:
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed))


def ill_conditioned(x: Tensor) -> Tensor:
    """Curvatures from 1 to 10,000."""
    return (torch.logspace(0, 4, x.numel(), dtype=x.dtype).view_as(x) * (x - 3).square()).sum() / 2


def rosenbrock(x: Tensor) -> Tensor:
    a, b = x.flatten()[0::2], x.flatten()[1::2]
    return ((1 - a).square() + 10 * (b - a.square()).square()).sum()


def move(
    optimiser: Adam | LBFGS, pixels: Tensor, gradient: Tensor, step: float, where: Tensor | None = None
) -> None:
    optimiser.prepare(pixels)
    numbers = pixels.new_tensor(optimiser.factors(step, optimiser.steps + 1))
    optimiser.move(pixels, gradient, numbers, where)
    optimiser.steps += 1


def gradient_of(loss: Loss, pixels: Tensor) -> Tensor:
    x = pixels.detach().requires_grad_()
    return torch.autograd.grad(loss(x), x)[0]


def descend(optimiser: LBFGS, loss: Loss, pixels: Tensor, steps: int, step: float = 1.0) -> float:
    for _ in range(steps):
        move(optimiser, pixels, gradient_of(loss, pixels), step)
    return float(loss(pixels))


def plain_descent(loss: Loss, pixels: Tensor, steps: int) -> float:
    """With the best of many step lengths."""
    best = float("inf")
    for exponent in range(-60, 0, 2):
        x = pixels.clone()
        for _ in range(steps):
            x -= 10 ** (exponent / 10) * gradient_of(loss, x)
        if torch.isfinite(x).all():
            best = min(best, float(loss(x)))
    return best


@pytest.mark.parametrize(("beta1", "beta2", "step"), [(0.9, 0.999, 2.0), (0.9, 0.99, 5.0), (0.0, 0.5, 0.1)])
def test_adam_is_torchs_adam(beta1: float, beta2: float, step: float) -> None:
    ours = draw(1) * 50
    theirs = ours.clone().requires_grad_()
    adam = Adam(quick(beta1=beta1, beta2=beta2))
    reference = torch.optim.Adam([theirs], lr=step, betas=(beta1, beta2), eps=1e-8)
    for i in range(20):
        gradient = draw(100 + i) * 10.0 ** (i % 5 - 3)
        move(adam, ours, gradient, step)
        theirs.grad = gradient.clone()
        reference.step()
    torch.testing.assert_close(ours, theirs.detach(), rtol=1e-6, atol=2e-5)
    assert adam.steps == 20


def test_adams_first_step_is_one_step_down_every_slope() -> None:
    pixels = torch.zeros(SHAPE)
    gradient = draw(1)
    move(Adam(quick()), pixels, gradient, 2.0)
    torch.testing.assert_close(pixels, -2.0 * gradient.sign(), rtol=1e-4, atol=0)


@pytest.mark.long
def test_lbfgs_solves_an_ill_conditioned_quadratic() -> None:
    start = draw(1).double()
    optimiser = LBFGS(quick(optimiser="lbfgs", history=60))
    assert descend(optimiser, ill_conditioned, start.clone(), 150) < plain_descent(ill_conditioned, start, 150) / 1000


def test_lbfgs_follows_a_bent_valley() -> None:
    start = (draw(2) * 0.3).double()
    optimiser = LBFGS(quick(optimiser="lbfgs"))
    assert descend(optimiser, rosenbrock, start.clone(), 60, 0.5) < plain_descent(rosenbrock, start, 60) / 1000


def test_lbfgs_first_step_moves_pixels_by_one_level_on_average() -> None:
    pixels, gradient = torch.zeros(SHAPE), draw(1) * 1e-6
    move(LBFGS(quick(optimiser="lbfgs")), pixels, gradient, 1.0)
    assert float(pixels.abs().mean()) == pytest.approx(1, rel=1e-4)
    torch.testing.assert_close(pixels, -gradient / gradient.abs().mean())


def test_lbfgs_with_enough_pairs_takes_newtons_step() -> None:
    """On a quadratic of three dimensions the direction after three independent steps is the inverse Hessian's."""
    curvature = torch.tensor([1.0, 7.0, 40.0], dtype=torch.float64).view(1, 3, 1, 1)
    pixels = torch.tensor([5.0, -2.0, 1.0], dtype=torch.float64).view(1, 3, 1, 1)
    optimiser = LBFGS(quick(optimiser="lbfgs", history=100))
    for _ in range(40):
        move(optimiser, pixels, curvature * pixels, 1.0)
    assert float((curvature * pixels.square()).sum()) < 1e-12


def test_lbfgs_remembers_no_more_pairs_than_it_may() -> None:
    optimiser, pixels = LBFGS(quick(optimiser="lbfgs", history=4)), draw(1).double()
    for i in range(9):
        move(optimiser, pixels, gradient_of(ill_conditioned, pixels), 0.5)
        pairs = {len(optimiser.tensors[name]) for name in ("s", "y", "rho")}
        assert pairs == {min(i, 4)}
    newest_step = optimiser.tensors["s"][-1].clone()
    move(optimiser, pixels, gradient_of(ill_conditioned, pixels), 0.5)
    assert torch.equal(optimiser.tensors["s"][-2], newest_step)


def test_lbfgs_keeps_only_pairs_of_positive_curvature() -> None:
    """On a hilltop the pair would turn the direction uphill."""
    optimiser, pixels = LBFGS(quick(optimiser="lbfgs")), draw(1).double()
    for _ in range(5):
        before = pixels.clone()
        move(optimiser, pixels, -before, 1.0)
        assert float((pixels - before).flatten() @ -before.flatten()) < 0
    assert not len(optimiser.tensors["s"])


def test_lbfgs_never_moves_pixels_by_more_than_eight_levels_on_average() -> None:
    """A slope that nearly vanishes between two points tells of a minimum very far away, which may not be there."""
    optimiser, pixels = LBFGS(quick(optimiser="lbfgs")), draw(1)
    gradient = draw(2)
    move(optimiser, pixels, gradient, 1.0)
    before = pixels.clone()
    move(optimiser, pixels, gradient * 0.999, 1.0)
    assert float((pixels - before).abs().mean()) == pytest.approx(8, rel=1e-4)


def test_lbfgs_survives_a_gradient_of_zero() -> None:
    optimiser, pixels = LBFGS(quick(optimiser="lbfgs")), draw(1)
    before = pixels.clone()
    for _ in range(3):
        move(optimiser, pixels, torch.zeros(SHAPE), 1.0)
        assert torch.equal(pixels, before)
    assert descend(optimiser, ill_conditioned, pixels, 60, 0.8) < float(ill_conditioned(before)) / 1000
    for _ in range(3):
        move(optimiser, pixels, torch.zeros(SHAPE), 1.0)
        assert torch.isfinite(pixels).all()


def test_adams_memory_is_carried_to_another_scale() -> None:
    adam, pixels = Adam(quick()), torch.zeros(SHAPE)
    for i in range(3):
        move(adam, pixels, draw(i) + 2, 1.0)
    before = dict(adam.tensors)
    adam.resize(8, 11)
    for name, tensor in adam.tensors.items():
        assert tensor.shape == (1, 3, 8, 11)
        assert float(tensor.mean()) == pytest.approx(float(before[name].mean()), rel=0.05)
    assert float(adam.tensors["square"].min()) >= 0
    assert adam.steps == 3
    move(adam, torch.zeros(1, 3, 8, 11), torch.ones(1, 3, 8, 11), 1.0)


def test_lbfgs_begins_anew_at_another_scale() -> None:
    optimiser = LBFGS(quick(optimiser="lbfgs"))
    descend(optimiser, ill_conditioned, draw(1), 5, 0.5)
    optimiser.resize(8, 11)
    pixels, gradient = torch.zeros(1, 3, 8, 11), torch.ones(1, 3, 8, 11)
    move(optimiser, pixels, gradient, 1.0)
    torch.testing.assert_close(pixels, -gradient)


@pytest.mark.parametrize("name", OPTIMISERS)
def test_resizing_before_the_first_step_does_no_harm(name: str) -> None:
    optimiser = OPTIMISERS[name](quick(optimiser=name))
    optimiser.resize(4, 5)
    pixels = torch.zeros(SHAPE)
    move(optimiser, pixels, torch.ones(SHAPE), 1.0)
    assert float(pixels.max()) < 0


@pytest.mark.parametrize("gain", [1.0, 1000.0])
def test_what_moves_alone_moves_as_far_as_if_there_were_nothing_else(gain: float) -> None:
    """In a film the rest of the frame stays; with the gain the second move would be longer than it may be."""
    alone, among = torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 32, 32)
    where = torch.zeros(1, 1, 32, 32)
    where[..., 8:16, 8:16] = 1
    one, other = (LBFGS(quick(optimiser="lbfgs", smoothing=0.0)) for _ in range(2))
    for seed in (1, 2, 3):
        gradient = torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(seed)) / gain**seed
        wide = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(seed))
        wide[..., 8:16, 8:16] = gradient
        move(one, alone, gradient, 1.0)
        move(other, among, wide, 1.0, where)
        torch.testing.assert_close(among[..., 8:16, 8:16], alone, rtol=1e-4, atol=1e-4)
    assert int((among != 0).sum()) == int((alone != 0).sum())
