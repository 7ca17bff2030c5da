"""The objective at one scale: its terms by hand, its weights, styles, octaves, and its gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import pytest
import torch
from painting_kit import levels, quick, random_weights
from torch import Tensor

from engine.painting import losses
from engine.painting.network.vgg import VGG
from engine.painting.objective import Objective, columns
from engine.painting.pyramid import halve
from engine.recipe.recipe import Recipe

CONTENT, STYLE, OTHER = levels(40, 30, 1).double(), levels(30, 44, 2).double(), levels(36, 36, 3).double()
PIXELS = levels(40, 30, 4).double()


def network(seed: int = 0, pooling: Literal["average", "max"] = "average") -> VGG:
    """In float64, so that sums and differences are exact enough to compare."""
    return VGG(random_weights(4, seed, torch.float64), pooling=pooling, device=torch.device("cpu"))


NETWORK = network()


def objective(recipe: Recipe, content: Tensor = CONTENT, styles: Sequence[Tensor] = (STYLE,)) -> Objective:
    return Objective(recipe, [NETWORK], content, styles)


def terms(
    recipe: Recipe, content: Tensor = CONTENT, styles: Sequence[Tensor] = (STYLE,), pixels: Tensor = PIXELS
) -> dict[str, float]:
    values, _ = objective(recipe, content, styles)(pixels, 0)
    return dict(zip(columns(recipe), values.tolist(), strict=True))


FULL: dict[str, Any] = {
    "content_layers": ("relu2_1", "conv2_2"), "alpha": 3.0, "beta": 7.0, "total_variation": 11.0,
}  # fmt: skip


def test_columns_name_every_term() -> None:
    assert columns(quick(**FULL)) == [
        "total", "content", "style", "variation",
        "content relu2_1", "content conv2_2", "style relu1_1", "style relu2_1",
    ]  # fmt: skip


def test_gram_terms_are_those_worked_out_by_hand() -> None:
    """On the network's features as they are."""
    recipe = quick(**FULL)
    found = terms(recipe)
    layers = {"relu1_1", "relu2_1", "conv2_2"}
    own, content, style = (NETWORK(picture, layers) for picture in (PIXELS, CONTENT, STYLE))
    for layer in ("relu2_1", "conv2_2"):
        expected = 3.0 / 2 * (own[layer] - content[layer]).square().mean() / 4
        assert found[f"content {layer}"] == pytest.approx(float(expected), rel=1e-9)
    for layer, weight in (("relu1_1", 1.0), ("relu2_1", 2.0)):
        f, s = own[layer][0].flatten(1), style[layer][0].flatten(1)
        difference = f @ f.T / f.shape[1] - s @ s.T / s.shape[1]
        expected = 7.0 * weight * difference.square().sum() / (4 * len(f) ** 2)
        assert found[f"style {layer}"] == pytest.approx(float(expected), rel=1e-9)
    assert found["variation"] == pytest.approx(11 * float(losses.total_variation(PIXELS)), rel=1e-9)


def test_covariance_terms_have_no_unit() -> None:
    found = terms(quick(statistic="covariance", beta=7.0))
    own, style = NETWORK(PIXELS, ("relu2_1",))["relu2_1"], NETWORK(STYLE, ("relu2_1",))["relu2_1"]
    expected = 7.0 * 2.0 * losses.covariance_loss(losses.moments(own), losses.moments(style))
    assert found["style relu2_1"] == pytest.approx(float(expected), rel=1e-9)


@pytest.mark.parametrize("statistic", ["gram", "covariance"])
@pytest.mark.parametrize("octaves", [1, 2])
def test_sums_are_the_sums_of_their_parts(statistic: str, octaves: int) -> None:
    big = [levels(64, 52, seed).double() for seed in (1, 2, 4)]
    found = terms(quick(**FULL, statistic=statistic, octaves=octaves), big[0], big[1:2], big[2])
    assert all(value > 0 for value in found.values())
    assert found["total"] == pytest.approx(found["content"] + found["style"] + found["variation"], rel=1e-9)
    for part in ("content", "style"):
        parts = sum(value for name, value in found.items() if name.startswith(f"{part} "))
        assert found[part] == pytest.approx(parts, rel=1e-9)


