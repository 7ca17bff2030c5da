"""The loop: how it starts, that it repeats, what it shows, when it stops, what it refuses."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from painting_kit import assert_same, last, levels, painted_sha256, painter, photo, quick, random_weights, until
from torch import Tensor

from engine import paint
from engine.painting import pictures
from engine.painting.painter import Painter
from engine.recipe.presets import preset
from engine.recipe.recipe import OLDEST, Recipe, RecipeError

TESTS, ROOT = Path(__file__).parents[2], Path(__file__).parents[3]
MEAN = torch.tensor((0.485, 0.456, 0.406)).view(1, 3, 1, 1) * 255
IN_ANOTHER_PROCESS = """
import json, sys, torch
torch.set_num_threads(1)
from painting_kit import painted_sha256
from engine.recipe.recipe import Recipe
print(painted_sha256(Recipe.from_dict(json.loads(sys.argv[1]))))
"""


def start(**fields: Any) -> Tensor:
    return painter(quick(**fields)).begin().pixels


def uniform(seed: int, shape: torch.Size) -> Tensor:
    """U(-1, 1), drawn on the CPU."""
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


# --- The start ------------------------------------------------------------------------------------


def test_classic_starts_from_six_tenths_noise_and_four_tenths_content() -> None:
    talk = preset("classic")
    pixels = start(start=talk.start, noise=talk.noise, noise_range=talk.noise_range, seed=5)
    content = pictures.to_tensor(pictures.fit(photo(40, 30, 1), 32))
    expected = MEAN + 0.6 * 20 * uniform(5, content.shape) + 0.4 * (content - MEAN)
    torch.testing.assert_close(pixels, expected, rtol=0, atol=1e-4)


def test_noise_is_uniform_around_the_mean_colour() -> None:
    noise = start(start="noise", noise=1.0, noise_range=50.0) - MEAN
    assert 49 < float(noise.max()) <= 50.001
    assert -50.001 <= float(noise.min()) < -49
    assert abs(float(noise.mean())) < 2
    assert float(noise.std()) == pytest.approx(50 / math.sqrt(3), rel=0.03)


def test_without_noise_the_start_is_the_picture_itself() -> None:
    content = pictures.to_tensor(pictures.fit(photo(40, 30, 1), 32))
    torch.testing.assert_close(start(start="content"), content, rtol=0, atol=1e-3)
    torch.testing.assert_close(start(start="noise"), MEAN.expand_as(content))
    style = pictures.to_tensor(pictures.fit(photo(30, 44, 10), 32))
    begun = start(start="style")
    assert begun.shape == content.shape
    torch.testing.assert_close(begun.mean((2, 3)), style.mean((2, 3)), rtol=0.05, atol=0)


def test_the_content_takes_the_styles_luminance_where_asked() -> None:
    content, style = (pictures.to_tensor(pictures.fit(p, 32)) for p in (photo(40, 30, 1), photo(30, 44, 10)))
    expected = pictures.match_luminance(content, style)
    torch.testing.assert_close(start(match_luminance=True), expected, rtol=0, atol=1e-3)
    assert not torch.allclose(expected, content, atol=1)


# --- Repetition -----------------------------------------------------------------------------------


def test_the_same_recipe_gives_the_same_picture_whatever_the_global_seed() -> None:
    recipe = quick(noise=0.5, networks=2)
    torch.manual_seed(1)
    one = last(painter(recipe))
    torch.manual_seed(2)
    assert_same(one, last(painter(recipe)))


@pytest.mark.long
def test_another_process_paints_the_same_picture() -> None:
    recipe = quick(noise=0.5, scales=2, average=0.5, seed=3)
    path = os.pathsep.join((str(TESTS), str(ROOT)))
    done = subprocess.run(
        [sys.executable, "-c", IN_ANOTHER_PROCESS, json.dumps(recipe.as_dict())],
        capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    assert done.stdout.strip() == painted_sha256(recipe)


def test_another_seed_gives_another_picture() -> None:
    digests = {painted_sha256(quick(noise=0.5, iterations=3, seed=seed)) for seed in (0, 1, 2)}
    assert len(digests) == 3


# --- The iterations -------------------------------------------------------------------------------


def test_every_iteration_is_yielded_and_its_loss_kept() -> None:
    recipe = quick(iterations=25)
    iterations, totals = [], []
    for state in painter(recipe).paint(painter(recipe).begin()):
        iterations.append(state.iteration)
        totals.append(float(state.losses[state.iteration - 1, 0]))
    assert iterations == list(range(1, 26))
    assert state.losses[:, 0].tolist() == totals
    assert totals[-1] < totals[0] / 2
    assert not state.rollbacks


def test_the_function_paints_as_the_painter_does() -> None:
    recipe = quick(iterations=6)
    *_, state = paint(recipe, photo(40, 30, 1), [photo(30, 44, 10)], stop=4)
    assert state.iteration == 4
    *_, state = paint(recipe, photo(40, 30, 1), [photo(30, 44, 10)], start=state)
    assert_same(state, last(painter(recipe)))


def test_the_step_falls_by_cosine_within_each_scale() -> None:
    """Without memory Adam moves every pixel by exactly the step."""
    recipe = quick(iterations=11, scales=2, size=48, step=4.0, step_end=0.25, beta1=0.0, beta2=0.0)
    own, moved = painter(recipe), []
    before = own.begin().pixels
    for state in own.paint(own.begin()):
        if state.pixels.shape == before.shape:
            moved.append(float((state.pixels - before).abs().median()))
        before = state.pixels.clone()

    def cosine(count: int) -> list[float]:
        return [4 * (0.25 + 0.75 * (1 + math.cos(math.pi * i / (count - 1))) / 2) for i in range(count)]

    first, second = (count for _, count in recipe.plan())
    assert moved == pytest.approx(cosine(first) + cosine(second)[1:], abs=1e-3)


def test_pixels_are_kept_within_8_bits_where_asked() -> None:
    for clamp in (True, False):
        own = painter(quick(clamp=clamp, step=40.0, iterations=6))
        extremes = [(float(s.pixels.min()), float(s.pixels.max())) for s in own.paint(own.begin())]
        assert all(low >= 0 and high <= 255 for low, high in extremes) is clamp


def test_scales_go_from_coarse_to_fine_and_pictures_are_of_the_final_size() -> None:
    recipe = quick(size=64, scales=3, iterations=9)
    own, sides, sizes = painter(recipe), [], set()
    for state in own.paint(own.begin()):
        sides.append(max(state.pixels.shape))
        sizes.add(own.picture(state).size)
    assert sides == [side for side, count in recipe.plan() for _ in range(count)]
    assert sizes == {(64, 48)}
    assert (state.scale, state.averaged) == (2, recipe.plan()[2][1])


def test_a_finer_scale_goes_on_from_what_was_shown() -> None:
    """Not from the iterate. Without memory Adam then moves every pixel by exactly one step."""
    recipe = quick(size=64, scales=2, iterations=8, average=0.8, step=5.0, beta1=0.0, beta2=0.0, alpha=1e5, beta=1e7)
    own = painter(recipe)
    state = until(own, 4)
    shown = F.interpolate(state.shown(0.8), (48, 64), mode="bicubic", align_corners=False).clamp(0, 255)
    until(own, 5, state)
    assert state.pixels.shape == shown.shape
    torch.testing.assert_close((state.pixels - shown).abs(), torch.full_like(shown, 5.0), rtol=0, atol=1e-3)


@pytest.mark.parametrize("decay", [0.5, 0.9])
def test_what_is_shown_is_the_weighted_mean_of_the_iterates(decay: float) -> None:
    own = painter(quick(average=decay, iterations=7))
    iterates: list[Tensor] = []
    for state in own.paint(own.begin()):
        iterates.append(state.pixels.double())
        shares = torch.tensor([decay ** (len(iterates) - 1 - i) for i in range(len(iterates))], dtype=torch.float64)
        mean = (torch.stack(iterates) * (shares / shares.sum()).view(-1, 1, 1, 1, 1)).sum(0)
        torch.testing.assert_close(state.shown(decay).double(), mean, rtol=1e-5, atol=1e-3)


def test_without_averaging_the_iterate_itself_is_shown() -> None:
    own = painter(quick(iterations=3))
    assert all(torch.equal(state.shown(0.0), state.pixels) for state in own.paint(own.begin()))
    begun = painter(quick(average=0.9)).begin()
    assert torch.equal(begun.shown(0.9), begun.pixels)


@pytest.mark.parametrize("after", [1, 2, 5])
def test_a_closed_painting_stops_at_once(after: int) -> None:
    own = painter(quick())
    state = own.begin()
    painting = own.paint(state)
    for _ in range(after):
        next(painting)
    pixels = state.pixels.clone()
    painting.close()  # type: ignore[attr-defined]
    assert next(painting, None) is None
    assert state.iteration == after
    assert torch.equal(state.pixels, pixels)
    assert not state.losses[after:].any()


def test_a_stop_is_obeyed() -> None:
    own = painter(quick())
    assert [state.iteration for state in own.paint(own.begin(), stop=3)] == [1, 2, 3]
    assert list(own.paint(own.begin(), stop=0)) == []


def test_a_stop_past_the_last_iteration_is_the_last_iteration() -> None:
    own = painter(quick(iterations=3))
    state = own.begin()
    assert [state.iteration for state in own.paint(state, stop=99)] == [1, 2, 3]
    assert list(own.paint(state, stop=99)) == []


# --- Refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("shares", "given"), [((1.0,), 0), ((1.0,), 2), ((1.0, 2.0), 1)])
def test_every_style_needs_a_weight(shares: tuple[float, ...], given: int) -> None:
    with pytest.raises(RecipeError, match=rf"^The recipe weighs {len(shares)} styles, but {given} were given\.$"):
        Painter(quick(style_weights=shares), photo(40, 30, 1), [photo(30, 44, 2)] * given)


@pytest.mark.parametrize("weights", ["imagenet", "sha256:0123456789abcdef"])
def test_missing_weights_are_refused(weights: str) -> None:
    with pytest.raises(RecipeError, match=rf"^This recipe needs the weights {weights}, which were not given\.$"):
        painter(quick(weights=weights))


def test_given_weights_are_used() -> None:
    convs, others = random_weights(3), random_weights(3, seed=1)
    recipe = quick(weights="sha256:0123456789abcdef", iterations=3)
    assert not torch.equal(last(painter(recipe, convs)).losses, last(painter(recipe, others)).losses)
    assert_same(last(painter(recipe, convs)), last(painter(recipe, convs)))


def test_two_styles_paint_another_picture_than_either() -> None:
    two: Recipe = quick(style_weights=(1.0, 1.0), iterations=3)
    assert not torch.equal(last(painter(two)).pixels, last(painter(quick(iterations=3))).pixels)


def test_the_style_scale_changes_the_size_of_the_styles_alone() -> None:
    small = last(painter(quick(style_scale=0.5, iterations=1)))
    plain = last(painter(quick(iterations=1)))
    assert small.pixels.shape == plain.pixels.shape == levels(32, 24, 1).shape
    content, style = 1, 2
    assert not torch.equal(small.losses[0, style], plain.losses[0, style])
    assert float(small.losses[0, content]) == pytest.approx(float(plain.losses[0, content]), abs=1e-6)


def test_a_recipe_of_the_time_of_other_units_is_refused() -> None:
    with pytest.raises(RecipeError, match="older version of Impasto"):
        painter(dataclasses.replace(quick(), version=OLDEST - 1))
