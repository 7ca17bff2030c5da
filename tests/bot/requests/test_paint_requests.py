"""What the recipe of a new painting is made of, and what each button makes of a painting."""

from __future__ import annotations

import dataclasses
from typing import Any, cast

import pytest
from arq.connections import ArqRedis
from paint_requests_kit import CONTENT, CONTENT_GIVEN, SECOND, SNAPSHOT, STYLE, WEIGHTS, a_job

from bot.cards.buttons import Action
from bot.errors import UserError
from bot.interactions.modals import SnapshotForm
from bot.interactions.style_saving import settings_of
from bot.requests import follow_ups
from bot.requests.follow_ups import MAX_STRENGTH, FollowUp
from bot.requests.from_recipe_code import FromCode
from bot.requests.new_painting import new_recipe
from bot.requests.new_study import NewStudy
from bot.requests.paint_request import AskedStudy, Network, PaintRequest
from bot.requests.study_parts import recipe_maker, recipes
from engine.contract.jobs import Jobs
from engine.contract.models import Job
from engine.contract.recipe_code import RecipeCode
from engine.contract.study import Part as StudyPart
from engine.contract.study import Study
from engine.recipe.presets import PRESETS, TALK_SNAPSHOTS, preset, preset_name, strength_of
from engine.recipe.recipe import MAX_ITERATIONS, OLDEST, VERSION, RecipeError


def same_but(child: PaintRequest, job: Job, *fields: str) -> bool:
    """Whether the recipes differ in these fields, and in no other."""
    ours, theirs = child.recipe.as_dict(), job.recipe.as_dict()
    return {name for name in ours if ours[name] != theirs[name]} == set(fields)


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("name", PRESETS)
def test_what_is_not_chosen_is_the_presets_but_for_seed_and_snapshots(name: str, weights: str) -> None:
    recipe = new_recipe(name, Network(weights), {"iterations": None, "strength": None, "start": None})
    usual = preset(name, weights=weights)
    assert dataclasses.replace(recipe, seed=usual.seed, snapshots=usual.snapshots) == usual
    assert set(recipe.snapshots) == {*usual.snapshots, *TALK_SNAPSHOTS}
    assert new_recipe(name, Network(weights), {}).seed != new_recipe(name, Network(weights), {}).seed


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("iterations", [1, 2, 3, 4, 5, 7, MAX_ITERATIONS])
def test_any_number_of_iterations_that_discord_lets_through_can_be_painted(
    name: str, weights: str, iterations: int
) -> None:
    recipe = new_recipe(name, Network(weights), {"iterations": iterations})
    assert recipe.iterations == iterations
    assert recipe.scales == min(preset(name, weights=weights).scales, iterations)
    assert all(count >= 1 for _, count in recipe.plan())


@pytest.mark.parametrize("name", PRESETS)
def test_of_the_start_that_was_chosen_something_is_left(name: str) -> None:
    assert new_recipe(name, Network("random"), {"start": "noise"}).noise == 1
    for start in ("content", "style"):
        recipe = new_recipe(name, Network("random"), {"start": start})
        assert recipe.start == start
        assert recipe.noise < 1
    assert new_recipe("gatys", Network("random"), {}).noise == 1


def test_what_cannot_be_painted_is_one_sentence() -> None:
    for fields in ({"iterations": 0}, {"size": 1}, {"style_weights": (0.0,)}, {"seed": -1}):
        with pytest.raises(RecipeError, match=r"^[A-Z].*\.$"):
            new_recipe("fine", Network("random"), fields)
    with pytest.raises(RecipeError, match="no recipe called oils"):
        new_recipe("oils", Network("random"), {})


def test_again_has_another_seed_and_nothing_else() -> None:
    job = a_job(start=SNAPSHOT, checkpoint="jobs/1/checkpoint", reached=7)
    child = follow_ups.again(job)
    assert same_but(child, job, "seed")
    assert (child.content, child.styles, child.parent, child.start) == (CONTENT, (STYLE, SECOND), "1", SNAPSHOT)
    assert (child.checkpoint, child.reached, child.mention) == (None, 0, False)


