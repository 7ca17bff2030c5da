"""Recipe codes: what is written is read again, exactly, and whatever else is pasted is one sentence."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.jobs import a_job

from engine.contract import recipe_code
from engine.contract.models import Asked, Job, StoredPicture
from engine.contract.recipe_code import code_of, read_code
from engine.recipe.presets import PRESETS, preset
from engine.recipe.recipe import VERSION, Recipe, RecipeError

STYLES = ("0123456789ab",)
USUAL = "impasto:1:G81sQyCzGRoZmyDab6NZbhBkOQNInADdm5hEQfYDAA:e05876"
"""`fine` at 512 px with the seed 123456, as it was written first: it must be read for ever."""


def a_code(recipe: Recipe) -> str:
    return code_of(a_job().model_copy(update={"recipe": recipe}), STYLES)


def forged(**fields: Any) -> str:
    """A code that somebody made by hand, whose check is right."""
    whole = preset("fine").as_dict() | {"styles": STYLES} | fields
    packing = zlib.compressobj(9, wbits=-15, zdict=recipe_code._USUAL)
    packed = packing.compress(json.dumps(whole).encode()) + packing.flush()
    return sealed(base64.urlsafe_b64encode(packed).decode().rstrip("="))


def sealed(text: str) -> str:
    return f"impasto:1:{text}:{hashlib.sha256(text.encode()).hexdigest()[:6]}"


@given(
    st.sampled_from(list(PRESETS)), st.sampled_from(["imagenet", "starter", "random", "sha256:0123456789abcdef"]),
    st.integers(64, 1024), st.integers(0, 2**53), st.floats(0.01, 100), st.integers(1, 9000),
)  # fmt: skip
def test_the_same_recipe_comes_back(  # noqa: PLR0917
    name: str, weights: str, size: int, seed: int, strength: float, iterations: int
) -> None:
    recipe = preset(name, weights=weights, size=size, seed=seed, strength=strength, iterations=iterations)
    code = a_code(recipe)
    assert len(code) < 400
    read = read_code(f"``` {code[:20]}\n{code[20:]} ```")  # as it may come out of a message
    assert read.styles == STYLES
    assert read.recipe == dataclasses.replace(recipe, snapshots=recipe.shown[:-1])


def test_a_usual_code_is_short_and_is_read_for_ever() -> None:
    read = read_code(USUAL)
    assert (read.recipe.name, read.recipe.size, read.recipe.seed, read.recipe.beta) == ("fine", 512, 123456, 400.0)
    assert len(a_code(preset("fine", seed=123456))) < 90


DAMAGED = "This recipe code is damaged: copy all of it, from impasto: to its last letter."
NEWER = "This recipe code is of a newer Impasto than this one: it can be used there alone."
NONE = "That is no recipe code: one begins with impasto:1: and is given by the button Recipe code."


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", NONE),
        ("impasto", NONE),
        ("https://example.org", NONE),
        (USUAL[:-1], DAMAGED),
        (USUAL.replace("G81", "G91"), DAMAGED),
        (USUAL.replace("Q", "q", 1), DAMAGED),
        (USUAL.replace(":1:", ":2:"), NEWER),
        ("impasto:1:" + "A" * 5000 + ":000000", DAMAGED),
        (sealed(""), DAMAGED),
        (sealed("AAAA"), DAMAGED),
        (sealed(base64.urlsafe_b64encode(zlib.compress(b"0" * 10**7)[2:]).decode().rstrip("=")), DAMAGED),
        (forged(version=VERSION + 1), NEWER),
        (forged(size="512"), DAMAGED),
        (forged(iterations=10.5), DAMAGED),
        (forged(seed=True), DAMAGED),
        (forged(styles="x"), DAMAGED),
        (forged(styles=[1]), DAMAGED),
        (forged(frames=200, iterations=9000), DAMAGED),
        (forged(start="picture"), DAMAGED),
        (forged(name="mine"), "This recipe code names a recipe that is not known here: use it where it was made."),
        (forged(style_layers=["relu1_1"] * 200, style_layer_weights=[1.0] * 200), DAMAGED),
        (forged(size=100_000), "The size must be between 32 and 4096 px."),
        (forged(beta=float("inf")), "Weights of losses and layers must be finite and not negative."),
        (forged(network="1" * 300), None),
    ],
)
def test_whatever_else_is_pasted_is_one_sentence(text: str, sentence: str | None) -> None:
    with pytest.raises(RecipeError) as refused:
        read_code(text)
    assert sentence is None or str(refused.value) == sentence
    assert "\n" not in str(refused.value)


@given(st.text(max_size=200) | st.text("impasto:1-_AZaz09", max_size=200).map(lambda text: f"impasto:1:{text}"))
def test_no_text_breaks_it(text: str) -> None:
    with pytest.raises(RecipeError):
        read_code(text)


@given(st.binary(max_size=300))
def test_no_bytes_break_it(packed: bytes) -> None:
    with pytest.raises(RecipeError):
        read_code(sealed(base64.urlsafe_b64encode(packed).decode().rstrip("=")))


def test_what_no_code_holds_has_none() -> None:
    job = a_job()
    mask = StoredPicture(key="jobs/1/mask.png", name="mask", width=8, height=8)
    begun = job.recipe.as_dict() | {"start": "picture"}
    others: list[tuple[Job, str]] = [
        (job.model_copy(update={"content_masks": (mask,)}), "has masks"),
        (job.model_copy(update={"recipe": Recipe.from_dict(begun)}), "began with a picture"),
        (job.model_copy(update={"recipe": job.recipe.sequence(3)}), "A film"),
        (job.model_copy(update={"draft_of": Asked(recipe="fine", fields={})}), "A draft"),
    ]
    for one, words in others:
        with pytest.raises(RecipeError, match=words):
            code_of(one, STYLES)


def test_of_more_snapshots_than_a_code_holds_it_has_none() -> None:
    recipe = preset("fine", iterations=20_000, snapshots=("every:25",), seed=4)
    assert len(recipe.shown) == 800
    assert read_code(a_code(recipe)).recipe == dataclasses.replace(recipe, snapshots=())


@pytest.mark.parametrize(("layers", "styles", "held"), [(16, 1, True), (17, 1, False), (5, 1000, False)])
def test_what_could_not_be_read_again_has_none(layers: int, styles: int, *, held: bool) -> None:
    recipe = dataclasses.replace(
        preset("fine"), style_layers=("relu1_1",) * layers, style_layer_weights=(0.5,) * layers,
        style_weights=tuple(1 + number / 7 for number in range(styles)),
    )  # fmt: skip
    if held:
        assert read_code(a_code(recipe)).recipe.style_layers == recipe.style_layers
    else:
        with pytest.raises(RecipeError, match="No recipe code holds as many layers and styles as this recipe has"):
            a_code(recipe)
