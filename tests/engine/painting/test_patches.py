"""The start in patches of the style."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
import torch
from painting_kit import levels, painter, photo, quick, random_weights
from PIL import Image

from bot.terminal.page import words as on_the_page
from bot.text.recipe_text import recipe_in_words
from engine.painting.network.vgg import VGG
from engine.painting.painter import Painter
from engine.painting.patches import patchwork
from engine.painting.pictures import to_tensor
from engine.painting.targets import Masks
from engine.recipe.recipe import Start

LAYERS = ("relu1_1", "relu2_1", "relu3_1")


@pytest.fixture(scope="module")
def network() -> VGG:
    return VGG(random_weights(5), pooling="max", device=torch.device("cpu"))


def coloured(colour: tuple[int, int, int], seed: int, width: int = 48, height: int = 40) -> Image.Image:
    """Blobs of one colour, lighter and darker."""
    grey = np.asarray(photo(width, height, seed).convert("L"), dtype=np.float32)[:, :, None] / 255
    return Image.fromarray((grey * colour).astype(np.uint8))


def half(width: int, height: int, *, left: bool) -> torch.Tensor:
    mask = torch.zeros(1, 1, height, width)
    mask[..., slice(None, width // 2) if left else slice(width // 2, None)] = 1
    return mask


def test_a_picture_in_its_own_patches_is_itself(network: VGG) -> None:
    picture = levels(48, 40, 1)
    made = patchwork(network, LAYERS, picture, [picture], masks=Masks())
    torch.testing.assert_close(made, picture, rtol=0, atol=1e-2)


def test_it_has_the_size_of_the_content_and_colours_of_the_style_alone(network: VGG) -> None:
    content, style = levels(50, 37, 1), to_tensor(coloured((200, 0, 0), 2))
    made = patchwork(network, LAYERS, content, [style], masks=Masks())
    assert made.shape == content.shape
    assert float(made[:, 1:].abs().max()) < 1e-2
    assert float(made.min()) > float(style.min()) - 1e-2
    assert float(made.max()) < float(style.max()) + 1e-2


def test_a_place_gets_patches_of_the_style_whose_mask_has_most_of_it(network: VGG) -> None:
    content = levels(48, 40, 1)
    red, blue = (to_tensor(coloured(colour, 2)) for colour in ((200, 0, 0), (0, 0, 200)))
    masks = Masks([half(48, 40, left=True), half(48, 40, left=False)])
    made = patchwork(network, LAYERS, content, [red, blue], masks=masks)
    assert float(made[:, 2, :, :20].abs().max()) < 1e-2
    assert float(made[:, 0, :, 28:].abs().max()) < 1e-2
    assert float(made[:, 0, :, :20].mean()) > 20
    assert float(made[:, 2, :, 28:].mean()) > 20


def test_of_a_masked_style_only_what_is_white_counts(network: VGG) -> None:
    left, right = (to_tensor(coloured(colour, 2, width=24)) for colour in ((200, 0, 0), (0, 0, 200)))
    style = torch.cat([left, right], dim=3)
    made = patchwork(network, LAYERS, levels(48, 40, 1), [style], masks=Masks([], [half(48, 40, left=True)]))
    inside = made[:, :, :, :].mean((2, 3))[0]
    assert float(inside[0]) > 10 * float(inside[2])


def test_a_large_painting_of_one_scale_begins_with_patches_found_in_a_smaller_one() -> None:
    recipe = quick(weights="sha256:x", start="patches", size=320, scales=1)
    manual_painting = Painter(recipe, photo(320, 240, 1), [photo(200, 300, 2)], convs=random_weights(3))
    assert manual_painting.begin().pixels.shape == (1, 3, 240, 320)


def test_the_start_is_the_same_each_time_another_with_another_seed_and_not_the_content() -> None:
    one, same, other = (painter(quick(start="patches", seed=seed)).begin().pixels for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert not torch.equal(one, painter(quick(start="content", seed=1)).begin().pixels)


@pytest.mark.parametrize("start", get_args(Start))
def test_every_start_can_be_told(start: str) -> None:
    recipe = quick(start=start)
    assert recipe_in_words(recipe)
    assert on_the_page(recipe)
