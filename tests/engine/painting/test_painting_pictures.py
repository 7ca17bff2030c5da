"""Pictures to tensors and back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from painting_kit import levels, photo
from PIL import Image

from engine.painting.pictures import (
    SMALLEST_SIDE,
    fit,
    fitted_size,
    match_colours,
    match_luminance,
    pixels_sha256,
    to_picture,
    to_tensor,
)

SIDES = st.integers(1, 5000)


@given(SIDES, SIDES, st.integers(32, 4096))
def test_fitting_keeps_the_longest_side_and_the_proportions(width: int, height: int, longest: int) -> None:
    fitted = fitted_size((width, height), longest)
    assert max(fitted) == longest
    assert min(fitted) >= SMALLEST_SIDE == 16
    exact = min(width, height) / max(width, height) * longest
    if exact >= SMALLEST_SIDE:
        assert abs(min(fitted) - exact) <= 0.5
    if width > height:
        assert fitted[0] >= fitted[1]


@given(SIDES, SIDES, st.integers(1, 15))
def test_a_picture_never_gets_smaller_than_the_network_can_see(width: int, height: int, longest: int) -> None:
    assert fitted_size((width, height), longest) == (16, 16)


@pytest.mark.parametrize(
    ("size", "longest", "fitted"),
    [((400, 300), 64, (64, 48)), ((30, 40), 64, (48, 64)), ((1000, 10), 64, (64, 16)), ((64, 48), 64, (64, 48))],
)
def test_fit_gives_rgb_of_the_fitted_size(size: tuple[int, int], longest: int, fitted: tuple[int, int]) -> None:
    for mode in ("RGB", "RGBA", "L", "P"):
        picture = fit(Image.new(mode, size, 0), longest)
        assert (picture.mode, picture.size) == ("RGB", fitted)


def test_fit_leaves_a_picture_that_fits_untouched() -> None:
    picture = photo(64, 48, 1)
    assert pixels_sha256(fit(picture, 64)) == pixels_sha256(picture)


def test_a_picture_survives_the_way_to_a_tensor_and_back() -> None:
    array = np.arange(256, dtype=np.uint8).repeat(9).reshape(24, 32, 3)
    tensor = to_tensor(Image.fromarray(array))
    assert tensor.shape == (1, 3, 24, 32)
    assert tensor.dtype == torch.float32
    assert float(tensor[0, 2, 3, 5]) == array[3, 5, 2]
    assert np.array_equal(np.asarray(to_picture(tensor)), array)


def test_levels_are_rounded_and_clipped() -> None:
    tensor = torch.tensor([-300.0, -0.4, 0.6, 254.4, 255.4, 1e9]).view(1, 1, 1, 6).expand(1, 3, 1, 6)
    assert np.asarray(to_picture(tensor))[0, :, 0].tolist() == [0, 0, 1, 254, 255, 255]


def test_what_is_not_finite_becomes_grey() -> None:
    nan, inf = float("nan"), float("inf")
    tensor = torch.tensor([nan, inf, -inf, 7.0]).view(1, 1, 2, 2).expand(1, 3, 2, 2)
    assert np.asarray(to_picture(tensor))[:, :, 1].tolist() == [[128, 128], [128, 7]]


def test_the_digest_tells_one_level_of_one_pixel() -> None:
    picture = photo(20, 16, 1)
    other = picture.copy()
    red, green, blue = np.asarray(picture)[5, 7].tolist()
    other.putpixel((7, 5), (red, green, blue ^ 1))
    assert pixels_sha256(picture) == pixels_sha256(picture.copy())
    assert pixels_sha256(picture) != pixels_sha256(other)
    assert len(pixels_sha256(picture)) == 64


def test_the_digest_tells_shapes_of_equal_bytes() -> None:
    shapes = [(2, 6), (6, 2), (3, 4), (12, 1), (1, 12)]
    assert len({pixels_sha256(Image.new("RGB", shape, (9, 9, 9))) for shape in shapes}) == len(shapes)


def test_the_digest_is_of_pixels_not_of_modes() -> None:
    grey = Image.new("L", (5, 4), 77)
    assert pixels_sha256(grey) == pixels_sha256(grey.convert("RGB"))


def test_matched_luminance_has_the_others_mean_and_deviation() -> None:
    weights = torch.tensor((0.299, 0.587, 0.114)).view(1, 3, 1, 1)
    picture, like = 60 + levels(40, 30, 1) * 0.4, 90 + levels(30, 30, 2) * 0.2
    matched = match_luminance(picture, like)
    own, other = ((image * weights).sum(1) for image in (matched, like))
    assert float(matched.min()) > 0  # nothing clipped, so that the moments are exact
    assert float(matched.max()) < 255
    assert float(own.mean()) == pytest.approx(float(other.mean()), rel=1e-4)
    assert float(own.std()) == pytest.approx(float(other.std()), rel=1e-3)
    chroma, matched_chroma = picture[:, :1] - picture[:, 1:], matched[:, :1] - matched[:, 1:]
    torch.testing.assert_close(matched_chroma, chroma, rtol=0, atol=1e-3)


def test_matched_luminance_stays_within_8_bits() -> None:
    flat = torch.full((1, 3, 20, 20), 128.0)
    matched = match_luminance(levels(20, 20, 1) - 100, levels(20, 20, 2) * 3)
    assert 0 <= float(matched.min()) <= float(matched.max()) <= 255
    assert torch.isfinite(match_luminance(flat, levels(20, 20, 2))).all()


def test_of_what_is_matched_only_what_counts_is_measured() -> None:
    """The left half of each is what it would be alone."""
    picture, like = 60 + levels(40, 30, 1) * 0.4, 90 + levels(40, 30, 2) * 0.2
    weight = torch.zeros(1, 1, 30, 40)
    weight[..., :20] = 1
    half, half_like = picture[..., :20], like[..., :20]
    torch.testing.assert_close(
        match_luminance(picture, like, weight=weight, like_weight=weight)[..., :20],
        match_luminance(half, half_like), rtol=0, atol=0.1,
    )  # fmt: skip
    torch.testing.assert_close(
        match_colours(picture, like, weight=weight)[..., :20], match_colours(half, like), rtol=0, atol=0.1
    )