@pytest.mark.parametrize("start", ["content", "style", "picture"])
def test_again_is_another_picture_also_where_the_start_has_no_noise(start: str) -> None:
    job = a_job(preset("fine", start=start), start=SNAPSHOT)
    child = follow_ups.again(job)
    assert job.recipe.noise == 0 < child.recipe.noise < 0.5
    assert same_but(child, job, "seed", "noise")
    once_more = a_job(child.recipe, start=SNAPSHOT)
    assert same_but(follow_ups.again(once_more), once_more, "seed")


@pytest.mark.parametrize("start", ["patches", "statistics"])
def test_again_adds_no_noise_to_a_start_that_hangs_on_the_seed(start: str) -> None:
    job = a_job(preset("fine", start=start))
    assert same_but(follow_ups.again(job), job, "seed")


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("press", [Action.AGAIN, Action.SWAP, Action.STRONGER, Action.WEAKER])
async def test_what_no_worker_can_paint_any_more_is_asked_for_by_its_name(
    name: str, press: Action, redis: ArqRedis
) -> None:
    old = dataclasses.replace(new_recipe(name, Network("random"), {"size": 96, "iterations": 70}), version=OLDEST - 1)
    job = a_job(dataclasses.replace(old, alpha=3.0, beta=7.0))
    found = await FollowUp(press, job).resolve(Network("random"), Jobs(redis))
    usual = preset(name, weights="random")
    assert (found.recipe.version, found.recipe.name) == (VERSION, name)
    assert (found.recipe.size, found.recipe.iterations, found.recipe.snapshots) == (96, 70, old.snapshots)
    factor = {Action.STRONGER: 2.0, Action.WEAKER: 0.5}.get(press, 1.0)
    assert (found.recipe.alpha, found.recipe.beta) == (usual.alpha, factor * usual.beta)


def test_what_can_still_be_painted_stays_as_it_is() -> None:
    job = a_job(dataclasses.replace(new_recipe("fine", Network("random"), {}), version=OLDEST))
    assert follow_ups.renewed(job) is job


def test_as_it_was_begins_where_the_parent_was_to_begin() -> None:
    job = a_job(checkpoint="jobs/1/checkpoint", reached=7)
    child = follow_ups.as_it_was(job)
    assert child.recipe == job.recipe
    assert (child.checkpoint, child.reached) == ("jobs/1/checkpoint", 7)


def test_swapped_twice_is_as_it_was() -> None:
    job = a_job()
    child = follow_ups.swapped(job)
    assert child.recipe == job.recipe
    assert (child.content, child.styles) == (STYLE, (CONTENT, SECOND))
    swapped = job.model_copy(update={"content": child.content, "styles": child.styles})
    assert (follow_ups.swapped(swapped).content, follow_ups.swapped(swapped).styles) == (CONTENT, (STYLE, SECOND))


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("factor", [2.0, 0.5])
def test_stronger_and_weaker_end_where_nothing_would_be_left(name: str, weights: str, factor: float) -> None:
    job = a_job(new_recipe(name, Network(weights), {}))
    usual, steps = job.recipe.beta, 0
    with pytest.raises(RecipeError, match="cannot go further"):
        while True:
            child = follow_ups.stronger(job, factor)
            assert same_but(child, job, "beta")
            job, steps = a_job(child.recipe), steps + 1
            assert job.recipe.beta == pytest.approx(usual * factor**steps)
    assert 2**steps <= MAX_STRENGTH < 2 ** (steps + 1)
    assert follow_ups.stronger(job, 1 / factor).recipe.beta == pytest.approx(usual * factor ** (steps - 1))