@pytest.mark.parametrize(("field", "part"), [("alpha", "content"), ("beta", "style"), ("total_variation", "variation")])
def test_each_weight_scales_its_own_part_alone(field: str, part: str) -> None:
    before, after = terms(quick(**FULL)), terms(quick(**(FULL | {field: 5 * FULL[field]})))
    for name, value in after.items():
        if name != "total":
            factor = 5 if name.startswith(part) else 1
            assert value == pytest.approx(factor * before[name], rel=1e-9), name


def test_only_the_parts_asked_for_are_there() -> None:
    content_alone = terms(quick(style_layers=(), style_layer_weights=()))
    assert content_alone["style"] == content_alone["variation"] == 0 < content_alone["content"]
    style_alone = terms(quick(content_layers=()))
    assert style_alone["content"] == 0 < style_alone["style"]


@pytest.mark.parametrize("statistic", ["gram", "covariance"])
def test_styles_share_by_their_weights(statistic: str) -> None:
    def style(*styles: Tensor, shares: tuple[float, ...]) -> float:
        return terms(quick(statistic=statistic, style_weights=shares), styles=styles)["style"]

    alone = style(STYLE, shares=(1.0,))
    assert style(STYLE, shares=(7.0,)) == pytest.approx(alone, rel=1e-9)
    assert style(STYLE, OTHER, shares=(1.0, 1e-12)) == pytest.approx(alone, rel=1e-6)
    assert style(STYLE, STYLE, shares=(1.0, 3.0)) == pytest.approx(alone, rel=1e-9)
    mixed = style(STYLE, OTHER, shares=(1.0, 3.0))
    assert mixed == pytest.approx(style(STYLE, OTHER, shares=(2.0, 6.0)), rel=1e-9)
    assert mixed == pytest.approx(style(OTHER, STYLE, shares=(3.0, 1.0)), rel=1e-9)
    assert mixed != pytest.approx(style(STYLE, OTHER, shares=(3.0, 1.0)), rel=1e-3)
    assert mixed != pytest.approx(alone, rel=1e-3)


def test_octaves_average_the_style_over_a_pyramid() -> None:
    pictures = [levels(100, 96, seed).double() for seed in (1, 2, 4)]
    expected = 0.0
    levels_of_pyramid = pictures
    for _ in range(3):
        content, style, pixels = levels_of_pyramid
        expected += terms(quick(), content, [style], pixels)["style"] / 3
        levels_of_pyramid = [halve(picture) for picture in levels_of_pyramid]
    found = terms(quick(octaves=3), pictures[0], pictures[1:2], pictures[2])
    assert found["style"] == pytest.approx(expected, rel=1e-9)
    assert found["content"] == pytest.approx(
        terms(quick(), pictures[0], pictures[1:2], pictures[2])["content"], rel=1e-9
    )


def test_a_painting_of_the_content_alone_needs_no_octaves() -> None:
    bare = quick(style_layers=(), style_layer_weights=(), octaves=3)
    seen, gradient = objective(bare)(PIXELS, 0)
    plain, same = objective(quick(style_layers=(), style_layer_weights=(), octaves=1))(PIXELS, 0)
    assert torch.equal(seen, plain)
    assert torch.equal(gradient, same)


def test_octaves_end_where_a_statistic_would_mean_nothing() -> None:
    """Below 24 px, of the painting or of a style: a narrow style would not even survive the poolings."""
    wide = levels(96, 16, 2)
    deep: dict[str, Any] = {"style_layers": ("relu2_1", "relu2_2")}
    assert terms(quick(octaves=6, **deep)) == terms(quick(octaves=1, **deep))
    big = levels(96, 96, 1)
    network32 = VGG(random_weights(13), pooling="average", device=torch.device("cpu"))
    recipe = quick(octaves=6, style_layers=("relu1_1", "relu5_1"))
    values, gradient = Objective(recipe, [network32], big, [wide])(big, 0)
    assert torch.isfinite(values).all()
    assert torch.isfinite(gradient).all()


