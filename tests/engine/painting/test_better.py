"""Further ways to compare, to pool, to pad, to colour and to begin; each against what its definition says."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from painting_kit import last, levels, painter, photo, quick, random_weights
from PIL import Image, ImageChops
from torch import Tensor

from engine.painting import losses, pictures
from engine.painting.input_pictures import Sources
from engine.painting.losses import Target
from engine.painting.network import vgg
from engine.painting.network.pooling import Pooling
from engine.painting.objective import Objective
from engine.painting.painter import Painter
from engine.painting.targets import Masks
from engine.recipe.recipe import Recipe, RecipeError

CPU = torch.device("cpu")


def features(count: int, seed: int, filters: int = 5) -> Tensor:
    return torch.randn(1, filters, 1, count, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + 0.5


def halves(width: int, height: int) -> list[Image.Image]:
    """White on the left, and white on the right."""
    left = Image.new("L", (width, height))
    left.paste(255, (0, 0, width // 2, height))
    return [left, ImageChops.invert(left)]


def test_the_wasserstein_loss_of_covariances_that_commute_is_the_difference_of_deviations() -> None:
    mean, other = torch.tensor([1.0, 2.0]).double(), torch.tensor([0.0, 4.0]).double()
    seen = losses.Moments(mean, torch.diag(torch.tensor([4.0, 9.0]).double()) + torch.outer(mean, mean))
    style = Target(other, torch.diag(torch.tensor([1.0, 25.0]).double()) + torch.outer(other, other))
    assert float(losses.wasserstein_loss(seen, style)) == pytest.approx((1 + 4 + 1 + 4) / 26, rel=1e-6)


def test_the_gradient_of_the_wasserstein_loss_agrees_with_finite_differences() -> None:
    style = Target(*losses.moments(features(40, 2)))
    loss = partial(losses.wasserstein_loss, style=style)
    assert torch.autograd.gradcheck(lambda f: loss(losses.moments(f)), features(30, 1).requires_grad_())


def test_the_wasserstein_loss_bears_covariances_without_rank_in_float32() -> None:
    seen, style = (losses.moments(features(7, seed, filters=64).float()) for seed in (1, 2))
    mean, product = (part.requires_grad_() for part in seen)
    loss = losses.wasserstein_loss(losses.Moments(mean, product), Target(*style))
    slopes = torch.autograd.grad(loss, (mean, product))
    assert 0 < float(loss.detach()) < 10
    assert all(bool(torch.isfinite(slope).all()) and float(slope.abs().max()) < 100 for slope in slopes)
    assert abs(float(losses.wasserstein_loss(style, Target(*style)))) < 1e-3


def test_masked_moments_are_those_of_the_positions_that_count() -> None:
    f, mask = features(12, 1), torch.tensor([0.0] * 5 + [1.0] * 7).double().view(1, 1, 1, 12)
    torch.testing.assert_close(losses.moments(f, mask), losses.moments(f[..., 5:]))
    slope = losses.Moments(torch.ones(5).double(), torch.eye(5).double())
    pulled = losses.moments_backward(f, slope, 7, mask)
    assert not pulled[..., :5].any()
    torch.testing.assert_close(pulled[..., 5:], losses.moments_backward(f[..., 5:], slope, 7))


def test_l2_is_the_root_of_the_mean_square_and_the_gain_a_factor_on_it() -> None:
    x = torch.tensor([[3.0, 4.0], [0.0, 5.0]]).view(1, 1, 2, 2)
    assert float(Pooling("l2")(x)) == pytest.approx((50 / 4) ** 0.5)
    assert float(Pooling("l2", 2.0)(x)) == pytest.approx(2 * (50 / 4) ** 0.5)


@pytest.mark.parametrize(("pooling", "gain"), [("average", 2.0), ("max", 1.3), ("l2", 1.0), ("l2", 1.5)])
@pytest.mark.parametrize("size", [(16, 12), (13, 19)])
def test_the_way_back_through_pooling_and_replicated_edges(pooling: Any, gain: float, size: tuple[int, int]) -> None:
    """Against automatic differentiation of the plain network."""
    convs, pixels = random_weights(3, dtype=torch.float64), levels(*size, 1).double()
    trace = vgg.VGG(convs, pooling=pooling, gain=gain, replicate=True, device=CPU).trace(pixels, ["relu2_1"])
    plain = pixels.clone().requires_grad_()
    x = F.pad(vgg.normalise(plain), (1, 1, 1, 1), mode="replicate")
    x = F.conv2d(x, *convs["conv1_1"]).relu()
    x = F.conv2d(x, *convs["conv1_2"], padding=1).relu()
    pools: dict[str, Any] = {
        "average": F.avg_pool2d, "max": F.max_pool2d, "l2": lambda x, k: (F.avg_pool2d(x**2, k) + 1e-300).sqrt(),
    }  # fmt: skip
    x = F.conv2d(gain * pools[pooling](x, 2), *convs["conv2_1"], padding=1).relu()
    torch.testing.assert_close(trace["relu2_1"], x)
    towards = torch.randn_like(x, generator=torch.Generator().manual_seed(3))
    gradient = trace.backward({"relu2_1": lambda _: towards.clone()})
    torch.testing.assert_close(gradient, torch.autograd.grad(x, plain, towards)[0])


def test_a_flat_picture_has_flat_features_only_with_its_edge_replicated() -> None:
    flat = torch.full((1, 3, 12, 12), 200.0)
    for replicate in (False, True):
        x = vgg.VGG(random_weights(1), pooling="average", replicate=replicate, device=CPU)(flat, ["conv1_1"])
        assert (float((x["conv1_1"] - x["conv1_1"][:, :, 5:6, 5:6]).abs().max()) < 1e-4) == replicate


@pytest.mark.parametrize(
    "fields",
    [
        {"statistic": "wasserstein"}, {"pooling": "l2", "pooling_gain": 1.5}, {"padding": "replicate"},
        {"statistic": "covariance", "octaves": 2}, {"statistic": "gram", "padding": "replicate"},
    ],
    ids=lambda fields: ", ".join(map(str, fields.values())),
)  # fmt: skip
@pytest.mark.parametrize("masked", [False, True])
def test_strips_see_what_the_whole_picture_sees(fields: dict[str, Any], masked: bool) -> None:
    recipe = quick(style_layers=("relu1_1", "relu2_1"), style_weights=(1.0, 2.0), **fields)
    network = vgg.VGG(
        random_weights(3, dtype=torch.float64), pooling=recipe.pooling, gain=recipe.pooling_gain,
        replicate=recipe.padding == "replicate", device=CPU,
    )  # fmt: skip
    content, one, other, picture = (
        levels(*size).double() for size in ((40, 99, 1), (60, 50, 2), (30, 50, 4), (40, 99, 3))
    )
    over = [pictures.mask_to_tensor(mask, (40, 99)).double() for mask in halves(40, 99)]
    of = [pictures.mask_to_tensor(halves(9, 9)[0], size).double() for size in ((60, 50), (30, 50))]
    masks = Masks(over, of) if masked else None
    whole, gradient = Objective(recipe, [network], content, [one, other], masks=masks)(picture, 0)
    terms, own = Objective(recipe, [network], content, [one, other], rows=32, masks=masks)(picture, 0)
    torch.testing.assert_close(terms, whole, rtol=1e-6, atol=1e-12)
    torch.testing.assert_close(own, gradient, rtol=1e-6, atol=1e-7 * float(gradient.abs().max()))


@pytest.mark.parametrize("statistic", ["gram", "covariance", "wasserstein"])
def test_a_masked_gradient_is_the_slope_of_its_loss(statistic: Any) -> None:
    recipe = quick(style_weights=(1.0, 3.0), statistic=statistic, octaves=2)
    network = vgg.VGG(random_weights(3, dtype=torch.float64), pooling="average", device=CPU)
    content, one, other, picture = (levels(64, 56, seed).double() for seed in range(4))
    masks = Masks([pictures.mask_to_tensor(mask, (64, 56)).double() for mask in halves(64, 56)])
    objective = Objective(recipe, [network], content, [one, other], masks=masks)
    along = torch.randn_like(picture, generator=torch.Generator().manual_seed(5))
    gradient = objective(picture, 0)[1]
    difference = objective(picture + 1e-4 * along, 0)[0][0] - objective(picture - 1e-4 * along, 0)[0][0]
    assert float(difference / 2e-4) == pytest.approx(float((gradient * along).sum()), rel=1e-4)


def test_each_style_paints_in_its_own_region() -> None:
    """A red style on the left, a blue one on the right; and of one style only the half that counts."""
    red, blue = (Image.new("RGB", (40, 40), colour) for colour in ("red", "blue"))
    recipe = quick(content_layers=(), style_weights=(1.0, 1.0), iterations=40, step=8.0, beta=1000.0)
    own = Painter(recipe, photo(64, 48, 1), [red, blue], content_masks=halves(64, 48))
    levels_of = np.asarray(own.picture(last(own)), dtype=float)
    left, right = levels_of[:, :12].mean((0, 1)), levels_of[:, -12:].mean((0, 1))
    assert left[0] - left[2] > right[0] - right[2] + 60
    both = Image.new("RGB", (40, 40), "red")
    both.paste("blue", (20, 0, 40, 40))
    recipe = quick(content_layers=(), iterations=40, step=8.0, beta=1000.0)
    reddish, bluish = (
        np.asarray(own.picture(last(own)), dtype=float).mean((0, 1))
        for own in (Painter(recipe, photo(64, 48, 1), [both], style_masks=[mask]) for mask in halves(40, 40))
    )
    assert reddish[0] - reddish[2] > bluish[0] - bluish[2] + 60


@pytest.mark.parametrize("colours", ["content", "matched"])
def test_what_a_mask_leaves_out_of_a_style_does_not_count_for_its_light_and_colours(colours: str) -> None:
    """A blank margin, masked out, leaves the rest as it would be without the margin."""
    style, framed, mask = photo(32, 32, 10), Image.new("RGB", (64, 32), "white"), Image.new("L", (64, 32), 0)
    framed.paste(style, (32, 0))
    mask.paste(255, (32, 0, 64, 32))
    content = photo(64, 48, 1)
    half, recipe = quick(colours=colours, size=64, style_scale=0.5), quick(colours=colours, size=64)
    _, (alone,) = Sources(half, [content], [style], canvas=None, masks=([], [])).at(64)
    _, (masked,) = Sources(recipe, [content], [framed], canvas=None, masks=([], [mask])).at(64)
    torch.testing.assert_close(masked[..., 34:], alone[..., 2:], rtol=0, atol=1.0)


def test_a_white_mask_changes_nothing() -> None:
    white, recipe = Image.new("L", (8, 8), 255), quick()
    plain, masked = (
        Painter(recipe, photo(40, 30, 1), [photo(30, 44, 10)], content_masks=masks, style_masks=masks)
        for masks in ([], [white])
    )
    torch.testing.assert_close(last(masked).losses, last(plain).losses, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(
    ("masks", "sentence"),
    [([Image.new("L", (8, 8), 255)] * 2, "give one for each"), ([Image.new("L", (8, 8))], "black all over")],
)
def test_masks_that_make_no_sense_are_refused(masks: list[Image.Image], sentence: str) -> None:
    with pytest.raises(RecipeError, match=sentence):
        Painter(quick(), photo(40, 30, 1), [photo(30, 44, 10)], content_masks=masks)


def test_matched_colours_have_the_mean_and_covariance_of_the_other_picture() -> None:
    generator = torch.Generator().manual_seed(1)
    spread = torch.randn(1, 3, 20, 20, generator=generator)
    picture, like = spread * 9 + 100, torch.randn(1, 3, 30, 10, generator=generator)
    like = 120 + torch.einsum("ij,njhw->nihw", torch.tensor([[9.0, 2, 0], [0, 7, 3], [4, 0, 8]]), like)
    matched = pictures.match_colours(picture, like)
    for statistic in (lambda x: x[0].flatten(1).mean(1), lambda x: torch.cov(x[0].flatten(1))):
        torch.testing.assert_close(statistic(matched), statistic(like), rtol=2e-2, atol=0.5)
    assert bool(torch.isfinite(pictures.match_colours(torch.full_like(picture, 9.0), like)).all())


def test_a_grey_content_makes_a_grey_style() -> None:
    grey = pictures.grey(levels(20, 20, 1))
    matched = pictures.match_colours(levels(20, 20, 2), grey)
    assert float((matched - pictures.grey(matched)).abs().mean()) < 3


def test_recipes_with_matched_colours_paint_with_them() -> None:
    plain, matched = (painter(quick(colours=colours)) for colours in ("style", "matched"))
    assert not torch.equal(last(plain).pixels, last(matched).pixels)


def test_random_phase_keeps_colours_and_spectrum_and_nothing_else() -> None:
    picture = levels(31, 24, 1)
    noise = pictures.random_phase(picture, torch.Generator().manual_seed(1))
    torch.testing.assert_close(noise.mean((2, 3)), picture.mean((2, 3)), rtol=1e-3, atol=1e-2)
    torch.testing.assert_close(torch.cov(noise[0].flatten(1)), torch.cov(picture[0].flatten(1)), rtol=2e-2, atol=30.0)
    assert float((noise - picture).abs().mean()) > 20


def test_a_start_from_statistics_has_the_styles_colours_and_follows_the_seed() -> None:
    one, other = (painter(quick(start="statistics", seed=seed)).begin().pixels for seed in (1, 2))
    style = pictures.to_tensor(photo(30, 44, 10))
    torch.testing.assert_close(one.mean((2, 3)), style.mean((2, 3)), rtol=0, atol=8.0)
    assert one.shape == other.shape
    assert not torch.equal(one, other)


def test_a_recipe_of_version_1_is_still_read() -> None:
    fields = quick().as_dict()
    for name in ("pooling_gain", "padding"):
        del fields[name]
    assert Recipe.from_dict(fields | {"version": 1}).padding == "zero"


def test_all_of_it_can_be_had_at_once() -> None:
    recipe = quick(
        start="statistics", noise=0.1, colours="matched", pooling="l2", pooling_gain=1.5, padding="replicate",
        statistic="wasserstein", octaves=2, style_weights=(1.0, 2.0), style_scale=1.5, total_variation=2.0, average=0.9,
        size=64, iterations=8,
    )  # fmt: skip
    styles = [photo(60, 48, 2), photo(50, 70, 3)]
    own = Painter(recipe, photo(64, 48, 1), styles, content_masks=halves(64, 48), style_masks=halves(9, 9))
    state = last(own)
    assert not state.rollbacks
    assert float(state.losses[-1, 0]) < float(state.losses[0, 0])
