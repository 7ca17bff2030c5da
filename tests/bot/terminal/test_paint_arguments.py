"""Which weights will paint, and the recipe for them: what is refused before the start is what is wrong for those."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from torchvision_files import ours, saved

from bot.terminal.paint_arguments import Draft, PaintArguments, weights_asked
from bot.terminal.worker_process import WorkerError
from engine.contract import workers
from engine.contract.models import Asked
from engine.contract.recipe_code import RecipeCode
from engine.contract.settings import WEIGHTS_CACHED, Settings, SettingsError, read_settings
from engine.recipe.draft import draft_recipe, finishing
from engine.recipe.presets import AUTO_COUNT, preset
from engine.recipe.recipe import Recipe, RecipeError
from engine.recipe.snapshot_spacing import evenly

FIVE: dict[str, Any] = {"style_layer_weights": (1.0, 1.0, 1.0, 1.0, 1.0)}
FOUR: dict[str, Any] = {"style_layer_weights": (1.0, 1.0, 1.0, 1.0)}
LBFGS: dict[str, Any] = {"optimiser": "lbfgs"}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for name in ("REDIS_URL", "IMPASTO_WEIGHTS", "IMPASTO_DEVICE"):
        monkeypatch.delenv(name, raising=False)


def asked_for(weights: str, recipe: str = "fine", **fields: Any) -> PaintArguments:
    return PaintArguments(Path("content.png"), [Path("style.png")], recipe, fields, weights)


def settings(redis_url: str | None = None) -> Settings:
    return read_settings(redis_url=redis_url)


@pytest.mark.parametrize(
    ("weights", "fields", "fine"),
    [
        ("imagenet", FIVE, True),
        ("/a/file.pth", FIVE, True),
        ("starter", FIVE, True),
        ("random", FIVE, False),
        ("starter", FOUR, False),
        ("imagenet", FOUR, False),
        ("/a/file.pth", LBFGS, True),
        ("imagenet", LBFGS, True),
        ("starter", LBFGS, True),
        ("random", LBFGS, False),
        # What `auto` is, nobody knows yet.
        ("auto", FIVE, True),
        ("auto", FOUR, False),
        ("auto", {"style_layer_weights": (1.0,)}, False),
    ],
)
def test_what_is_checked_is_the_recipe_of_the_weights_that_paint(
    weights: str, fields: dict[str, Any], *, fine: bool
) -> None:
    asked = asked_for(weights, **fields)
    if fine:
        asked.check(settings())
    else:
        with pytest.raises(RecipeError):
            asked.check(settings())


def test_auto_is_imagenet_where_that_is_in_the_cache() -> None:
    cache = settings().impasto_cache
    cache.mkdir(parents=True)
    (cache / WEIGHTS_CACHED).touch()
    asked_for("auto", **FIVE).check(settings())
    with pytest.raises(RecipeError, match="Each style layer needs one weight"):
        asked_for("auto", **FOUR).check(settings())


async def test_a_cache_that_leads_nowhere_holds_no_weights() -> None:
    cache = settings().impasto_cache
    cache.mkdir(parents=True)
    (cache / WEIGHTS_CACHED).symlink_to("gone")
    assert await asked_for("auto").expected(settings()) == preset("fine", weights="starter")


@pytest.mark.long
async def test_a_dry_run_is_of_the_weights_that_would_paint(tmp_path: Path, empty_redis_url: str) -> None:
    assert await asked_for("auto").expected(settings()) == preset("fine", weights="starter")
    assert await asked_for("random").expected(settings()) == preset("fine", weights="random")
    with Redis.from_url(empty_redis_url) as redis:
        painter = workers.Worker(id="w1", device="cpu", weights="imagenet", network="64,64")
        redis.set("impasto:worker:w1", painter.model_dump_json(), ex=60)
        shallow: dict[str, Any] = {
            "content_layers": ("relu1_2",),
            "style_layers": ("relu1_1",),
            "style_layer_weights": (1.0,),
        }
        for weights in ("auto", "imagenet"):
            expected = await asked_for(weights, **shallow).expected(settings(empty_redis_url))
            assert expected == preset("fine", weights="imagenet", network="64,64", **shallow)
        with pytest.raises(RecipeError, match=r"^These weights have no layer relu4_2, .*; they have conv1_1, conv1_2"):
            await asked_for("auto").expected(settings(empty_redis_url))
        path = saved(ours(1), tmp_path / "it's mine.pth")
        with pytest.raises(WorkerError, match=r"^No worker at REDIS_URL has the weights .*mine\.pth: ") as said:
            await asked_for(str(path)).expected(settings(empty_redis_url))
        assert shlex.split(str(said.value).split("`")[1]) == ["impasto", "worker", "--weights", str(path)]


@pytest.mark.long
async def test_a_files_layers_are_known_before_anything_starts(tmp_path: Path) -> None:
    path = saved(ours(2, 2, 3, 3, 3), tmp_path / "vgg16.pth")
    expected = await asked_for(str(path), "classic").expected(settings())
    assert isinstance(expected, Recipe)
    assert expected.weights.startswith("sha256:")
    with pytest.raises(RecipeError, match=r"^These weights have no layer relu3_4; they have conv1_1, .*, conv5_3\.$"):
        await asked_for(str(path), content_layers=("relu3_4",)).expected(settings())
    with pytest.raises(SettingsError, match=r"^The weights file .*none.pth cannot be read"):
        await asked_for("none.pth").expected(settings())


def test_the_weights_asked_for_are_the_options_then_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert weights_asked(None, settings()) == "auto"
    assert weights_asked("vgg.pth", settings()) == str(tmp_path / "vgg.pth")
    monkeypatch.setenv("IMPASTO_WEIGHTS", "starter")
    assert weights_asked(None, settings()) == "starter"
    assert weights_asked("random", settings()) == "random"
    # There it is the workers' setting.
    assert weights_asked(None, settings("redis://localhost")) == "auto"


def test_a_draft_is_the_starters_and_keeps_what_was_asked_for() -> None:
    whole = asked_for("/a/file.pth", "classic", size=1024, style_weights=(1.0,))
    draft = whole.as_draft(settings())
    assert draft.weights == "starter"
    assert draft.recipe_for("starter") == draft_recipe("classic", size=1024, style_weights=(1.0,))
    assert draft.draft_of == Asked(
        recipe="classic", fields={"size": 1024, "style_weights": (1.0,)}, weights="/a/file.pth", weights_input="auto"
    )
    with pytest.raises(RecipeError, match="A draft is of one picture: give --still"):
        draft.recipe_for("starter", frames=2)
    finish = dataclasses.replace(whole, draft=Draft(Path("final.png"), 256))
    assert finish.recipe_for("imagenet") == finishing(whole.recipe_for("imagenet"), 256)
    assert finish.files == (Path("style.png"), Path("final.png"))


@pytest.mark.parametrize(
    ("snapshots", "shown"),
    [((), ()), ((5, 30), (5, 30)), (("every:25",), (25, 50, 75, 100, 125))],
)
def test_a_film_keeps_each_frame_and_what_was_asked_for_to_its_end(
    snapshots: tuple[int | str, ...], shown: tuple[int, ...]
) -> None:
    given = {"snapshots": snapshots} if snapshots else {}
    film = asked_for("imagenet", "classic", iterations=50, **given).recipe_for("imagenet", frames=3)
    assert film.frame_ends == (50, 90, 130)
    assert film.snapshots == tuple(sorted({*film.frame_ends, *shown}))


def test_snapshots_where_a_film_changes_are_told_of_all_of_it() -> None:
    film = asked_for("imagenet", "classic", iterations=50, snapshots=("auto",)).recipe_for("imagenet", frames=3)
    assert set(film.snapshots) == {*evenly(film, AUTO_COUNT), *film.frame_ends}
    assert any(50 < i < 130 for i in set(film.snapshots) - set(film.frame_ends))


def test_a_recipe_code_is_for_one_architecture_of_its_weights() -> None:
    """As that of `starter` was another until 0.2.0, and a worker's `imagenet` may be its own."""
    recipe = preset("fine", weights="imagenet")
    by_code = dataclasses.replace(asked_for("imagenet"), code=RecipeCode(recipe, ()))
    assert by_code.recipe_for("imagenet") == by_code.recipe_for("imagenet", network="vgg19") == recipe
    older = preset("fine", weights="starter", network="24,24|64|128|320,320|384", style_layers=("relu1_1",),
                   style_layer_weights=(1.0,), content_layers=("relu3_1",))  # fmt: skip
    of_starter = dataclasses.replace(asked_for("starter"), code=RecipeCode(older, ()))
    for arguments, weights, network in ((by_code, "imagenet", "vgg16"), (of_starter, "starter", None)):
        with pytest.raises(RecipeError, match=rf"^This recipe code is for other weights {weights} than are here"):
            arguments.recipe_for(weights, network=network)
