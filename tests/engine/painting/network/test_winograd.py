"""The fast convolution is the plain one."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.painting.network import vgg, winograd
from engine.painting.network.random_weights import random_convs
from engine.recipe.vgg_layers import depth, starts_block


def _layer(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("size", [(1, 1), (3, 9), (4, 4), (5, 6), (8, 16), (17, 13)])
def test_forward_and_backward_are_those_of_conv2d(size: tuple[int, int]) -> None:
    weight, bias = _layer(1, 24, 16, 3, 3), _layer(2, 24)
    x = _layer(3, 1, 16, *size).contiguous(memory_format=torch.channels_last)
    plain, transformed = x.double().requires_grad_(), winograd.transform(weight)
    y = winograd.forward(x, transformed, bias)
    expected = F.conv2d(plain, weight.double(), bias.double(), padding=1)
    towards = _layer(4, *y.shape)
    gradient = winograd.backward(towards, transformed)
    (expected_gradient,) = torch.autograd.grad(expected, plain, towards.double())
    torch.testing.assert_close(y.double(), expected, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(gradient.double(), expected_gradient, atol=1e-4, rtol=1e-4)
    # A stride of the one picture that fits no layout, and torch's poolings would bring all to NCHW and back.
    for found in (y, gradient) if size != (1, 1) else ():
        assert found.stride(0) == found.numel()


def test_the_trunk_uses_it_for_wide_layers_and_stays_the_trunk() -> None:
    picture = torch.rand(1, 3, 40, 56, generator=torch.Generator().manual_seed(5)) * 255
    convs = random_convs(0, depth(["relu4_1"]), [picture])
    x = vgg.normalise(picture).double()
    for name, (weight, bias) in convs.items():
        x = F.avg_pool2d(x, 2) if starts_block(name) else x
        x = F.relu(F.conv2d(x, weight.double(), bias.double(), padding=1))
    network = vgg.VGG(convs, pooling="average", device=torch.device("cpu"))
    fast = tuple(name for name, conv in network.convs.items() if conv.fast)
    assert fast == ("conv3_1", "conv3_2", "conv3_3", "conv3_4", "conv4_1")
    torch.testing.assert_close(network(picture, ["relu4_1"])["relu4_1"].double(), x, atol=1e-3, rtol=1e-3)
