"""What is saved or lies in Redis has the names that it always had: paintings that are under way outlive an upgrade."""

from __future__ import annotations

from support.jobs import light
from support.pictures import CONTENT, STYLE

from engine.contract import events, fair_queue, models
from engine.contract.models import Job
from engine.painting.painter import Painter
from engine.worker.checkpoints import Journal


def test_a_checkpoint_holds_the_names_it_always_had() -> None:
    painter = Painter(light(2), CONTENT, [STYLE])
    *_, state = painter.paint(painter.begin())
    assert list(state.numbers()) == [
        "iteration", "scale", "averaged", "optimiser_steps", "good_loss", "rows", "step_factor", "rollbacks",
        "best_loss", "best_at",
    ]  # fmt: skip
    assert set(state.tensors()) == {
        "pixels", "average", "good", "best", "losses", "optimiser.mean", "optimiser.square",
    }  # fmt: skip
    assert set(Journal().as_dict()) == {"frames", "snapshots", "slices", "part", "records", "troubles"}


def test_redis_has_the_keys_it_always_had() -> None:
    shared = (models.OPEN, models.USERS, models.HELD_USERS, models.HELD_GUILDS, models.SPENT, models.CONTROL)
    assert [key.removeprefix("impasto:") for key in shared] == [
        "open", "users", "held:users", "held:guilds", "spent", "control",
    ]  # fmt: skip
    of_one = (models.job_key("1"), models.seen_key("1"), models.flows_key("1"), models.index_key("1"))
    assert of_one == ("impasto:job:1", "impasto:seen:1", "impasto:flows:1", "impasto:jobs:1")
    queue = (fair_queue.CLOCK, fair_queue.FINISH, fair_queue.SPREAD, events.STREAM)
    assert queue == ("impasto:clock", "impasto:finish", "impasto:spread", "impasto:events")
    assert (fair_queue.SLICE, fair_queue.slice_id("1", 2, 3)) == ("paint_slice", "1:2:3")


def test_a_job_has_the_fields_it_always_had() -> None:
    assert {
        "id", "guild", "user", "recipe", "content", "styles", "created", "parent", "came_from", "checkpoint", "reached",
        "start", "content_masks", "style_masks",
    } <= set(Job.model_fields)  # fmt: skip
    assert {state.value for state in models.JobState} == {
        "queued", "painting", "done", "failed", "cancelled", "quarantined",
    }  # fmt: skip
