"""What a recipe costs, by arithmetic: against a count of what the network really computes."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from painting_kit import quick, random_weights

from engine.recipe.cost import fixed_flops, flops_per_pixel, peak_memory, remaining_flops
from engine.recipe.presets import preset
from engine.recipe.recipe import Recipe
from engine.recipe.vgg_layers import conv_of, depth, starts_block

GRAMLESS: dict[str, Any] = {"style_layers": (), "style_layer_weights": ()}


def counted(content: tuple[str, ...], style: tuple[str, ...]) -> float:
    """Additions and multiplications per pixel, from the shapes of weights and of feature maps."""
    side, pixels, work = 64, 64 * 64, 0
    styled = {conv_of(layer) for layer in style}
    for name, (weight, _) in random_weights(depth((*content, *style))).items():
        side //= 2 if starts_block(name) else 1
        out, fan_in = weight.shape[0], weight[0].numel()
        work += side**2 * out * fan_in * 2
        work += side**2 * out * out * 2 if name in styled else 0
    return 2 * work / pixels  # forward and backward


@pytest.mark.parametrize("content", [("relu1_1",), ("conv2_1",), ("relu4_2",), ("relu3_1", "relu5_4")])
def test_convolutions_are_counted_as_the_weights_have_them(content: tuple[str, ...]) -> None:
    recipe = Recipe(content_layers=content, **GRAMLESS)
    assert flops_per_pixel(recipe) == pytest.approx(counted(content, ()))


@pytest.mark.parametrize("name", ["classic", "gatys"])
def test_gram_products_are_counted_too(name: str) -> None:
    recipe = preset(name)
    assert flops_per_pixel(recipe) == pytest.approx(counted(recipe.content_layers, recipe.style_layers))


def test_octaves_add_the_style_layers_on_fewer_pixels() -> None:
    recipe = quick(content_layers=("relu3_1",), octaves=3)
    octave = counted((), recipe.style_layers)
    expected = counted(("relu3_1",), recipe.style_layers) + octave / 4 + octave / 16
    assert flops_per_pixel(recipe) == pytest.approx(expected)


@given(st.data(), st.integers(32, 1024), st.integers(1, 500), st.integers(1, 6), st.floats(0.1, 1))
def test_what_remains_falls_to_nothing(
    data: st.DataObject, size: int, iterations: int, scales: int, aspect: float
) -> None:
    recipe = Recipe(size=size, iterations=max(iterations, scales), scales=scales)
    iteration = data.draw(st.integers(0, recipe.iterations - 1))
    now, next_ = (remaining_flops(recipe, aspect, i) for i in (iteration, iteration + 1))
    assert now > next_ >= 0
    side, first = next((side, first) for side, first, end in stretches(recipe) if iteration < end)
    of_one = side**2 * aspect * flops_per_pixel(recipe) + fixed_flops(recipe)
    looks = 1 if iteration == first else 0  # at content and style, both only forward
    assert now - next_ == pytest.approx((1 + looks) * of_one, rel=1e-6)
    assert remaining_flops(recipe, aspect, recipe.iterations) == 0


def stretches(recipe: Recipe) -> list[tuple[int, int, int]]:
    """(side, iterations until its beginning, until its end) of each scale."""
    counts = [count for _, count in recipe.plan()]
    return [(side, sum(counts[:i]), sum(counts[: i + 1])) for i, (side, _) in enumerate(recipe.plan())]


def test_what_pixels_cost_is_linear() -> None:
    def pixels(side: int, aspect: float, iterations: int = 100) -> float:
        recipe = Recipe(size=side, iterations=iterations)
        return remaining_flops(recipe, aspect) - (iterations + 1) * fixed_flops(recipe)

    plain = pixels(128, 0.75)
    assert pixels(256, 0.75) == pytest.approx(4 * plain)
    assert pixels(128, 0.375) == pytest.approx(plain / 2)
    assert pixels(128, 0.75, 302) == pytest.approx(3 * plain)


def test_networks_and_styles_are_looked_at_when_a_scale_begins() -> None:
    def beginning(**fields: Any) -> float:
        recipe = quick(size=128, **fields)
        first, second, third = (remaining_flops(recipe, 1.0, i) for i in range(3))
        return (first - second) / (second - third) - 1  # in iterations

    assert beginning() == pytest.approx(1)
    assert beginning(style_weights=(1.0, 2.0, 3.0)) == pytest.approx(2)
    assert beginning(networks=3) == pytest.approx(3)
    assert 0.5 < beginning(style_scale=0.5) < 1 < beginning(style_scale=2.0) < 2.5


def test_what_is_fixed_grows_with_layers_octaves_and_weights() -> None:
    shallow, deep = (fixed_flops(quick(content_layers=(layer,), **GRAMLESS)) for layer in ("relu1_1", "relu5_1"))
    assert deep > 13 * shallow
    assert fixed_flops(quick(octaves=4)) > 2 * fixed_flops(quick())


def test_extra_iterations_cost_as_much_as_those_of_the_finest_scale() -> None:
    recipe = Recipe(size=128, iterations=100, scales=3)
    more = remaining_flops(recipe.continued(50), 0.75) - remaining_flops(recipe, 0.75)
    assert remaining_flops(recipe.continued(50), 0.75, 100) == pytest.approx(more)
    assert more == pytest.approx(50 * (128**2 * 0.75 * flops_per_pixel(recipe) + fixed_flops(recipe)))


def test_memory_grows_with_pixels_and_depth() -> None:
    small, big, huge = (peak_memory(Recipe(size=size), 0.75) for size in (256, 512, 1024))
    assert small < big < huge
    assert (huge - big) / (big - small) == pytest.approx(4)
    assert peak_memory(Recipe(size=512), 1.0) > big
    assert peak_memory(quick(size=512), 0.75) < big
    assert peak_memory(Recipe(size=512, optimiser="lbfgs", history=100), 0.75) > big
    features = torch.zeros(1, 64, 384, 512)  # conv1_1 alone, in float32
    assert peak_memory(quick(size=512), 0.75) > 2 * features.numel() * 4
    assert math.isfinite(huge)
