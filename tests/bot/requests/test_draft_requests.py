"""What a draft is made of, and what Finish makes of it."""

from __future__ import annotations

import dataclasses

import pytest
from arq.connections import ArqRedis
from paint_requests_kit import CONTENT, CONTENT_GIVEN, SECOND, SNAPSHOT, STYLE, WEIGHTS, a_job

from bot.requests import follow_ups
from bot.requests.new_painting import NewPainting, new_draft, new_recipe
from bot.requests.paint_request import Network
from engine.contract.jobs import Jobs
from engine.contract.models import Asked, Job, StoredPicture
from engine.recipe.draft import draft_recipe, finishing
from engine.recipe.presets import PRESETS, preset
from engine.recipe.recipe import RecipeError


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("name", PRESETS)
def test_a_draft_is_finished_as_what_was_asked_for(name: str, weights: str) -> None:
    fields = {"size": 512, "strength": 2.0, "style_weights": (0.7, 0.3), "colours": "content", "seed": None}
    recipe, asked = new_draft(name, Network("imagenet"), fields)
    assert (recipe.weights, recipe.size, recipe.style_weights, recipe.colours) == (
        "starter",
        256,
        (0.7, 0.3),
        "content",
    )
    job = Job.model_validate_json(a_job(recipe, draft_of=asked).model_dump_json())
    assert job.draft_of == asked
    child = follow_ups.finished(job, SNAPSHOT.key, Network(weights))
    full = new_recipe(name, Network(weights), {**fields, "seed": recipe.seed})
    assert child.recipe == finishing(full, 256)
    assert (child.draft_of, child.parent, child.content, child.styles) == (None, "1", CONTENT, (STYLE, SECOND))
    assert isinstance(child.start, StoredPicture)
    assert (child.start.key, child.start.width, child.start.height) == (SNAPSHOT.key, 32, 24)


def test_of_what_could_not_be_finished_there_is_no_draft() -> None:
    with pytest.raises(RecipeError, match="The size must be between"):
        new_draft("fine", Network("imagenet"), {"size": 5000})
    with pytest.raises(RecipeError, match="It is no draft"):
        follow_ups.finished(a_job(), SNAPSHOT.key, Network("random"))


@pytest.mark.parametrize("given", ["every:3", ",".join(map(str, range(151, 220)))])
async def test_a_draft_has_no_more_snapshots_in_full_than_may_be_asked_for(redis: ArqRedis, given: str) -> None:
    asked = NewPainting(
        "classic", {"iterations": 5000}, CONTENT_GIVEN, (CONTENT_GIVEN,), draft=True, snapshots=given
    )  # fmt: skip
    with pytest.raises(RecipeError, match="and 50 are the most"):
        await asked.resolve(Network("imagenet"), Jobs(redis))
    few = dataclasses.replace(asked, snapshots="every:100")
    draft = await few.resolve(Network("imagenet"), Jobs(redis))
    assert draft.recipe.shown == (100, 150)
    job = a_job(draft.recipe, draft_of=draft.draft_of)
    assert len(follow_ups.finished(job, SNAPSHOT.key, Network("imagenet")).recipe.shown) == 50


def test_a_draft_from_before_its_snapshots_were_counted_in_full_is_not_finished_with_too_many() -> None:
    asked = Asked(recipe="classic", fields={"snapshots": ("every:3",), "iterations": 5000, "size": 512})
    job = a_job(draft_recipe("classic", snapshots=("every:3",)), draft_of=asked)
    with pytest.raises(RecipeError, match="These are 1,667 snapshots, and 50 are the most: ask for fewer"):
        follow_ups.finished(job, SNAPSHOT.key, Network("imagenet"))


def test_the_children_of_a_draft_are_drafts_and_finished_like_themselves() -> None:
    recipe, asked = new_draft("fine", Network("imagenet"), {"seed": 42})
    job = a_job(recipe, draft_of=asked)
    again = follow_ups.again(job)
    assert again.draft_of is not None
    assert again.draft_of.fields == asked.fields | {"seed": again.recipe.seed}
    twice = follow_ups.stronger(
        a_job(follow_ups.stronger(job, 2.0).recipe, draft_of=follow_ups.stronger(job, 2.0).draft_of), 2.0
    )
    assert twice.draft_of is not None
    assert twice.draft_of.fields == asked.fields | {"strength": 4.0}
    finished = follow_ups.finished(a_job(twice.recipe, draft_of=twice.draft_of), SNAPSHOT.key, Network("imagenet"))
    assert finished.recipe.beta == 4 * preset("fine").beta
    assert follow_ups.swapped(job).draft_of == follow_ups.continued(job, "a checkpoint", 1).draft_of == asked
    assert follow_ups.larger(job, "a checkpoint", recipe.iterations).draft_of is None
    assert follow_ups.from_picture(job, SNAPSHOT, "fine", {}).draft_of is None
