"""Stopping a painting, and going on with it."""

from __future__ import annotations

import io
import signal
import threading

import pytest
from PIL import Image
from support.jobs import SLICE_TIMEOUT, JobClient, light, uncut_sha256
from support.pictures import CONTENT, STYLE
from support.workers import WorkerPool, WorkerProcess

from engine.contract.events import Cancelled, Last, Snapshot, Started, follow
from engine.contract.fair_queue import slice_id
from engine.contract.models import Job, JobState
from engine.painting.painter import Painter
from engine.recipe.recipe import Recipe
from engine.worker.paint_session import PaintSession
from engine.worker.slice_loop import LoopReport, run_slice_loop
from engine.worker.watchdog import Pulse

RECIPE = light(600, snapshots=(20, 580))


@pytest.fixture
async def stopped(busy_client: JobClient) -> tuple[Job, Cancelled]:
    """A job that was cancelled while it was painted, and what it said last."""
    job = await busy_client.submit(RECIPE)
    await busy_client.until(job, 20)
    assert await busy_client.jobs.cancel(job.id)
    last = (await busy_client.events(job))[-1]
    assert isinstance(last, Cancelled)
    return job, last


async def test_a_painting_that_is_stopped_leaves_its_picture_and_a_checkpoint(
    busy_client: JobClient, stopped: tuple[Job, Cancelled]
) -> None:
    job, last = stopped
    assert 20 <= last.iteration < RECIPE.iterations
    assert last.picture is not None
    assert last.checkpoint is not None
    picture = Image.open(io.BytesIO(await busy_client.store.get(last.picture)))
    assert (picture.format, picture.size) == ("PNG", (32, 32))
    assert await busy_client.store.get(last.checkpoint)
    assert await busy_client.jobs.state(job.id) is JobState.CANCELLED
    assert job.id not in await busy_client.jobs.open()


async def test_stopping_twice_is_harmless(busy_client: JobClient) -> None:
    job = await busy_client.submit(RECIPE)
    await busy_client.until(job, 20)
    assert await busy_client.jobs.cancel(job.id) is True
    await busy_client.jobs.cancel(job.id)  # its answer depends on how soon the worker heard the first
    story = await busy_client.events(job)
    assert await busy_client.jobs.cancel(job.id) is False
    assert [event.kind for event in story].count("cancelled") == 1
    assert await busy_client.events(job) == story


@pytest.mark.long
async def test_a_child_goes_on_from_the_checkpoint_to_the_same_picture_as_uncut(
    busy_client: JobClient, stopped: tuple[Job, Cancelled]
) -> None:
    _, last = stopped
    child = await busy_client.submit(RECIPE, checkpoint=last.checkpoint)
    run, story = await busy_client.run(child), await busy_client.events(child)
    assert isinstance(story[0], Started)
    assert story[0].iteration == last.iteration
    assert [event.iteration for event in story if isinstance(event, Snapshot)] == [580, 600]  # 20 was told before
    assert run["slices"][0]["from"] == 0
    assert len(run["losses"]["rows"]) == RECIPE.iterations
    assert run["final"]["sha256"] == uncut_sha256(RECIPE)


# --- State by state, with slices that do not end by themselves ----------------------------

ENDLESS = light(90_000, snapshots=(20,))
LBFGS = light(90_000, optimiser="lbfgs", step=0.1, clamp=False, scales=1, snapshots=(20,))


@pytest.fixture(scope="module")
def slow_worker(pool: WorkerPool) -> WorkerProcess:
    """The only worker; it paints one job and has begun one more."""
    return pool.start_worker(seconds=120).ready()


async def painting(client: JobClient, recipe: Recipe, user: str = "ann") -> Job:
    job = await client.submit(recipe, user=user)
    await client.until(job, 1)
    return job