def test_what_was_stopped_goes_on_to_its_planned_end() -> None:
    job = a_job()
    child = follow_ups.continued(job, "jobs/1/checkpoint", job.recipe.iterations - 1)
    assert child.recipe == job.recipe
    assert (child.checkpoint, child.reached) == ("jobs/1/checkpoint", job.recipe.iterations - 1)


def test_what_is_done_goes_on_for_as_long_again_however_often() -> None:
    job, plan = a_job(start=SNAPSHOT), a_job().recipe.planned
    for times in (2, 4, 8):
        child = follow_ups.continued(job, "jobs/1/checkpoint", job.recipe.iterations)
        assert same_but(child, job, "iterations", "extra")
        assert (child.recipe.iterations, child.recipe.planned) == (times * plan, plan)
        assert child.start == SNAPSHOT
        job = a_job(child.recipe, start=SNAPSHOT)


def test_it_goes_on_up_to_the_most_iterations_that_there_may_be() -> None:
    job = a_job(new_recipe("classic", Network("random"), {"iterations": 60_000}))
    child = follow_ups.continued(job, "jobs/1/checkpoint", 60_000)
    assert (child.recipe.iterations, child.recipe.extra) == (MAX_ITERATIONS, MAX_ITERATIONS - 60_000)
    with pytest.raises(RecipeError, match="press Again, or go on from a snapshot"):
        follow_ups.continued(a_job(child.recipe), "jobs/1/checkpoint", MAX_ITERATIONS)


@pytest.mark.parametrize("name", ["fine", "classic", "gatys"])
def test_a_few_presses_of_continue_lead_to_the_most_iterations(name: str) -> None:
    job = a_job(new_recipe(name, Network("random"), {}))
    for _ in range(10):
        if job.recipe.iterations == MAX_ITERATIONS:
            break
        job = a_job(follow_ups.continued(job, "jobs/1/checkpoint", job.recipe.iterations).recipe)
    assert job.recipe.iterations == MAX_ITERATIONS


def test_it_goes_on_up_to_the_most_that_is_allowed_where_it_is_asked_for() -> None:
    job = a_job(new_recipe("classic", Network("random"), {"iterations": 600}))
    child = follow_ups.continued(job, "jobs/1/checkpoint", 600)
    assert follow_ups.shortened(child, 1200) == child
    less = follow_ups.shortened(child, 1000)
    assert (less.recipe.iterations, less.recipe.extra, less.recipe.planned) == (1000, 400, 600)
    assert follow_ups.shortened(child, 600) == child  # which is refused in words
    assert follow_ups.shortened(follow_ups.again(job), 500).recipe.iterations == 600


def test_larger_is_twice_the_size_from_the_last_stroke() -> None:
    job = a_job(new_recipe("fine", Network("random"), {"size": 256}))
    child = follow_ups.larger(job, "jobs/1/checkpoint", job.recipe.iterations)
    assert same_but(child, job, "size", "scales", "iterations")
    assert (child.recipe.size, child.checkpoint, child.reached) == (512, "jobs/1/checkpoint", job.recipe.iterations)
    assert child.recipe.plan()[: job.recipe.scales] == job.recipe.plan()


def test_from_a_picture_it_goes_on_at_full_size_with_what_was_chosen() -> None:
    recipe = new_recipe("fine", Network("random"), {"style_weights": (0.7, 0.3), "colours": "content", "size": 64})
    child = follow_ups.from_picture(a_job(recipe), SNAPSHOT, "gatys", {"iterations": 2, "strength": 0.5})
    chosen = child.recipe
    assert (child.start, chosen.start, chosen.noise, chosen.scales) == (SNAPSHOT, "picture", 0.0, 1)
    assert (chosen.name, chosen.iterations, chosen.beta) == ("gatys", 2, preset("gatys", weights="random").beta / 2)
    assert (chosen.style_weights, chosen.colours, chosen.size) == ((0.7, 0.3), "content", 64)
    assert (child.content, child.styles, child.parent) == (CONTENT, (STYLE, SECOND), "1")
    with pytest.raises(RecipeError):
        follow_ups.from_picture(a_job(recipe), SNAPSHOT, "gatys", {"iterations": MAX_ITERATIONS + 1})


