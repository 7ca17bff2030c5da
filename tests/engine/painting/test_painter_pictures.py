"""A picture to begin with, and the content's own colours."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from painting_kit import assert_same, last, levels, painter, photo, quick, restored, saved, until
from PIL import Image

from engine import paint
from engine.painting.painter import Painter
from engine.painting.pictures import coloured, cut_to, grey, to_tensor
from engine.recipe.recipe import RecipeError

LUMA = torch.tensor((0.299, 0.587, 0.114)).view(1, 3, 1, 1)


def luminance(picture: Image.Image) -> np.ndarray:
    return (to_tensor(picture) * LUMA).sum(1).numpy()


def chroma(picture: Image.Image) -> np.ndarray:
    red, green, blue = to_tensor(picture)[0].numpy()
    return np.stack([red - green, green - blue])


# --- A picture to begin with ----------------------------------------------------------------------


def test_a_run_begins_with_the_picture_it_is_given_in_the_contents_proportions() -> None:
    canvas = photo(100, 50, 5)
    recipe = quick(start="picture", size=64, scales=2, iterations=4)
    begun = painter(recipe, canvas=canvas).begin().pixels
    assert begun.shape == (1, 3, 34, 45)  # the first scale's, of a content of 4 : 3
    torch.testing.assert_close(begun, to_tensor(cut_to(canvas, (45, 34))), rtol=0, atol=1e-3)


def test_noise_is_mixed_with_it_as_with_the_others() -> None:
    content = photo(40, 30, 1)
    by_name = painter(quick(start="content", noise=0.6, seed=4)).begin()
    by_picture = painter(quick(start="picture", noise=0.6, seed=4), canvas=content).begin()
    torch.testing.assert_close(by_picture.pixels, by_name.pixels, rtol=0, atol=1.0)


def test_a_painting_goes_on_from_a_painting() -> None:
    recipe = quick(iterations=6)
    first = painter(recipe)
    shown = first.picture(last(first))
    again = quick(iterations=3, start="picture")
    *_, state = paint(again, photo(40, 30, 1), [photo(30, 44, 10)], canvas=shown)
    assert_same(state, last(painter(again, canvas=shown)))
    assert float(state.losses[0, 0]) < float(last(first).losses[2, 0])


def test_what_is_cut_off_is_cut_off_evenly() -> None:
    stripes = Image.new("RGB", (90, 30), (255, 0, 0))
    stripes.paste((0, 0, 255), (30, 0, 60, 30))
    assert np.asarray(cut_to(stripes, (30, 30))).tolist() == [[[0, 0, 255]] * 30] * 30
    assert cut_to(stripes.convert("RGBA"), (45, 60)).mode == "RGB"


def test_a_missing_picture_is_refused_in_a_sentence() -> None:
    with pytest.raises(RecipeError, match=r"^This recipe starts from a picture, which was not given\.$"):
        Painter(quick(start="picture"), photo(40, 30, 1), [photo(30, 44, 10)])
    painter(quick(), canvas=photo(40, 30, 5))  # one too many is no error


def test_an_exposure_is_of_the_moment_it_was_taken_at_whenever_it_is_developed() -> None:
    own, recipe = painter(quick(average=0.5, clamp=True)), quick(average=0.5, clamp=True)
    state, taken = own.begin(), {}
    for _ in own.paint(state):
        taken[state.iteration] = own.readback(state)
    for iteration in (1, 6, recipe.iterations):
        other = painter(recipe)
        then = until(other, iteration)
        picture, loss = taken[iteration].read()
        assert picture.tobytes() == other.picture(then).tobytes()
        assert loss == float(then.losses[iteration - 1, 0])


# --- The content's colours ------------------------------------------------------------------------


@pytest.mark.parametrize("fields", [{}, {"scales": 2, "average": 0.8}, {"optimiser": "lbfgs", "step": 1.0}], ids=str)
def test_with_the_contents_colours_only_luminance_is_painted(fields: dict[str, object]) -> None:
    recipe = quick(colours="content", noise=0.5, size=48, iterations=10, **fields)
    own = painter(recipe)
    for state in own.paint(own.begin()):
        assert torch.equal(state.pixels[:, :1].expand(-1, 3, -1, -1), state.pixels)
    picture = own.picture(state)
    assert picture.size == own.size == (48, 36)
    assert float(state.losses[-1, 0]) < float(state.losses[0, 0])
    # Chroma is the content's and luminance the painting's, but where 8 bits are too few for both.
    content = photo(40, 30, 1).resize((48, 36), Image.Resampling.LANCZOS)
    inside = ((np.asarray(picture) > 0) & (np.asarray(picture) < 255)).all(2)
    assert inside.mean() > 0.5
    assert np.abs(chroma(picture) - chroma(content))[:, inside].max() <= 1
    painted = state.shown(recipe.average)[0, 0].clamp(0, 255).numpy()
    assert np.abs(luminance(picture)[0] - painted)[inside].max() <= 1.01


def test_pictures_of_a_coarse_scale_have_the_colours_of_the_finest() -> None:
    own = painter(quick(colours="content", size=64, scales=3, iterations=3))
    picture = own.picture(until(own, 1))
    assert picture.size == (64, 48)
    content = photo(40, 30, 1).resize((64, 48), Image.Resampling.LANCZOS)
    inside = ((np.asarray(picture) > 0) & (np.asarray(picture) < 255)).all(2)
    assert np.abs(chroma(picture) - chroma(content))[:, inside].max() <= 1


def test_a_style_gives_no_colour_and_takes_the_contents_luminance() -> None:
    """So that neither its colours nor its brightness make a difference."""
    style = photo(30, 44, 10)
    dark = Image.fromarray((np.asarray(style.convert("L")) * 0.8).astype(np.uint8)).convert("RGB")
    recipe = quick(colours="content", iterations=4, size=32)
    content = photo(40, 30, 1)
    own, other = Painter(recipe, content, [style]), Painter(recipe, content, [dark])
    one, two = last(own), last(other)
    assert float(one.losses[0, 2]) == pytest.approx(float(two.losses[0, 2]), rel=0.1)
    plain = quick(iterations=4, size=32)
    far = [float(last(Painter(plain, content, [s])).losses[0, 2]) for s in (style, dark)]
    assert abs(far[0] - far[1]) > 5 * abs(float(one.losses[0, 2] - two.losses[0, 2]))


def test_matching_luminance_the_other_way_is_without_effect() -> None:
    plain = last(painter(quick(colours="content", iterations=3)))
    assert_same(plain, last(painter(quick(colours="content", iterations=3, match_luminance=True))))


def test_a_run_with_the_contents_colours_is_cut_and_resumed_bit_for_bit() -> None:
    recipe = quick(colours="content", iterations=8, scales=2, size=48, average=0.8, noise=0.3)
    own = painter(recipe)
    state = own.begin()
    checkpoints = [saved(state) for state in own.paint(state)]
    for checkpoint in checkpoints:
        resumed = last(painter(recipe), restored(recipe, checkpoint))
        assert_same(resumed, state)
        assert own.picture(resumed).tobytes() == own.picture(state).tobytes()


def test_grey_has_the_luminance_of_the_picture() -> None:
    tensor = levels(20, 16, 1)
    torch.testing.assert_close(grey(tensor), (tensor * LUMA).sum(1, keepdim=True).expand(-1, 3, -1, -1))


def test_a_picture_coloured_like_itself_is_itself() -> None:
    picture = photo(20, 16, 1)
    assert coloured(picture, picture).tobytes() == picture.tobytes()
    swapped = coloured(Image.new("RGB", (20, 16), (128, 128, 128)), photo(20, 16, 2))
    assert float(luminance(swapped).mean()) == pytest.approx(128, abs=8)


# --- Pictures without colour ----------------------------------------------------------------------


def without_colour(picture: Image.Image) -> Image.Image:
    return picture.convert("L").convert("RGB")


@pytest.mark.parametrize(
    "fields",
    [
        {}, {"start": "noise", "noise": 1.0}, {"start": "statistics"}, {"start": "patches", "size": 64},
        {"start": "picture"}, {"colours": "matched"}, {"match_luminance": True}, {"detail": 1.0},
        {"optimiser": "lbfgs", "step": 1.0}, {"average": 0.8},
    ],
    ids=str,
)  # fmt: skip
def test_what_has_no_colour_stays_grey(fields: dict[str, object]) -> None:
    content, style, canvas = map(without_colour, (photo(40, 30, 1), photo(30, 44, 10), photo(9, 8, 3)))
    own = Painter(
        quick(**{"size": 48, "scales": 2, "iterations": 8, "noise": 0.2, **fields}), content, [style], canvas=canvas
    )
    state = last(own)
    assert not chroma(own.picture(state)).any()
    assert float(state.losses[-1, 0]) < float(state.losses[4, 0])


def test_a_grey_content_takes_a_matched_styles_colour_away() -> None:
    own = Painter(quick(colours="matched"), without_colour(photo(40, 30, 1)), [photo(30, 44, 10)])
    assert not chroma(own.picture(last(own))).any()


@pytest.mark.parametrize("coloured", ["content", "one of the styles", "canvas"])
def test_what_has_colour_anywhere_is_painted_in_colour(coloured: str) -> None:
    pictures = {
        name: photo(40, 30, seed) for seed, name in enumerate(("content", "style", "one of the styles", "canvas"))
    }
    pictures = {name: picture if name == coloured else without_colour(picture) for name, picture in pictures.items()}
    content, *styles, canvas = pictures.values()
    own = Painter(quick(start="picture", style_weights=(1.0, 1.0)), content, styles, canvas=canvas)
    assert np.abs(chroma(own.picture(last(own)))).max() > 10


def test_a_grey_painting_is_cut_and_resumed_bit_for_bit() -> None:
    content, style = without_colour(photo(40, 30, 1)), without_colour(photo(30, 44, 10))
    own = Painter(quick(iterations=8, scales=2, size=48, average=0.8), content, [style])
    state = own.begin()
    checkpoints = [saved(state) for state in own.paint(state)]
    for checkpoint in checkpoints:
        resumed = last(Painter(own.recipe, content, [style]), restored(own.recipe, checkpoint))
        assert_same(resumed, state)
