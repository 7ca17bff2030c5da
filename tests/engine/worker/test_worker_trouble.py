"""What a worker says when it cannot paint, or not without trouble."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Desk, House, light

from engine.contract.connection import connect
from engine.contract.embedded import embedded_redis
from engine.contract.events import Failed, Notice
from engine.contract.jobs import DEATHS, State
from engine.contract.store import Store


async def test_a_job_that_killed_three_workers_is_set_aside_by_the_fourth(busy_desk: Desk) -> None:
    job = await busy_desk.order(light(50), queued=False)
    for epoch in range(DEATHS):
        assert await busy_desk.jobs.start(job.id, 0, epoch, "a worker that died") is not None
    await busy_desk.turns.enqueue(job, 0, DEATHS, 1.0)
    (last,) = await busy_desk.story(job)
    assert isinstance(last, Failed)
    assert last.reason == "The painting was set aside: 3 workers ended while on it."
    assert await busy_desk.jobs.state(job.id) is State.QUARANTINED


async def test_a_recipe_that_this_worker_cannot_paint_fails_with_the_remedy(busy_desk: Desk) -> None:
    for recipe, sentence in (
        (light(50, weights="imagenet"), "start a worker with those weights"),
        (light(50, style_weights=(1.0, 1.0)), "The recipe weighs 2 styles, but 1 were given."),
    ):
        job = await busy_desk.order(recipe)
        (last,) = await busy_desk.story(job)
        assert isinstance(last, Failed)
        assert sentence in last.reason
        assert await busy_desk.jobs.state(job.id) is State.FAILED


async def test_a_step_back_is_told_at_once_and_recorded_with_the_step_that_followed(busy_desk: Desk) -> None:
    job = await busy_desk.order(light(60, optimiser="lbfgs", step=8.0, clamp=False, scales=1))
    run, story = await busy_desk.run(job), await busy_desk.story(job)
    steps = [back["step"] for back in run["rollbacks"]]
    assert steps
    assert steps == [4.0, 2.0, 1.0][: len(steps)]
    told = [(event.iteration, event.text) for event in story if isinstance(event, Notice)]
    assert [iteration for iteration, _ in told] == [back["iteration"] for back in run["rollbacks"]]
    assert all(back["reason"] in text for back, (_, text) in zip(run["rollbacks"], told, strict=True))


async def test_a_worker_asked_to_end_does_not_wait_for_a_redis_that_has_gone(tmp_path: Path) -> None:
    with embedded_redis(tmp_path / "redis") as url:
        house = House(url, tmp_path)
        hand = house.hire(seconds=60).ready()
        async with connect(url) as redis:
            desk = Desk(redis, Store(house.store_url))
            job = await desk.order(light(50_000))
            await desk.until(job, 1)
    hand.send(signal.SIGTERM)
    assert hand.ended() == 1


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("nonsense", "The setting REDIS_URL is not usable"),
        ("unix:///nowhere/redis.sock", "Redis cannot be reached at REDIS_URL"),
    ],
)
def test_a_worker_without_a_redis_says_so_in_a_line(url: str, sentence: str, tmp_path: Path) -> None:
    reply = subprocess.run(
        [sys.executable, "-m", "engine.worker", "--weights", "random", "--device", "cpu"],
        env={**os.environ, "REDIS_URL": url}, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (reply.returncode, reply.stdout, len(reply.stderr.splitlines())) == (1, "", 1)
    assert sentence in reply.stderr