BEGUN = ("start", "noise", "scales", "extra", "seed", "iterations", "snapshots")
"""What goes on from a picture has these of its own."""


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("vary", ["strength", "layers", "depth", "optimiser", "size"])
def test_from_a_studys_picture_it_goes_on_with_the_settings_of_that_painting(vary: str, weights: str) -> None:
    given = {"size": 256, "iterations": 60, "seed": 5}
    for _, tile in recipes(vary, given, recipe_maker("fine", weights, None), ["waves"]):
        child = follow_ups.from_picture(a_job(tile), SNAPSHOT, "fine", {"iterations": 7}).recipe
        assert {field: getattr(child, field) for field in BEGUN} == {
            "start": "picture", "noise": 0.0, "scales": 1, "extra": 0, "seed": child.seed, "iterations": 7,
            "snapshots": new_recipe("fine", Network(weights), {}).snapshots,
        }  # fmt: skip
        assert child.seed != tile.seed
        assert dataclasses.replace(child, **{field: getattr(tile, field) for field in BEGUN}) == tile


def test_from_a_picture_the_strength_is_the_paintings_own_unless_it_is_chosen() -> None:
    usual = preset("fine").beta
    job = a_job(follow_ups.stronger(a_job(preset("fine")), 2.0).recipe)
    assert strength_of(job.recipe) == 2.0
    assert follow_ups.from_picture(job, SNAPSHOT, "fine", {"iterations": 7}).recipe.beta == 2 * usual
    assert follow_ups.from_picture(job, SNAPSHOT, "fine", {"strength": 0.5}).recipe.beta == usual / 2
    assert follow_ups.from_picture(job, SNAPSHOT, "gatys", {}).recipe.beta == 2 * preset("gatys").beta


def test_from_a_picture_of_what_was_gone_on_with_there_are_as_many_iterations_as_asked_for() -> None:
    job = a_job(preset("fine", snapshots=(3, 5)).continued(40))
    child = follow_ups.from_picture(job, SNAPSHOT, "fine", {"iterations": 2}).recipe
    assert (child.iterations, child.extra, child.scales, child.snapshots) == (2, 0, 1, (3, 5))
    film = a_job(preset("fine", iterations=20, step=0.5).sequence(3))
    child = follow_ups.from_picture(film, SNAPSHOT, "fine", {"iterations": 2}).recipe
    assert (child.frames, child.iterations, child.step) == (1, 2, 0.5)


def test_from_a_picture_of_what_no_worker_can_paint_it_goes_on_by_its_recipes_name() -> None:
    old = preset("fine", size=96, colours="content", style_weights=(0.7, 0.3), beta=7.0)
    job = a_job(dataclasses.replace(old, version=OLDEST - 1))
    child = follow_ups.from_picture(job, SNAPSHOT, "fine", {"iterations": 2}).recipe
    assert (child.version, child.beta, child.iterations) == (VERSION, preset("fine").beta, 2)
    assert (child.size, child.colours, child.style_weights) == (96, "content", (0.7, 0.3))
    older = dataclasses.replace(old, version=OLDEST)
    assert follow_ups.from_picture(a_job(older), SNAPSHOT, "fine", {}).recipe.version == OLDEST


@pytest.mark.parametrize("version", [OLDEST - 1, VERSION])
def test_what_goes_by_a_name_of_its_own_goes_on_as_it_is_and_is_measured_by_the_usual_recipe(version: int) -> None:
    """As recipe codes made by hand have had it."""
    own = dataclasses.replace(preset("fine", beta=3 * preset("fine").beta), name="mine", version=version)
    job = a_job(own)
    assert strength_of(own) == 3.0
    child = follow_ups.from_picture(job, SNAPSHOT, preset_name(own), {"iterations": 7}).recipe
    assert (child.name, child.beta) == (("mine", own.beta) if version == VERSION else ("fine", preset("fine").beta))
    assert follow_ups.stronger(follow_ups.renewed(job), 2.0).recipe.beta == 2 * follow_ups.renewed(job).recipe.beta
    assert settings_of(job) == {"recipe": "fine", "strength": 3.0}


