"""The recipe: a value that is whole, in range, and says what is wrong with it in one sentence."""

from __future__ import annotations

import dataclasses
import json
import math
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.recipe.presets import PRESETS, preset
from engine.recipe.recipe import VERSION, Recipe, RecipeError

ALL = [preset(name, weights=weights) for name in PRESETS for weights in ("imagenet", "starter", "random")]

# --- A value --------------------------------------------------------------------------------------


def test_a_recipe_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Recipe().size = 64  # type: ignore[misc]


def test_equal_recipes_are_one_value() -> None:
    assert Recipe(size=64, seed=3) == Recipe(seed=3, size=64) != Recipe(size=64, seed=4)
    assert len({Recipe(size=64), Recipe(size=64), Recipe(size=65)}) == 2


@pytest.mark.parametrize("recipe", ALL, ids=lambda recipe: f"{recipe.name} {recipe.weights}")
def test_a_recipe_survives_json(recipe: Recipe) -> None:
    assert Recipe(**recipe.as_dict()) == recipe
    back = Recipe.from_dict(json.loads(json.dumps(recipe.as_dict())))
    assert back == recipe
    assert hash(back) == hash(recipe)


# --- What is refused ------------------------------------------------------------------------------

NAN, INF = math.nan, math.inf
BAD: list[tuple[str, Any, str]] = [
    ("version", VERSION + 1, "version"),
    *(("size", value, "size") for value in (31, 4097, -512)),
    *(("iterations", value, "iterations") for value in (0, -1, 99_901)),
    *(("scales", value, "scale") for value in (0, 13, -1)),
    *(("snapshots", value, "Snapshots") for value in ((0,), (10, -1))),
    *(("seed", value, "seed") for value in (-1, 2**63)),
    *(("extra", value, "extra iterations") for value in (-1, 500, 501)),
    ("start", "chaos", "noise, content, style, picture"),
    ("colours", "both", "style, content, matched"),
    *(("noise", value, "noise") for value in (-0.1, 1.1, NAN)),
    *(("noise_range", value, "noise range") for value in (-1, 256, NAN)),
    *(("content_layers", (value,), value) for value in ("relu4_5", "relu6_1", "pool1", "conv1_3")),
    ("style_layers", ("relu1_1", "relu9_9", "relu3_1", "relu4_1", "relu5_1"), "relu9_9"),
    ("style_layers", ("relu1_1",), "one weight"),
    ("style_layer_weights", (1.0,), "one weight"),
    *(("style_layer_weights", (value, 1, 1, 1, 1), "finite") for value in (-1.0, NAN, INF)),
    *(
        (field, value, "finite")
        for field in ("alpha", "beta", "style_ceiling", "style_floor", "total_variation", "variation_ceiling")
        for value in (-1.0, NAN, INF)
    ),
    *(("style_weights", value, "Style weights") for value in ((), (0.0,), (1.0, -1.0), (NAN,), (INF,))),
    *(("style_scale", value, "style scale") for value in (0.09, 4.1, NAN)),
    ("statistic", "mean", "gram, covariance, wasserstein"),
    *(("octaves", value, "Octaves") for value in (0, 7)),
    ("pooling", "min", "average, max, l2"),
    ("pooling_gain", 0.0, "pooling gain"),
    ("pooling_gain", float("nan"), "pooling gain"),
    ("padding", "none", "zero or replicate"),
    *(("networks", value, "Networks") for value in (0, 2, 9)),
    ("optimiser", "sgd", "adam or lbfgs"),
    *(("step", value, "step") for value in (0.0, -1.0, 256.0, NAN)),
    *(("step_end", value, "step_end") for value in (0.0, 1.1, NAN)),
    *((field, value, field) for field in ("beta1", "beta2", "average") for value in (-0.1, 1.0, NAN)),
    *(("history", value, "history") for value in (0, 101)),
    *(("smoothing", value, "smoothing") for value in (-0.1, 1.1, NAN)),
]


@pytest.mark.parametrize(("field", "value", "says"), BAD)
def test_a_value_out_of_range_is_refused_in_one_sentence(field: str, value: Any, says: str) -> None:
    with pytest.raises(RecipeError) as error:
        Recipe(**{field: value})
    sentence = str(error.value)
    assert says in sentence
    assert sentence.endswith(".")
    assert ". " not in sentence
    assert "\n" not in sentence
    assert sentence[0].isupper() or field in sentence


COMBINATIONS: list[tuple[dict[str, Any], str]] = [
    ({"iterations": 2, "scales": 3}, "at least one iteration for each scale"),
    ({"iterations": 5, "scales": 3, "extra": 3}, "at least one iteration for each scale"),
    ({"weights": "random", "networks": 9}, "between 1 and 8"),
    ({"frames": 0}, "between 1 and 200"),
    ({"frames": 201}, "between 1 and 200"),
    ({"iterations": 82, "frames": 3, "scales": 3}, "at least one iteration for each scale"),
    ({"frames": 2, "scales": 5, "frame_iterations": 4}, "each scale of a further frame"),
    ({"weights": "random", "networks": 2, "optimiser": "lbfgs"}, "one fixed loss"),
    ({"content_layers": (), "style_layers": (), "style_layer_weights": ()}, "At least one"),
    ({"content_layers": ("relu4_2", "relu4_2")}, "named only once"),
    ({"start": "patches", "style_layers": (), "style_layer_weights": ()}, "patches needs a style layer"),
]


