"""What each study varies, and that it holds all else."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest

from engine.recipe import vgg_layers
from engine.recipe.presets import PRESETS, preset
from engine.recipe.recipe import Recipe, RecipeError
from engine.recipe.studies import KINDS, Change, fields_set, file_name, variants
from training.student import COMPARED

STYLES = ["waves", "strokes"]
VARIED = {
    "strength": {"beta"},
    "start": {"start", "noise", "seed"},
    "layers": {"style_layers", "style_layer_weights"},
    "depth": {"content_layers"},
    "optimiser": {"optimiser", "step", "networks", "step_end"},
    "size": {"size"},
    "iterations": {"snapshots"},
    "white": set(),
    "swap": set(),
    "flicker": {"seed", "noise"},
    "style": {"style_weights"},
}
"""The fields that may differ from what was asked for, by what is varied."""


def made(vary: str, name: str = "fine", weights: str = "imagenet", **given: Any) -> list[Recipe]:
    base = preset(name, weights=weights, **given)
    return [
        preset(name, weights=weights, **{**given, **variant.fields}) for variant in variants(vary, base, given, STYLES)
    ]


@pytest.mark.parametrize("weights", ["imagenet", "starter", "random"])
@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("vary", KINDS)
def test_every_study_can_be_painted_and_varies_one_thing(vary: str, name: str, weights: str) -> None:
    given: Mapping[str, Any] = {"size": 256, "iterations": 60, "strength": 2.0, "seed": 5}
    base = preset(name, weights=weights, **given)
    found = made(vary, name, weights, **given)
    differing = {
        field.name
        for recipe in found
        for field in dataclasses.fields(Recipe)
        if getattr(recipe, field.name) != getattr(base, field.name)
    }
    assert differing <= VARIED[vary]
    assert differing or not VARIED[vary] or vary == "style"
    labels = [variant.label for variant in variants(vary, base, given, STYLES)]
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize("vary", KINDS)
def test_what_a_study_sets_by_itself_is_what_is_passed_over(vary: str) -> None:
    asked: dict[str, Any] = {
        "size": 96, "iterations": 77, "snapshots": (5,), "seed": 9, "start": "statistics", "noise": 0.5,
        "strength": 2.0, "content_layers": ("relu3_2",), "style_layer_weights": (1.0, 2.0, 3.0, 4.0, 5.0), "beta": 7.0,
        "scales": 2, "optimiser": "lbfgs", "step": 0.5, "style_weights": (2.0, 1.0), "total_variation": 3.0,
    }  # fmt: skip

    def painted(**given: Any) -> list[Recipe]:
        asked = {"style_weights": (1.0, 1.0), **given}
        found = variants(vary, preset("classic", **asked), asked, STYLES)
        return [preset("classic", **{**asked, "snapshots": (), **variant.fields}) for variant in found]

    assert {name for name, value in asked.items() if painted(**{name: value}) == painted()} == fields_set(vary)


def test_the_strength_goes_by_decades_on_from_what_was_asked_for() -> None:
    usual = preset("classic").beta
    assert [recipe.beta for recipe in made("strength", "classic", strength=2.0)] == pytest.approx(
        [2 * usual * factor for factor in (0.01, 0.1, 1, 10, 100)]
    )


def test_a_layer_alone_weighs_as_much_as_all_together() -> None:
    base = preset("classic")
    found = made("layers", "classic")
    assert [recipe.style_layers for recipe in found[:5]] == [(layer,) for layer in base.style_layers]
    assert [len(recipe.style_layers) for recipe in found[5:]] == [2, 3, 4, 5]
    assert found[1].style_layer_weights == (5 * base.style_layer_weights[1],)
    assert found[-1] == base


def test_sizes_double_the_pixels_up_to_what_was_asked_for_and_keep_scales_and_iterations() -> None:
    found = made("size", size=512)
    assert [recipe.size for recipe in found] == [128, 181, 256, 362, 512]
    assert {(recipe.scales, recipe.iterations) for recipe in found} == {(5, 225)}


def test_the_content_is_held_by_a_layer_of_each_block() -> None:
    assert [recipe.content_layers for recipe in made("depth")] == [
        ("relu1_2",), ("relu2_2",), ("relu3_2",), ("relu4_2",), ("relu5_2",)
    ]  # fmt: skip


def test_starters_content_is_held_by_layers_that_were_taught() -> None:
    layers = [recipe.content_layers[0] for recipe in made("depth", weights="starter")]
    assert layers == ["relu1_1", "relu2_1", "relu3_1", "relu4_2", "relu5_1"]
    assert {vgg_layers.conv_of(layer) for layer in layers} <= set(COMPARED)


def test_iterations_are_looked_at_where_it_changes_or_where_it_was_asked_for() -> None:
    (strip,) = made("iterations", iterations=300)
    assert len(strip.shown) == 8
    (talk,) = made("iterations", iterations=300, snapshots=(100, 200))
    assert talk.shown == (100, 200, 300)


def test_flicker_has_one_seed_three_times_and_noise_that_a_seed_can_change() -> None:
    found = made("flicker", seed=7)
    assert [recipe.seed for recipe in found] == [7, 7, 7, 8, 9, 10]
    assert all(recipe.noise > 0 for recipe in found)
    assert {recipe.noise for recipe in made("flicker", noise=0.2)} == {0.2}


def test_pictures_are_changed_where_they_are_what_is_varied() -> None:
    base = preset("fine")
    assert [variant.change for variant in variants("swap", base, {}, STYLES)] == [Change.NONE, Change.SWAPPED]
    assert len({variant.change for variant in variants("white", base, {}, STYLES)}) == 5
    each = variants("style", preset("fine", style_weights=(1.0, 1.0)), {}, STYLES)
    assert [(variant.label, variant.style, variant.fields["style_weights"]) for variant in each] == [
        ("waves", 0, (1.0,)), ("strokes", 1, (1.0,))
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("vary", "fields", "styles", "sentence"),
    [
        ("hue", {}, STYLES, r"^There is no study of hue; there are studies of strength, .*style\.$"),
        ("layers", {"style_layers": ("relu1_1",), "style_layer_weights": (1.0,)}, STYLES, "needs two paintings"),
        ("size", {"size": 32}, STYLES, "needs two paintings"),
        ("strength", {"frames": 3, "iterations": 500}, STYLES, "^A study is of one picture"),
        ("style", {}, ["a"] * 9, "^There may be 8 styles, and these are 9\\.$"),
    ],
)
def test_what_cannot_be_studied_is_a_sentence(
    vary: str, fields: dict[str, Any], styles: list[str], sentence: str
) -> None:
    with pytest.raises(RecipeError, match=sentence):
        variants(vary, preset("fine", **fields), fields, styles)


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("style × 0.01", "03-style-x-0.01.png"), ("30% noise", "03-30-percent-noise.png"),
        ("../../Évil", "03-vil.png"), ("波", "03-painting.png"),
    ],
)  # fmt: skip
def test_files_have_plain_names(label: str, name: str) -> None:
    assert file_name(3, label) == name


def test_every_study_has_a_title_and_says_what_it_varies() -> None:
    assert all(kind.title and kind.axis for kind in KINDS.values())