def test_halving_blurs_before_it_drops_pixels() -> None:
    checks = torch.tensor([[0.0, 255.0], [255.0, 0.0]]).repeat(9, 8).expand(1, 3, -1, -1)
    half = halve(checks)
    assert half.shape == (1, 3, 9, 8)
    torch.testing.assert_close(half[:, :, 1:-1, 1:-1], torch.full((1, 3, 7, 6), 127.5))
    assert halve(torch.zeros(1, 3, 33, 47)).shape == (1, 3, 16, 23)
    torch.testing.assert_close(halve(torch.full((1, 3, 20, 20), 9.0)), torch.full((1, 3, 10, 10), 9.0))


VARIANTS: dict[str, dict[str, Any]] = {
    "gram": {},
    "covariance": {"statistic": "covariance"},
    "octaves": {"octaves": 2, "statistic": "covariance"},
    "two styles": {"style_weights": (1.0, 2.0)},
    "conv layers": {"content_layers": ("conv2_1",), "style_layers": ("conv1_2", "conv2_2")},
}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("pooling", ["average", "max"])
def test_the_gradient_agrees_with_finite_differences(variant: str, pooling: Literal["average", "max"]) -> None:
    recipe = quick(**({"total_variation": 5.0} | VARIANTS[variant]))
    content, pixels = levels(48, 48, 1).double(), levels(48, 48, 4).double()
    styles = [levels(50, 48, 2).double(), levels(48, 60, 3).double()][: len(recipe.style_weights)]
    loss = Objective(recipe, [network(pooling=pooling)], content, styles)
    _, gradient = loss(pixels, 0)
    assert gradient.shape == pixels.shape
    generator = torch.Generator().manual_seed(7)
    for index in torch.randint(pixels.numel(), (12,), generator=generator).tolist():
        up, down = pixels.clone(), pixels.clone()
        up.view(-1)[index] += 1e-4
        down.view(-1)[index] -= 1e-4
        slope = float(loss(up, 0)[0][0] - loss(down, 0)[0][0]) / 2e-4
        # A rectification or a maximum may switch within the difference: allow a thousandth of the largest slope.
        assert float(gradient.reshape(-1)[index]) == pytest.approx(
            slope, rel=1e-3, abs=1e-3 * float(gradient.abs().max())
        )


def test_float32_is_close_to_float64() -> None:
    recipe = quick(**FULL)
    exact, exact_gradient = objective(recipe)(PIXELS, 0)
    single = VGG(random_weights(4), pooling="average", device=torch.device("cpu"))
    values, gradient = Objective(recipe, [single], CONTENT.float(), [STYLE.float()])(PIXELS.float(), 0)
    assert values.dtype == torch.float32
    torch.testing.assert_close(values.double(), exact, rtol=1e-4, atol=0)
    torch.testing.assert_close(gradient.double(), exact_gradient, rtol=0, atol=1e-4 * float(exact_gradient.abs().max()))


def test_networks_take_turns() -> None:
    networks = [NETWORK, network(seed=1)]
    recipe = quick(networks=2)
    both = Objective(recipe, networks, CONTENT, [STYLE])
    for iteration in range(4):
        alone = Objective(recipe, [networks[iteration % 2]], CONTENT, [STYLE])
        assert torch.equal(both(PIXELS, iteration)[0], alone(PIXELS, 0)[0])
    assert not torch.equal(both(PIXELS, 0)[0], both(PIXELS, 1)[0])


def test_the_scale_is_the_loss_without_features() -> None:
    recipe = quick(**FULL)
    expected = 0.0
    content, style = NETWORK(CONTENT, recipe.content_layers), NETWORK(STYLE, recipe.style_layers)
    for layer in recipe.content_layers:
        expected += 3.0 / 2 * float(content[layer].square().mean()) / 4
    for layer, weight in zip(recipe.style_layers, recipe.style_layer_weights, strict=True):
        gram = losses.moments(style[layer]).product
        expected += 7.0 * weight * float(gram.square().mean()) / 4
    assert objective(recipe).empty_loss == pytest.approx(expected, rel=1e-9)


def test_pixels_are_left_as_they_are() -> None:
    pixels = PIXELS.clone()
    objective(quick(**FULL))(pixels, 0)
    assert torch.equal(pixels, PIXELS)
    assert not pixels.requires_grad