@pytest.mark.parametrize(("factor", "back"), [(100.0, 0.5), (0.01, 2.0)])
def test_what_a_study_took_too_far_can_come_back_by_presses(factor: float, back: float) -> None:
    job = a_job(preset("fine", strength=5.0 if back < 1 else 0.2, beta=preset("fine").beta * factor))
    assert same_but(follow_ups.stronger(job, back), job, "beta")
    with pytest.raises(RecipeError, match="cannot go further"):
        follow_ups.stronger(job, 1 / back)


async def test_a_code_has_no_more_snapshots_than_may_be_asked_for_also_past_its_end(redis: ArqRedis) -> None:
    """Continue would come to them."""
    recipe = preset("fine", iterations=20, snapshots=tuple(range(1, 100)))
    asked = FromCode(RecipeCode(recipe, ()), CONTENT_GIVEN, (CONTENT_GIVEN,))
    with pytest.raises(UserError, match="asks for more than 50 snapshots"):
        await asked.resolve(Network("imagenet"), Jobs(redis))
    usual = dataclasses.replace(recipe, snapshots=preset("fine").snapshots)
    asked = FromCode(RecipeCode(usual, ()), CONTENT_GIVEN, (CONTENT_GIVEN,))
    assert (await asked.resolve(Network("imagenet"), Jobs(redis))).recipe == usual


def a_study(vary: str, name: str = "fine", **given: Any) -> Job:
    make = recipe_maker(name, "imagenet", None)
    parts = tuple(
        StudyPart(label=variant.label, recipe=recipe, content=CONTENT, styles=(STYLE,))
        for variant, recipe in recipes(vary, given, make, ["waves"])
    )
    return a_job(make(given), study=Study(vary=vary, fields=given, parts=parts))


@pytest.mark.parametrize(("vary", "noise"), [("flicker", 0.6), ("start", None), ("strength", 0.2), ("swap", 0.2)])
def test_again_a_study_keeps_the_noise_that_it_sets(vary: str, noise: float | None) -> None:
    job = a_study(vary, size=64, seed=5)
    child = follow_ups.again(job)
    assert isinstance(child.study, AskedStudy)
    again = recipes(vary, child.study.fields, recipe_maker("fine", "imagenet", None), ["waves"])
    there = [part.recipe.noise for part in job.parts] if noise is None else [noise] * len(again)
    assert [recipe.noise for _, recipe in again] == there
    assert child.study.fields["seed"] == child.recipe.seed != 5


async def test_a_study_has_no_more_moments_than_may_be_asked_for_also_past_its_end(redis: ArqRedis) -> None:
    """From here would come to them."""
    moments = ",".join(map(str, range(21, 40)))
    asked = NewStudy("iterations", "fine", {"iterations": 20}, CONTENT_GIVEN, (CONTENT_GIVEN,), snapshots=moments)
    with pytest.raises(UserError, match="These are 20 pictures, and 16 are the most"):
        await asked.resolve(Network("imagenet"), Jobs(redis))


async def test_the_form_of_from_here_takes_any_recipe_as_it_stands() -> None:
    own = dataclasses.replace(preset("fine"), name="mine", beta=1.23e300)
    form = SnapshotForm(cast(Any, None), cast(Any, None), a_job(own), cast(Any, None), SNAPSHOT.key)
    parts = {part["custom_id"]: part for row in form.to_dict()["components"] if (part := row["component"])}
    assert [one["value"] for one in parts["recipe"]["options"] if one.get("default")] == ["fine"]
    for text in (parts["iterations"], parts["strength"]):
        assert 0 < len(text["value"]) <= text["max_length"]
