"""A painting may begin with the content in the style's colours."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from painting_kit import last, levels, painter, photo, quick
from PIL import Image
from torch import Tensor

from engine.painting import pictures
from engine.painting.painter import Painter
from engine.painting.pictures import transport_colours
from engine.recipe.presets import preset
from engine.recipe.recipe import Recipe, RecipeError

IN_STYLE = quick(start_colours="style")
SIZE = (30, 40)


def soft(width: int, height: int, seed: int) -> Tensor:
    """Colours far from black and white, which the map doesn't leave."""
    return 100 + 0.2 * levels(width, height, seed)


def mean_and_covariance(picture: Tensor) -> tuple[Tensor, Tensor]:
    colours = picture[0].flatten(1).double()
    return colours.mean(1), torch.cov(colours, correction=0)


def of_one_colour(colour: str) -> Image.Image:
    return Image.new("RGB", SIZE, colour)


def begun(recipe: Recipe, content: Image.Image, *styles: Image.Image, masks: list[Image.Image] | None = None) -> Tensor:
    return Painter(recipe, content, styles, content_masks=masks or []).begin().pixels


def test_the_colours_get_the_others_mean_and_covariance() -> None:
    like = soft(20, 50, 2)
    for got, asked in zip(*map(mean_and_covariance, (transport_colours(soft(60, 44, 1), like), like)), strict=True):
        torch.testing.assert_close(got, asked, rtol=2e-3, atol=2e-3)


def test_colours_that_are_right_stay() -> None:
    picture = soft(60, 44, 1)
    torch.testing.assert_close(transport_colours(picture, picture), picture, rtol=0, atol=1e-3)


def test_no_other_linear_map_to_those_colours_moves_them_less() -> None:
    picture, like = soft(60, 44, 1), soft(20, 50, 2)
    ours, other = transport_colours(picture, like), pictures.match_colours(picture, like)
    assert (ours - picture).square().mean() < (other - picture).square().mean()


def test_only_what_is_white_in_the_mask_of_the_other_counts() -> None:
    like, weight = soft(20, 50, 2), torch.zeros(1, 1, 50, 20)
    weight[..., :25, :] = 1
    picture = soft(60, 44, 1)
    torch.testing.assert_close(
        transport_colours(picture, like, weight), transport_colours(picture, like[:, :, :25]), rtol=0, atol=1e-2
    )  # fmt: skip


def test_grey_pictures_make_grey_ones() -> None:
    made = transport_colours(soft(60, 44, 1), pictures.grey(soft(20, 50, 2)))
    assert float(made.std(1).max()) < 3


def test_a_flat_picture_is_not_blown_up() -> None:
    flat = torch.full((1, 3, 8, 8), 90.0)
    flat[..., 0, 0] += 1
    made = transport_colours(flat, soft(20, 50, 2))
    assert float((made - made.mean((2, 3), keepdim=True)).abs().max()) < 30


def test_a_painting_begins_with_the_content_in_the_styles_colours() -> None:
    content, style = photo(40, 30, 1), photo(30, 44, 10)
    made = begun(IN_STYLE, content, style)
    asked = transport_colours(*(pictures.to_tensor(pictures.fit(picture, 32)) for picture in (content, style)))
    torch.testing.assert_close(made, asked, rtol=0, atol=1e-3)
    assert not torch.equal(made, begun(quick(), content, style))


def test_where_the_content_is_masked_each_style_gives_its_own() -> None:
    left = Image.new("L", (40, 30))
    left.paste(255, (0, 0, 20, 30))
    right = left.point(lambda value: 255 - value)
    recipe = dataclasses.replace(IN_STYLE, style_weights=(1.0, 1.0))
    styles = of_one_colour("red"), of_one_colour("blue")
    made = begun(recipe, photo(40, 30, 1), *styles, masks=[left, right])
    left_red, _, left_blue = made[0, :, :, :14].mean((1, 2))
    right_red, _, right_blue = made[0, :, :, -14:].mean((1, 2))
    assert min(left_red, right_blue) > 200
    assert max(left_blue, right_red) < 100
    bare = begun(recipe, photo(40, 30, 1), *styles, masks=[left, left])
    own = begun(quick(style_weights=(1.0, 1.0)), photo(40, 30, 1), *styles, masks=[left, left])
    assert torch.equal(bare[..., -14:], own[..., -14:])


def test_two_styles_give_theirs_by_weight() -> None:
    recipe = dataclasses.replace(IN_STYLE, style_weights=(3.0, 1.0))
    made = begun(recipe, photo(40, 30, 1), of_one_colour("#c83232"), of_one_colour("#3232c8"))
    mean = made.mean((0, 2, 3))
    torch.testing.assert_close(mean, torch.tensor([162.5, 50.0, 87.5]), rtol=0, atol=3)


def test_the_detail_of_finer_scales_has_them_too() -> None:
    recipe = dataclasses.replace(IN_STYLE, size=64, scales=3, detail=1.0, alpha=0.0, beta=0.0)
    white_and_black = Image.effect_noise((40, 40), 120).convert("RGB").resize((64, 64), Image.Resampling.NEAREST)
    dark = Image.effect_noise((40, 40), 4).convert("RGB").point(lambda value: value // 8)
    seen = last(Painter(recipe, white_and_black, [dark])).pixels
    assert float(seen.max()) < 60


def test_any_other_start_is_as_it_was() -> None:
    for start in ("noise", "style", "statistics"):
        recipe = quick(start=start, noise=0.5)
        other = dataclasses.replace(recipe, start_colours="style")
        assert torch.equal(painter(recipe).begin().pixels, painter(other).begin().pixels)


def test_fine_begins_in_the_styles_colours_and_older_recipes_as_they_did() -> None:
    assert preset("fine").start_colours == "style"
    assert {preset(name).start_colours for name in ("classic", "gatys")} == {"content"}
    older = {name: value for name, value in preset("fine").as_dict().items() if name != "start_colours"}
    assert Recipe.from_dict(older | {"version": 4}).start_colours == "content"


def test_other_colours_are_refused() -> None:
    with pytest.raises(RecipeError, match="start_colours must be content or style"):
        quick(start_colours="mine")
