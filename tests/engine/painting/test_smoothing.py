"""The blur through which L-BFGS moves a picture."""

from __future__ import annotations

import pytest
import torch
from painting_kit import quick
from torch import Tensor

from engine.painting.optimisers import LBFGS
from engine.painting.smoothing import smooth

SHAPE = (1, 3, 9, 12)


def draw(seed: int) -> Tensor:
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def checkerboard() -> Tensor:
    rows, columns = torch.meshgrid(torch.arange(9), torch.arange(12), indexing="ij")
    return (1.0 - 2.0 * ((rows + columns) % 2)).double().expand(SHAPE)


def test_it_is_the_binomial_of_three_both_ways() -> None:
    point = torch.zeros(1, 1, 5, 5)
    point[..., 2, 2] = 16
    row = torch.tensor([0.0, 1, 2, 1, 0])
    torch.testing.assert_close(smooth(point, 1)[0, 0], row[:, None] * row)
    torch.testing.assert_close(smooth(point, 0.25), 0.75 * point + 0.25 * smooth(point, 1))
    assert smooth(point, 0) is point


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_it_is_its_own_way_back_and_leaves_what_is_even(share: float) -> None:
    x, y = draw(1), draw(2)
    assert float((smooth(x, share) * y).sum()) == pytest.approx(float((x * smooth(y, share)).sum()))
    torch.testing.assert_close(smooth(torch.ones(SHAPE), share), torch.ones(SHAPE))


def test_a_picture_is_not_moved_along_what_the_blur_takes_away() -> None:
    """A loss that asks for a checkerboard alone gets it without the blur, and nothing of it but the rim with it."""
    inner = checkerboard()[..., 1:-1, 1:-1]
    found = []
    for smoothing in (0.0, 1.0):
        optimiser, pixels = LBFGS(quick(optimiser="lbfgs", smoothing=smoothing)), torch.zeros(SHAPE).double()
        for _ in range(30):
            optimiser.prepare(pixels)
            optimiser.move(pixels, pixels - checkerboard(), pixels.new_tensor([0.5, 0]))
        found.append(float((pixels[..., 1:-1, 1:-1] * inner).mean()))
    assert found[0] > 0.99
    assert abs(found[1]) < 0.05


def test_what_the_blur_leaves_is_reached_as_without_it() -> None:
    wanted = smooth(smooth(draw(3), 1), 1)
    optimiser, pixels = LBFGS(quick(optimiser="lbfgs", smoothing=1.0)), torch.zeros(SHAPE).double()
    for _ in range(60):
        optimiser.prepare(pixels)
        optimiser.move(pixels, pixels - wanted, pixels.new_tensor([0.9, 0]))
    assert float((pixels - wanted).square().mean()) < 1e-3 * float(wanted.square().mean())


def test_pixels_that_are_to_stay_are_not_touched_by_their_neighbours_blur() -> None:
    where = torch.ones(1, 1, 9, 12).double()
    where[..., :5] = 0
    optimiser, pixels = LBFGS(quick(optimiser="lbfgs", smoothing=1.0)), draw(4)
    before = pixels.clone()
    for i in range(4):
        optimiser.prepare(pixels)
        optimiser.move(pixels, draw(5 + i), pixels.new_tensor([1.0, 0]), where)
    assert torch.equal(pixels[..., :5], before[..., :5])
    assert not torch.equal(pixels[..., 5], before[..., 5])
