"""A study as a job: what it costs, which part a picture belongs to, what it shows."""

from __future__ import annotations

import pytest
from support.jobs import light, study

from engine.contract.models import Job, StoredPicture
from engine.recipe.cost import remaining_flops
from engine.recipe.recipe import Recipe

CONTENT = StoredPicture(key="a", name="a.png", width=40, height=30)
STYLE = StoredPicture(key="b", name="b.png", width=30, height=30)
RECIPES = [light(10), light(20, size=64), light(5)]


def job(*recipes: Recipe, vary: str = "size") -> Job:
    study_ = study(vary, recipes, CONTENT, (STYLE,)) if recipes else None
    recipe = recipes[0] if recipes else light(10)
    return Job(id="1", guild="g", user="u", recipe=recipe, content=CONTENT, styles=(STYLE,), study=study_)


def test_it_has_the_iterations_of_all_its_parts_and_costs_what_they_cost() -> None:
    study_ = job(*RECIPES)
    assert study_.iterations == 35
    whole = [remaining_flops(recipe, 0.75) for recipe in RECIPES]
    assert study_.remaining_flops(0) == pytest.approx(sum(whole))
    assert study_.remaining_flops(10) == pytest.approx(sum(whole[1:]))
    assert study_.remaining_flops(17) == pytest.approx(remaining_flops(RECIPES[1], 0.75, 7) + whole[2])
    assert study_.remaining_flops(35) == 0
    begun = study_.model_copy(update={"reached": 30})
    assert begun.remaining_flops(0) == pytest.approx(whole[2])


def test_a_slice_costs_what_is_left_of_its_painting_and_a_whole_one_at_most() -> None:
    study_, speed = job(*RECIPES), 1e9
    seconds = [remaining_flops(recipe, 0.75) / speed for recipe in RECIPES]
    most = 0.9 * max(seconds)
    assert [study_.slice_cost(i, speed, most) for i in (0, 10, 30, 35)] == pytest.approx(
        [seconds[0], most, seconds[2], 0.0]
    )
    assert study_.slice_cost(29, speed, most) == pytest.approx(remaining_flops(RECIPES[1], 0.75, 19) / speed)
    assert study_.slice_cost(0, None, most) == most  # nobody knows the speed
    begun = study_.model_copy(update={"reached": 30})
    assert begun.slice_cost(0, speed, most) == pytest.approx(seconds[2])
    assert job().slice_cost(4, speed, most) == pytest.approx(remaining_flops(light(10), 0.75, 4) / speed)


def test_a_picture_belongs_to_the_part_that_painted_it() -> None:
    study_ = job(*RECIPES)
    assert [study_.part_of(i).recipe for i in (1, 10, 11, 30, 31, 35, 99)] == [
        RECIPES[k] for k in (0, 0, 1, 1, 2, 2, 2)
    ]  # fmt: skip
    part = study_.part_of(11)
    assert (part.id, part.study, part.content) == ("1", None, CONTENT)


def test_it_shows_each_painting_once_or_one_painting_often() -> None:
    assert [(tile.iteration, tile.label, tile.file) for tile in job(*RECIPES).tiles] == [
        (10, "recipe 1", "01-recipe-1.png"), (30, "recipe 2", "02-recipe-2.png"), (35, "recipe 3", "03-recipe-3.png")
    ]  # fmt: skip
    strip = job(light(30, snapshots=(1, 10)), vary="iterations")
    assert [(tile.iteration, tile.label) for tile in strip.tiles] == [
        (1, "1 iteration"), (10, "10 iterations"), (30, "30 iterations")
    ]  # fmt: skip


def test_a_painting_is_its_own_only_part() -> None:
    alone = job()
    assert alone.parts == (alone,)
    assert alone.part_of(5) == alone
    assert alone.iterations == 10
    assert alone.tiles == ()
    assert alone.remaining_flops(4) == remaining_flops(light(10), 0.75, 4)


def test_it_is_the_same_after_a_way_through_redis() -> None:
    study_ = job(*RECIPES)
    assert Job.model_validate_json(study_.model_dump_json()) == study_
