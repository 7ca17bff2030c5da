"""One size of activations for every network, and with it the talk's own loss."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from painting_kit import levels, photo, random_weights
from torch import Tensor

from engine.painting.network import calibration, vgg
from engine.painting.network.calibration import CAFFE, calibrated
from engine.painting.network.vgg import VGG
from engine.painting.objective import Objective, columns
from engine.painting.painter import Painter
from engine.recipe import vgg_layers
from engine.recipe.presets import preset

CPU = torch.device("cpu")
SLIM = "8,8|12,12|16,16|20,20|24"
CONTENT, STYLE, PIXELS = (levels(48, 40, seed).double() for seed in (1, 2, 3))


def slim(gain: float = 1.0) -> vgg.Convs:
    """A narrow network down to conv5_1, of Caffe's size; with a `gain` activations are so many times that."""
    generator, convs = torch.Generator().manual_seed(5), {}
    for name, inputs, outputs, _ in vgg_layers.convs(SLIM):
        weight = torch.randn(outputs, inputs, 3, 3, generator=generator) * (2 / (9 * inputs)) ** 0.5
        convs[name] = (weight, torch.randn(outputs, generator=generator) * 0.1)
    return rescaled(calibrated(convs), gain)


def rescaled(convs: vgg.Convs, gain: float) -> vgg.Convs:
    first = next(iter(convs))
    return {name: (weight * gain if name == first else weight, bias * gain) for name, (weight, bias) in convs.items()}


def double(convs: vgg.Convs) -> vgg.Convs:
    return {name: (weight.double(), bias.double()) for name, (weight, bias) in convs.items()}


def features(convs: vgg.Convs, pixels: Tensor) -> dict[str, Tensor]:
    """The talk's network, written out: average pooling, zeros around."""
    mean, deviation = (torch.tensor(v, dtype=torch.float64).view(1, 3, 1, 1) for v in (vgg.MEAN, vgg.DEVIATION))
    x, found = (pixels / 255 - mean) / deviation, {}
    for name, (weight, bias) in convs.items():
        if name in ("conv2_1", "conv3_1", "conv4_1", "conv5_1"):
            x = F.avg_pool2d(x, 2)
        x = F.relu(F.conv2d(x, weight.double(), bias.double(), padding=1))
        found[name.replace("conv", "relu")] = x
    return found


def talk_loss(convs: vgg.Convs) -> tuple[float, float]:
    """The talk's: 5 * content and 100 * style, formula by formula."""
    f, p, a = (features(convs, picture) for picture in (PIXELS, CONTENT, STYLE))
    n, m = p["relu4_2"].shape[1], p["relu4_2"][0, 0].numel()
    content = ((f["relu4_2"] - p["relu4_2"]) ** 2).sum() / (4 * n * m)
    style = 0.0
    for layer, weight in (("relu1_1", 0.5), ("relu2_1", 1.0), ("relu3_1", 1.5), ("relu4_1", 3.0), ("relu5_1", 4.0)):
        own, target = f[layer][0].flatten(1), a[layer][0].flatten(1)
        n, m = own.shape
        difference = own @ own.T - target @ target.T
        style += weight * float((difference**2).sum()) / (4 * n**2 * m**2)
    return 5 * float(content), 100 * style


def test_classic_with_activations_of_caffes_size_minimises_exactly_the_talks_loss() -> None:
    convs = slim()
    assert calibrated(convs) is convs
    recipe = preset("classic", weights="sha256:slim", network=SLIM)
    network = VGG(double(convs), pooling=recipe.pooling, device=CPU)
    values, _ = Objective(recipe, [network], CONTENT, [STYLE])(PIXELS, 0)
    found = dict(zip(columns(recipe), values.tolist(), strict=True))
    content, style = talk_loss(convs)
    assert found["content"] == pytest.approx(content, rel=1e-6)
    assert found["style"] == pytest.approx(style, rel=1e-6)
    assert found["total"] == pytest.approx(content + style, rel=1e-6)
    assert found["total"] > 1e8  # the talk's order of magnitude


@pytest.mark.parametrize("gain", [1 / 58, 400.0])
def test_the_same_network_with_other_activations_minimises_the_same_loss(gain: float) -> None:
    recipe = preset("classic", weights="sha256:slim", network=SLIM, size=48)
    pictures = [photo(48, 48, seed) for seed in (1, 2)]
    losses = []
    for convs in (slim(), slim(gain)):
        painter = Painter(recipe, pictures[0], [pictures[1]], convs=convs)
        state = next(painter.paint(painter.begin()))
        losses.append(state.losses[0])
    torch.testing.assert_close(losses[1], losses[0], rtol=1e-3, atol=0)


def test_each_layers_mean_becomes_caffes_and_what_it_sees_stays() -> None:
    convs = random_weights(13)
    result = calibrated(convs)
    network, before = VGG(result, pooling="average", device=CPU), VGG(convs, pooling="average", device=CPU)
    picture = levels(64, 64, 3)
    names = [vgg_layers.relu_of(name) for name in convs]
    seen, saw = network(picture, names), before(picture, names)
    again = calibrated({name: (weight * 1.0, bias * 1.0) for name, (weight, bias) in result.items()})
    assert all(torch.equal(again[name][0], result[name][0]) for name in convs)
    for name in names:
        ratio = float(seen[name].mean() / saw[name].mean())
        torch.testing.assert_close(seen[name], saw[name] * ratio, rtol=1e-3, atol=1e-4 * float(seen[name].max()))
    assert set(CAFFE) <= set(vgg_layers.NAMES)


def test_of_weights_without_a_mean_nothing_is_scaled(monkeypatch: pytest.MonkeyPatch) -> None:
    """So large that features overflow: to infinity or to no number at all, by the order in which a processor adds."""
    convs = slim()
    names = list(convs)[:3]
    for mean in (math.inf, math.nan):
        monkeypatch.setattr(calibration, "_means", lambda _, mean=mean: {names[0]: 1.0, names[1]: mean, names[2]: mean})
        found = calibration.calibrated({name: convs[name] for name in names})
        for name in names:
            # They keep the factor of the layer before, so that they see what they saw.
            weight, bias = convs[name]
            factor = CAFFE[names[0]]
            assert torch.allclose(found[name][0], weight * (factor if name == names[0] else 1.0))
            assert torch.allclose(found[name][1], bias * factor)