async def starting(client: JobClient, other: Job) -> Job:
    """Begun while the other is painted, and not at the session yet."""
    job = await client.submit(ENDLESS, user="bob")
    async for _ in follow(client.redis, other.id):
        if (await client.jobs.fields(job.id))["worker"]:
            return job
    raise AssertionError("the other ended")


async def stop(client: JobClient, job: Job) -> Cancelled:
    """Cancels it, twice; what it says last."""
    assert await client.jobs.cancel(job.id) is True
    await client.jobs.cancel(job.id)
    last = (await client.events(job))[-1]
    assert isinstance(last, Cancelled)
    assert await client.jobs.cancel(job.id) is False
    return last


@pytest.mark.usefixtures("slow_worker")
@pytest.mark.parametrize("recipe", [ENDLESS, LBFGS], ids=["adam", "lbfgs"])
async def test_who_waits_stops_at_once_and_who_is_painted_after_the_iteration(
    client: JobClient, recipe: Recipe
) -> None:
    painted = await painting(client, recipe)
    begun = await starting(client, painted)
    queued = await client.submit(ENDLESS, user="cid")
    assert await stop(client, queued) == Cancelled(job=queued.id, iteration=0)
    assert await stop(client, begun) == Cancelled(job=begun.id, iteration=0)
    fields = await client.jobs.fields(painted.id)
    assert (bool(fields["worker"]), fields["iteration"]) == (True, "0")  # still in its first slice
    last = await stop(client, painted)
    assert 0 < last.iteration < recipe.iterations
    assert last.picture is not None
    assert await client.spent("ann") > 0
    assert await client.jobs.open() == []


@pytest.mark.usefixtures("slow_worker")
async def test_between_two_slices_it_stops_with_the_next(client: JobClient) -> None:
    job = await client.submit(ENDLESS, queued=False)
    claim = await client.jobs.start(job.id, 0, 0, "another worker")
    assert claim is not None
    await client.jobs.commit(claim, 0, None)
    assert await client.jobs.cancel(job.id) is True
    await client.queue.enqueue(job, 0, claim.epoch, 1.0)
    assert await client.events(job) == [Cancelled(job=job.id, iteration=0)]


@pytest.mark.long
@pytest.mark.usefixtures("slow_worker")
async def test_while_the_film_is_made_it_ends_once_either_way(client: JobClient) -> None:
    job = await painting(client, light(40, snapshots=(40,)))
    await client.until(job, 40)
    await client.jobs.cancel(job.id)
    story = await client.events(job)
    assert sum(isinstance(event, Last) for event in story) == 1
    assert await client.jobs.cancel(job.id) is False
    assert await client.jobs.state(job.id) in (JobState.DONE, JobState.CANCELLED)


async def test_a_worker_asked_to_end_hands_over_what_it_paints_and_what_it_has_in_hand(
    client: JobClient, slow_worker: WorkerProcess
) -> None:
    painted = await painting(client, ENDLESS)
    begun = await starting(client, painted)
    slow_worker.send(signal.SIGTERM)
    assert slow_worker.ended() == 0
    for job, moved in ((painted, True), (begun, False)):
        fields = await client.jobs.fields(job.id)
        assert (fields["worker"], fields["deaths"], int(fields["iteration"]) > 0) == ("", "0", moved)
        assert await client.queue.waiting(
            slice_id(job.id, int(fields["iteration"]), int(fields["epoch"])), SLICE_TIMEOUT
        )


@pytest.mark.parametrize("recipe", [light(60, snapshots=(20,)), LBFGS], ids=["adam", "lbfgs"])
def test_the_loop_looks_up_after_every_iteration(recipe: Recipe) -> None:
    painter, stop = Painter(recipe, CONTENT, [STYLE]), threading.Event()
    session = PaintSession(painter, painter.begin())

    def tell(look: LoopReport) -> None:
        if look.snapshot:
            stop.set()

    done = run_slice_loop("a job", session, stop, 60, tell, pulse=Pulse())
    assert (done.first, done.last) == (0, 20)
