"""A picture in strips has the loss and the gradient of the whole picture, to within rounding."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import pytest
import torch
from painting_kit import last, levels, photo, quick, random_weights
from torch import Tensor

from engine.painting.memory.strips import cut, margin
from engine.painting.network import vgg
from engine.painting.objective import Objective
from engine.painting.painter import Painter
from engine.painting.targets import Targets
from engine.recipe.recipe import Recipe

DEEP: dict[str, Any] = {
    "content_layers": ("relu4_2",),
    "style_layers": ("relu1_1", "conv2_1", "relu3_1", "relu5_1"),
    "style_layer_weights": (1.0, 2.0, 1.0, 3.0),
}


def network(pooling: Literal["average", "max"] = "average", dtype: torch.dtype = torch.float32) -> vgg.VGG:
    return vgg.VGG(random_weights(13, dtype=dtype), pooling=pooling, device=torch.device("cpu"))


@pytest.mark.parametrize("rows", [64, 100, 1000])
@pytest.mark.parametrize("layer", ["conv1_1", "relu2_2", "relu3_1", "relu5_1"])
def test_features_are_those_of_the_whole_picture(layer: str, rows: int) -> None:
    trunk, picture = network(), levels(40, 301, 1)
    whole = trunk(picture, [layer])[layer]
    parts = [(strip, trunk(strip.of(picture), [layer])[layer]) for strip in cut(301, rows, [layer])]
    strips = torch.cat([features[:, :, strip.own(layer)] for strip, features in parts], 2)
    assert strips.shape == whole.shape
    torch.testing.assert_close(strips, whole, rtol=1e-4, atol=1e-4 * float(whole.abs().max()))


@pytest.mark.parametrize(
    "fields",
    [
        {"statistic": "gram"},
        {"statistic": "covariance", "octaves": 3, "total_variation": 4.0},
        pytest.param({"statistic": "gram", "pooling": "max", "content_layers": ()}, marks=pytest.mark.long),
    ],
    ids=["gram", "covariance, octaves, variation", "max, no content"],
)
def test_terms_and_gradient_are_those_of_the_whole_picture(fields: dict[str, Any]) -> None:
    """In float64: in float32 a maximum may be another one, where two are as good as equal."""
    recipe, trunk = quick(**(DEEP | fields)), network(fields.get("pooling", "average"), torch.float64)
    content, style, picture = (levels(*size).double() for size in ((48, 230, 1), (60, 70, 2), (48, 230, 3)))
    terms, gradient = Objective(recipe, [trunk], content, [style])(picture, 0)
    own_terms, own_gradient = Objective(recipe, [trunk], content, [style], rows=64)(picture, 0)
    torch.testing.assert_close(own_terms, terms, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(own_gradient, gradient, rtol=1e-9, atol=1e-12 * float(gradient.abs().max()))


def short_of_memory(monkeypatch: pytest.MonkeyPatch, most_rows: int) -> None:
    """The device takes no more rows at once."""
    trace = vgg.VGG.trace

    def perhaps(self: vgg.VGG, pixels: Tensor, layers: Iterable[str]) -> vgg.Trace:
        if pixels.shape[2] > most_rows:
            raise torch.OutOfMemoryError("on order")
        return trace(self, pixels, layers)

    monkeypatch.setattr(vgg.VGG, "trace", perhaps)


def tall(recipe: Recipe) -> Painter:
    return Painter(recipe, photo(60, 256, 1), [photo(50, 40, 2)])


@pytest.mark.long
def test_what_does_not_fit_into_memory_is_painted_in_strips_to_the_same_picture(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipe = quick(size=256, iterations=4)  # with more of them the last bits, which depend on threads, grow
    whole = last(tall(recipe))
    short_of_memory(monkeypatch, most_rows=80)
    in_strips = last(tall(recipe))
    assert in_strips.rows == 64
    torch.testing.assert_close(in_strips.pixels, whole.pixels, rtol=0, atol=1.0)
    torch.testing.assert_close(in_strips.losses, whole.losses, rtol=1e-2, atol=1e-6)


def test_what_does_not_even_fit_in_strips_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    short_of_memory(monkeypatch, most_rows=10)
    with pytest.raises(torch.OutOfMemoryError):
        last(tall(quick(size=256, iterations=6)))


@pytest.mark.long
def test_a_style_far_larger_than_the_painting_is_looked_at_in_strips_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is planned for is a look at the painting: one at a style of sixteen times its pixels would be killed."""
    monkeypatch.setattr("engine.painting.targets._SMALL", 0)
    recipe, trunk = quick(**DEEP), network(dtype=torch.float64)
    content, style = levels(64, 80, 1).double(), levels(256, 320, 2).double()
    (whole,) = Targets(recipe, trunk, style, [style], octaves=1).styles
    looks, look = [], vgg.VGG.__call__

    def noted(self: vgg.VGG, pixels: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        looks.append(pixels.shape[2])
        return look(self, pixels, layers)

    monkeypatch.setattr(vgg.VGG, "__call__", noted)
    (strips,) = Targets(recipe, trunk, content, [style], octaves=1).styles
    assert looks[0] == 80
    assert len(looks) == 6  # the painting's, and the style's, each with margins
    for own, other in zip(strips, whole, strict=True):
        torch.testing.assert_close(own.moments.product, other.moments.product, rtol=1e-9, atol=1e-12)


@pytest.mark.long
@pytest.mark.parametrize(("rows", "planned", "style"), [(None, 400, (32, 1600)), (256, 256 + 2 * 80, (96, 800))])
def test_the_margins_of_a_styles_strips_count_too(
    monkeypatch: pytest.MonkeyPatch, rows: int | None, planned: int, style: tuple[int, int]
) -> None:
    monkeypatch.setattr("engine.painting.targets._SMALL", 0)
    recipe, looks, look = quick(**DEEP), list[int](), vgg.VGG.__call__
    assert margin(recipe.style_layers) == 80

    def noted(self: vgg.VGG, pixels: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        looks.append(pixels[0, 0].numel())
        return look(self, pixels, layers)

    monkeypatch.setattr(vgg.VGG, "__call__", noted)
    Targets(recipe, network(), levels(32, 400, 1), [levels(*style, 2)], octaves=1, rows=rows)
    assert max(looks) <= 2 * planned * 32  # nothing is kept for a way back: twice the pixels of a look at the painting
