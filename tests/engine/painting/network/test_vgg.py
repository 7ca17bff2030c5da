"""The trunk against a plain torch.nn.Sequential with the same weights, laid out as torchvision lays out VGG19."""

from __future__ import annotations

from functools import partial
from typing import Literal

import pytest
import torch
from painting_kit import levels, random_weights
from torch import Tensor, nn

from engine.painting.network import vgg
from engine.painting.network.vgg import VGG
from engine.recipe.vgg_layers import LAYERS, depth

CPU = torch.device("cpu")
WIDTHS = (64, 64, "M", 128, 128, "M", 256, 256, 256, 256, "M", 512, 512, 512, 512, "M", 512, 512, 512, 512, "M")
# torchvision.models.vgg19().features: index -> our name.
INDEX = {
    0: "conv1_1", 1: "relu1_1", 2: "conv1_2", 3: "relu1_2", 5: "conv2_1", 6: "relu2_1", 7: "conv2_2", 8: "relu2_2",
    10: "conv3_1", 11: "relu3_1", 12: "conv3_2", 13: "relu3_2", 14: "conv3_3", 15: "relu3_3", 16: "conv3_4",
    17: "relu3_4", 19: "conv4_1", 20: "relu4_1", 21: "conv4_2", 22: "relu4_2", 23: "conv4_3", 24: "relu4_3",
    25: "conv4_4", 26: "relu4_4", 28: "conv5_1", 29: "relu5_1", 30: "conv5_2", 31: "relu5_2", 32: "conv5_3",
    33: "relu5_3", 34: "conv5_4", 35: "relu5_4",
}  # fmt: skip
Pooling = Literal["average", "max"]


def reference(pixels: Tensor, convs: vgg.Convs, pooling: Pooling) -> dict[str, Tensor]:
    """Every layer of torchvision's trunk, down to the deepest of `convs`."""
    layers: list[nn.Module] = []
    channels = 3
    for width in WIDTHS:
        if isinstance(width, str):
            layers.append(nn.MaxPool2d(2, 2) if pooling == "max" else nn.AvgPool2d(2, 2))
        else:
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
            channels = width
    trunk = nn.Sequential(*layers[: max(i for i, name in INDEX.items() if name.replace("relu", "conv") in convs) + 1])
    trunk.to(pixels.dtype).load_state_dict(
        {f"{i}.{part}": convs[name][k] for i, name in INDEX.items() if name in convs
         for k, part in enumerate(("weight", "bias"))}
    )  # fmt: skip
    mean, deviation = (pixels.new_tensor(x).view(1, 3, 1, 1) for x in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    x, features = (pixels / 255 - mean) / deviation, {}
    for i, layer in enumerate(trunk):
        x = layer(x)
        if i in INDEX:
            features[INDEX[i]] = x
    return features


@pytest.fixture(scope="module")
def convs() -> vgg.Convs:
    return random_weights(16)


@pytest.mark.parametrize("pooling", ["average", "max"])
def test_every_layer_is_that_of_the_plain_network(convs: vgg.Convs, pooling: Pooling) -> None:
    pixels = levels(37, 50, 1)
    expected = reference(pixels, convs, pooling)
    features = VGG(convs, pooling=pooling, device=CPU)(pixels, LAYERS)
    assert set(features) == set(LAYERS) == set(expected)
    for name in LAYERS:
        torch.testing.assert_close(features[name], expected[name], rtol=1e-3, atol=1e-4, msg=name)


@pytest.mark.parametrize("layer", ["conv1_1", "relu1_1", "conv3_2", "relu4_2"])
def test_a_layer_asked_for_alone_is_the_same(convs: vgg.Convs, layer: str) -> None:
    pixels = levels(32, 24, 1)
    network = VGG(convs, pooling="average", device=CPU)
    features = network(pixels, (layer,))
    assert list(features) == [layer]
    torch.testing.assert_close(features[layer], network(pixels, LAYERS)[layer])


def test_conv_layers_keep_their_negative_values(convs: vgg.Convs) -> None:
    """The rectification must not be done in place on a map that was asked for."""
    features = VGG(convs, pooling="average", device=CPU)(levels(32, 24, 1), ("conv1_1", "relu1_1", "conv2_1"))
    assert float(features["conv1_1"].min()) < 0 < float(features["conv1_1"].max())
    assert float(features["conv2_1"].min()) < 0
    assert torch.equal(features["relu1_1"], features["conv1_1"].clamp_min(0))


def test_it_stops_at_the_deepest_layer_in_use() -> None:
    """Weights of deeper layers are not even needed."""
    network = VGG(random_weights(3), pooling="average", device=CPU)
    assert set(network(levels(32, 24, 1), ("relu1_1", "conv2_1"))) == {"relu1_1", "conv2_1"}
    assert network.names_to(("relu1_2", "conv1_1")) == ["conv1_1", "conv1_2"]
    assert depth(("relu1_1", "conv2_1")) == 3
    assert depth(("relu5_4", "relu1_1")) == 16
    assert depth(()) == 0


@pytest.mark.parametrize("size", [(32, 24), (37, 51)])
@pytest.mark.parametrize("pooling", ["average", "max"])
@pytest.mark.parametrize("layers", [("conv1_1",), ("relu3_1",), ("relu1_2", "conv2_2", "relu2_2", "relu3_1")])
def test_the_way_back_is_that_of_automatic_differentiation(
    layers: tuple[str, ...], pooling: Pooling, size: tuple[int, int]
) -> None:
    convs, pixels = random_weights(5, dtype=torch.float64), levels(*size, 1).double()
    trace = VGG(convs, pooling=pooling, device=CPU).trace(pixels, layers)
    plain = pixels.clone().requires_grad_()
    expected = reference(plain, convs, pooling)
    towards = {layer: torch.randn_like(expected[layer], generator=torch.Generator().manual_seed(3)) for layer in layers}
    for layer in layers:
        torch.testing.assert_close(trace[layer], expected[layer])
    gradient = trace.backward({layer: partial(torch.add, towards[layer]) for layer in layers})
    outputs = [expected[layer] for layer in layers]
    slopes = [towards[layer] + expected[layer].detach() for layer in layers]
    torch.testing.assert_close(gradient, torch.autograd.grad(outputs, plain, slopes)[0])


def test_pixels_are_left_as_they_are(convs: vgg.Convs) -> None:
    pixels = levels(32, 24, 1)
    before = pixels.clone()
    VGG(convs, pooling="average", device=CPU)(pixels, ("relu2_1",))
    assert torch.equal(pixels, before)


def test_normalise_takes_imagenets_mean_to_zero() -> None:
    pixels = torch.tensor((0.485, 0.456, 0.406)).view(1, 3, 1, 1) * 255
    torch.testing.assert_close(vgg.normalise(pixels), torch.zeros(1, 3, 1, 1))
    one_deviation = pixels + torch.tensor((0.229, 0.224, 0.225)).view(1, 3, 1, 1) * 255
    torch.testing.assert_close(vgg.normalise(one_deviation), torch.ones(1, 3, 1, 1))
