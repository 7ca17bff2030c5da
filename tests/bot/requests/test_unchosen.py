"""What nobody chose is filled in within the limits; what somebody chose stays."""

from __future__ import annotations

from typing import Any

import pytest
from arq.connections import ArqRedis
from pydantic import SecretStr

from bot.guild_settings import Allowance, Choices, Rules, rules_of
from bot.requests.new_painting import NewPainting, new_recipe
from bot.requests.new_study import NewStudy
from bot.requests.paint_request import AttachedPicture, Network
from bot.requests.unchosen import film_within, with_unchosen
from bot.settings import BotSettings
from engine.contract.jobs import Jobs
from engine.recipe.presets import ALIASES, PRESETS, preset
from engine.recipe.recipe import Recipe
from engine.recipe.studies import KINDS, STYLE

PICTURE = AttachedPicture("harbour.png", "https://example.org/harbour.png")
NETWORK = Network("imagenet")


def rules(**choices: Any) -> Rules:
    return rules_of(BotSettings(discord_token=SecretStr("the-token.of-no.bot")), Choices(**choices), Allowance())


async def painted(
    redis: ArqRedis, holding: Rules, name: str | None, *, draft: bool = False, animate: bool = False, **fields: Any
) -> Recipe:
    """The recipe that comes of it; of a draft, what it is to be finished as."""
    asked = NewPainting(name, fields, PICTURE, (PICTURE,), draft=draft, animate=animate)
    request = await with_unchosen(asked, holding, NETWORK).resolve(NETWORK, Jobs(redis))
    assert request.iterations_chosen == (fields.get("iterations") is not None)
    if request.draft_of is None:
        return request.recipe
    return new_recipe(request.draft_of.recipe, NETWORK, request.draft_of.fields)


@pytest.mark.parametrize("draft", [False, True])
@pytest.mark.parametrize("name", [None, *ALIASES, *PRESETS])
async def test_size_and_iterations_are_those_of_the_limits_where_the_recipes_are_more(
    redis: ArqRedis, name: str | None, draft: bool
) -> None:
    recipe = await painted(redis, rules(size=256, iterations=100), name, draft=draft, size=None, iterations=None)
    assert (recipe.size, recipe.iterations) == (256, 100)


@pytest.mark.parametrize("name", PRESETS)
async def test_a_recipe_within_the_limits_is_as_it_was(redis: ArqRedis, name: str) -> None:
    recipe = await painted(redis, rules(size=512, iterations=5000), name)
    assert (recipe.size, recipe.iterations) == (512, preset(name).iterations)


async def test_fewer_scales_of_a_smaller_painting_need_fewer_iterations(redis: ArqRedis) -> None:
    recipe = await painted(redis, rules(size=256, iterations=200), "fine")
    assert (recipe.scales, recipe.iterations) == (3, 135)


@pytest.mark.parametrize(
    ("limit", "frames", "iterations"),
    [(2000, 3, 305), (200, 3, 200), (200, 5, 200), (200, 6, 400), (225, 2, 225)],
)
async def test_a_film_begins_with_fewer_iterations_rather_than_to_have_too_many(
    redis: ArqRedis, limit: int, frames: int, iterations: int
) -> None:
    """As long as its first picture has one for each scale; else it is too long."""
    recipe = await painted(redis, rules(iterations=limit), "fine", animate=True)
    film = film_within(recipe, frames, limit)
    assert (film.frames, film.iterations, film.scales) == (frames, iterations, recipe.scales)


async def test_what_was_chosen_stays_to_be_refused(redis: ArqRedis) -> None:
    recipe = await painted(redis, rules(size=256, iterations=100), "classic", size=300, iterations=101)
    assert (recipe.size, recipe.iterations) == (300, 101)


@pytest.mark.parametrize("vary", KINDS)
async def test_a_studys_paintings_are_within_the_limits_together(redis: ArqRedis, vary: str) -> None:
    styles = (PICTURE,) * (3 if vary == STYLE else 1)
    asked = NewStudy(vary, "classic", {"size": None, "iterations": None}, PICTURE, styles)
    request = await with_unchosen(asked, rules(size=256, iterations=1000), NETWORK).resolve(NETWORK, Jobs(redis))
    study = request.study
    assert study is not None
    assert (request.recipe.name, request.recipe.size) == ("classic", 256)
    paintings = 1000 // request.recipe.iterations
    assert paintings == {"strength": 5, "start": 9, "layers": 9, "depth": 5, "optimiser": 6, "size": 5,
                         "iterations": 1, "white": 5, "swap": 2, "flicker": 6, STYLE: 3}[vary]  # fmt: skip