@pytest.mark.parametrize(("fields", "says"), COMBINATIONS)
def test_fields_that_do_not_go_together_are_refused(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(RecipeError, match=says):
        Recipe(**fields)


EDGES: list[dict[str, Any]] = [
    {"size": 32}, {"size": 4096}, {"iterations": 1}, {"iterations": 99_900}, {"iterations": 12, "scales": 12},
    {"snapshots": ()}, {"seed": 2**63 - 1}, {"noise": 1}, {"noise_range": 255}, {"alpha": 0, "beta": 0},
    {"content_layers": ()}, {"style_layers": (), "style_layer_weights": ()}, {"style_scale": 0.1}, {"style_scale": 4},
    {"octaves": 6}, {"weights": "random", "networks": 8}, {"step": 255}, {"step_end": 1}, {"beta1": 0, "average": 0},
    {"history": 1}, {"history": 100}, {"version": VERSION}, {"content_layers": ("conv5_4", "relu1_2")},
    {"iterations": 7, "extra": 6}, {"iterations": 7, "extra": 5, "scales": 2},
]  # fmt: skip


@pytest.mark.parametrize("fields", EDGES, ids=str)
def test_values_at_the_edge_are_in_range(fields: dict[str, Any]) -> None:
    assert Recipe(**fields).as_dict().items() >= fields.items()


# --- The plan and what is shown -------------------------------------------------------------------


@given(st.data(), st.integers(32, 4096), st.integers(1, 99_900))
def test_the_plan_spends_every_iteration_and_ends_at_the_size(data: st.DataObject, size: int, iterations: int) -> None:
    scales = data.draw(st.integers(1, min(12, iterations)))
    plan = Recipe(size=size, iterations=iterations, scales=scales).plan()
    sides, counts = zip(*plan, strict=True)
    assert len(plan) == scales
    assert sides[-1] == size
    assert list(sides) == sorted(sides)
    assert sides[0] >= 32
    assert sum(counts) == iterations
    assert min(counts) >= 1
    assert all(
        coarse == 32 or fine / coarse == pytest.approx(math.sqrt(2), rel=0.03) for coarse, fine in pairwise(sides)
    )


@given(st.data(), st.integers(1, 1000), st.integers(1, 500))
def test_extra_iterations_come_after_the_plan(data: st.DataObject, iterations: int, extra: int) -> None:
    planned = Recipe(size=512, iterations=iterations, scales=data.draw(st.integers(1, min(12, iterations))))
    longer = planned.continued(extra)
    (*coarse, (side, count)), (*same, (also, more)) = planned.plan(), longer.plan()
    assert (same, also, more) == (coarse, side, count + extra)
    assert (longer.iterations, longer.extra, longer.planned) == (iterations + extra, extra, iterations)
    assert longer == dataclasses.replace(planned, iterations=iterations + extra, extra=extra)
    assert planned.continued(extra).continued(7) == planned.continued(extra + 7)
    assert planned.extra == 0


def test_a_sequence_paints_each_further_frame_coarse_to_fine() -> None:
    still = Recipe(size=64, iterations=30, scales=3, frame_iterations=7)
    moving = still.sequence(3)
    assert (moving.frames, moving.iterations, moving.frame_ends) == (3, 44, (30, 37, 44))
    sides = [side for side, _ in still.plan()]
    assert moving.plan() == [*still.plan(), *(2 * list(zip(sides, (2, 2, 3), strict=True)))]
    assert still.sequence(1) == still
    longer = moving.continued(5)
    assert longer.plan()[:-1] == moving.plan()[:-1]
    assert (longer.plan()[-1], longer.frame_ends) == ((64, 8), (30, 37, 49))
    with pytest.raises(RecipeError, match="cannot be enlarged"):
        moving.enlarged()


@pytest.mark.parametrize(("more", "says"), [(0, "one iteration or more"), (-3, "one iteration"), (99_900, "99,900")])
def test_a_recipe_cannot_be_continued_by_nothing_or_beyond_all_bounds(more: int, says: str) -> None:
    with pytest.raises(RecipeError, match=says):
        Recipe().continued(more)


@given(st.lists(st.integers(1, 200)), st.integers(1, 200))
def test_shown_are_the_snapshots_within_the_run_and_the_last(snapshots: list[int], iterations: int) -> None:
    shown = Recipe(snapshots=tuple(snapshots), iterations=iterations).shown
    assert shown[-1] == iterations
    assert list(shown) == sorted(set(shown))
    assert set(shown) == {i for i in snapshots if i <= iterations} | {iterations}


# --- Presets --------------------------------------------------------------------------------------


def test_classic_has_the_talks_own_numbers() -> None:
    talk = preset("classic")
    assert (talk.name, talk.start, talk.noise, talk.noise_range) == ("classic", "content", 0.6, 20)
    assert talk.content_layers == ("relu4_2",)
    assert talk.style_layers == ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
    assert talk.style_layer_weights == (0.5, 1.0, 1.5, 3.0, 4.0)
    assert (talk.alpha, talk.beta, talk.total_variation, talk.statistic) == (5, 100, 0, "gram")
    assert (talk.optimiser, talk.step, talk.step_end, talk.beta1, talk.beta2) == ("adam", 2.0, 1, 0.9, 0.999)
    assert (talk.iterations, talk.pooling, talk.scales, talk.octaves) == (5000, "average", 1, 1)
    assert (talk.clamp, talk.average, talk.match_luminance) == (False, 0, False)
    assert {100, 300, 3300} < set(talk.shown)


def test_presets_are_known_by_name_and_take_fields_over_them() -> None:
    assert set(PRESETS) == {"classic", "gatys", "fine"}
    for recipe in ALL:
        changed = preset(recipe.name, weights=recipe.weights, style_scale=0.5, seed=7)
        assert changed == dataclasses.replace(recipe, style_scale=0.5, seed=7)
        assert changed.weights == recipe.weights


def test_strength_multiplies_the_styles_weight_and_nothing_else() -> None:
    for recipe in ALL:
        strong = preset(recipe.name, weights=recipe.weights, strength=2.5)
        assert strong.beta == 2.5 * recipe.beta
        assert dataclasses.replace(strong, beta=recipe.beta) == recipe
    assert preset("classic", strength=3, beta=7.0).beta == 21


def test_only_fine_paints_otherwise_without_weights() -> None:
    for name in ("classic", "gatys"):
        assert preset(name, weights="random") == dataclasses.replace(preset(name), weights="random")
    assert preset("fine", weights="random").networks > 1


@pytest.mark.parametrize("name", PRESETS)
def test_any_pretrained_weights_are_painted_with_alike(name: str) -> None:
    for weights in ("starter", "sha256:0123456789abcdef"):
        own = preset(name, weights=weights)
        usual = dataclasses.replace(preset(name), weights=weights, network=own.network)
        if (name, weights) == ("fine", "starter"):  # the one that sees less of the content in relu4_2
            usual = dataclasses.replace(usual, content_layers=("relu3_1", "relu4_2"), alpha=10.0)
        assert own == usual


@pytest.mark.parametrize(("size", "scales"), [(64, 1), (128, 1), (181, 2), (256, 3), (512, 5), (1024, 7), (4096, 11)])
def test_fine_begins_at_one_size_whatever_the_pictures(size: int, scales: int) -> None:
    recipe = preset("fine", size=size)
    assert (recipe.scales, recipe.iterations) == (scales, 45 * scales)
    assert recipe.plan()[0] == (min(size, 128), 45)


def test_a_start_from_noise_is_all_noise_and_one_from_a_picture_keeps_it() -> None:
    assert preset("fine", start="noise").noise == preset("classic", start="noise").noise == 1
    assert preset("gatys", start="content").noise == 0
    assert preset("classic", start="style").noise == 0.6
    assert preset("gatys", start="content", noise=0.2).noise == 0.2


def test_fine_takes_fewer_scales_where_there_are_fewer_iterations_and_any_that_are_asked_for() -> None:
    assert (preset("fine", size=512, iterations=3).scales, preset("fine", size=512, iterations=300).scales) == (3, 5)
    assert (preset("fine", scales=2).iterations, preset("fine", scales=2).scales) == (90, 2)


def test_a_draft_that_is_enlarged_is_the_larger_recipe() -> None:
    assert preset("fine", size=256).enlarged() == preset("fine", size=512)


def test_layers_that_the_network_lacks_are_refused_in_one_sentence() -> None:
    with pytest.raises(RecipeError, match=r"^These weights have no layer relu3_4; they have conv1_1, .*, conv5_3\.$"):
        preset("fine", network="vgg16", content_layers=("relu3_4",))
    with pytest.raises(RecipeError, match="There is no architecture resnet"):
        preset("fine", network="resnet")


def test_unknown_presets_fields_and_strengths_are_refused() -> None:
    with pytest.raises(RecipeError, match=r"^There is no recipe called cubist; choose one of classic, gatys, fine\.$"):
        preset("cubist")
    with pytest.raises(RecipeError, match=r"^A recipe has no field brush; it has alpha, average, .*\.$"):
        preset("fine", brush=3)
    for strength in (-1.0, NAN, INF):
        with pytest.raises(RecipeError, match="finite"):
            preset("fine", strength=strength)
