"""Workers that end in mid-slice, by force or by request: the painting goes on, and its last bit is the same."""

from __future__ import annotations

import signal
from collections import Counter
from typing import Any

import hanging_worker
import pytest
from support.jobs import SLICE_TIMEOUT, JobClient, light, uncut_sha256
from support.workers import WorkerPool, WorkerProcess

from engine.contract import workers
from engine.contract.events import Cancelled, Event, Snapshot, follow
from engine.contract.fair_queue import slice_id
from engine.contract.models import Job, JobState

RECIPE = light(900, snapshots=tuple(range(30, 900, 30)))


@pytest.fixture
def worker(pool: WorkerPool) -> WorkerProcess:
    """The only worker, at first; each test leaves another."""
    return pool.only_worker(seconds=0.2)


async def freeze_in_mid_slice(client: JobClient, worker: WorkerProcess, job: Job) -> Event:
    """Stops the process while it paints, past the first checkpoint; the newest event that was heard."""
    async for _, event in follow(client.redis, job.id):
        worker.send(signal.SIGSTOP)
        fields = await client.jobs.fields(job.id)
        if fields["worker"] and int(fields["iteration"]) > 0:
            return event
        worker.send(signal.SIGCONT)
    raise AssertionError("the painting ended before it could be interrupted")


def assert_nothing_lost_or_twice(run: dict[str, Any], story: list[Event]) -> None:
    shown = [event.iteration for event in story if isinstance(event, Snapshot)]
    assert shown == list(RECIPE.shown)
    assert Counter(event.kind for event in story)["started"] == 1
    assert [event.kind for event in story].count("done") == 1
    ends = [painted["to"] for painted in run["slices"]]
    assert [painted["from"] for painted in run["slices"]] == [0, *ends[:-1]]
    assert ends[-1] == RECIPE.iterations == len(run["losses"]["rows"])
    assert run["final"]["sha256"] == uncut_sha256(RECIPE)


@pytest.mark.long
async def test_a_worker_killed_in_mid_slice_is_replaced_by_another_and_no_bit_differs(
    client: JobClient, pool: WorkerPool, worker: WorkerProcess
) -> None:
    job = await client.submit(RECIPE, user="kim")
    await freeze_in_mid_slice(client, worker, job)
    at_the_kill = await client.jobs.fields(job.id)
    worker.send(signal.SIGKILL)
    assert worker.ended() == -signal.SIGKILL
    pool.start_worker(seconds=0.2).ready()

    run = await client.run(job)

    assert_nothing_lost_or_twice(run, await client.events(job))
    before = [painted for painted in run["slices"] if painted["worker"] == at_the_kill["worker"]]
    assert before[-1]["to"] == int(at_the_kill["iteration"])
    assert len(run["slices"]) > len(before)
    assert await client.jobs.open() == []
    assert await client.spent("kim") == pytest.approx(run["seconds"], abs=0.001 * len(run["slices"]))


@pytest.mark.long
async def test_a_worker_asked_to_end_in_mid_slice_hands_over_where_it_stands(
    client: JobClient, pool: WorkerPool, worker: WorkerProcess
) -> None:
    job = await client.submit(RECIPE)
    heard = await freeze_in_mid_slice(client, worker, job)
    begun_at = int((await client.jobs.fields(job.id))["iteration"])
    worker.send(signal.SIGTERM)
    worker.send(signal.SIGCONT)
    assert worker.ended() == 0

    fields = await client.jobs.fields(job.id)
    iteration, epoch = int(fields["iteration"]), int(fields["epoch"])
    assert iteration >= heard.iteration
    assert begun_at < iteration < RECIPE.iterations
    assert (fields["state"], fields["worker"], fields["deaths"]) == (JobState.PAINTING, "", "0")
    assert await client.queue.waiting(slice_id(job.id, iteration, epoch), SLICE_TIMEOUT)

    successor = pool.start_worker(seconds=0.2, program=[hanging_worker.__file__]).ready()
    run = await client.run(job)
    assert_nothing_lost_or_twice(run, await client.events(job))
    assert iteration in [painted["to"] for painted in run["slices"]]

    # One that makes a film, which may take long, leaves it to others, and nobody takes it for alive any more.
    last = await client.submit(light(40, seed=hanging_worker.FILM_SEED))
    await client.until(last, 40)
    successor.send(signal.SIGTERM)
    assert successor.ended() == 0
    assert await workers.living(client.redis) == []
    fields = await client.jobs.fields(last.id)
    assert (fields["worker"], fields["iteration"]) == ("", "40")
    assert await client.queue.waiting(slice_id(last.id, 40, int(fields["epoch"])), SLICE_TIMEOUT)
    claim = await client.jobs.start(last.id, 40, int(fields["epoch"]), "nobody")
    assert claim is not None
    await client.jobs.finish(claim, Cancelled(job=last.id, iteration=40))
