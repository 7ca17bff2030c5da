"""Stopping a painting, and going on with it."""

from __future__ import annotations

import io
import signal
import threading

import pytest
from conftest import CONTENT, SLICE_TIMEOUT, STYLE, Desk, Hand, House, light, uncut_sha256
from PIL import Image

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
async def stopped(busy_desk: Desk) -> tuple[Job, Cancelled]:
    """A job that was cancelled while it was painted, and what it said last."""
    job = await busy_desk.order(RECIPE)
    await busy_desk.until(job, 20)
    assert await busy_desk.jobs.cancel(job.id)
    last = (await busy_desk.story(job))[-1]
    assert isinstance(last, Cancelled)
    return job, last


async def test_a_painting_that_is_stopped_leaves_its_picture_and_a_checkpoint(
    busy_desk: Desk, stopped: tuple[Job, Cancelled]
) -> None:
    job, last = stopped
    assert 20 <= last.iteration < RECIPE.iterations
    assert last.picture is not None
    assert last.checkpoint is not None
    picture = Image.open(io.BytesIO(await busy_desk.store.get(last.picture)))
    assert (picture.format, picture.size) == ("PNG", (32, 32))
    assert await busy_desk.store.get(last.checkpoint)
    assert await busy_desk.jobs.state(job.id) is JobState.CANCELLED
    assert job.id not in await busy_desk.jobs.open()


async def test_stopping_twice_is_harmless(busy_desk: Desk) -> None:
    job = await busy_desk.order(RECIPE)
    await busy_desk.until(job, 20)
    assert await busy_desk.jobs.cancel(job.id) is True
    await busy_desk.jobs.cancel(job.id)  # its answer depends on how soon the worker heard the first
    story = await busy_desk.story(job)
    assert await busy_desk.jobs.cancel(job.id) is False
    assert [event.kind for event in story].count("cancelled") == 1
    assert await busy_desk.story(job) == story


async def test_a_child_goes_on_from_the_checkpoint_to_the_same_picture_as_uncut(
    busy_desk: Desk, stopped: tuple[Job, Cancelled]
) -> None:
    _, last = stopped
    child = await busy_desk.order(RECIPE, checkpoint=last.checkpoint)
    run, story = await busy_desk.run(child), await busy_desk.story(child)
    assert isinstance(story[0], Started)
    assert story[0].iteration == last.iteration
    assert [event.iteration for event in story if isinstance(event, Snapshot)] == [580, 600]  # 20 was told before
    assert run["slices"][0]["from"] == 0
    assert len(run["losses"]["rows"]) == RECIPE.iterations
    assert run["final"]["sha256"] == uncut_sha256(RECIPE)


# --- State by state, in a house whose slices do not end by themselves ----------------------------

ENDLESS = light(90_000, snapshots=(20,))
LBFGS = light(90_000, optimiser="lbfgs", step=0.1, clamp=False, scales=1, snapshots=(20,))


@pytest.fixture(scope="module")
def slow_hand(house: House) -> Hand:
    """The only worker of the house; it paints one job and has one more in hand."""
    return house.hire(seconds=120).ready()


async def painting(desk: Desk, recipe: Recipe, user: str = "ann") -> Job:
    job = await desk.order(recipe, user=user)
    await desk.until(job, 1)
    return job


async def starting(desk: Desk, other: Job) -> Job:
    """Begun while the other is painted, and not at the session yet."""
    job = await desk.order(ENDLESS, user="bob")
    async for _ in follow(desk.redis, other.id):
        if (await desk.jobs.fields(job.id))["worker"]:
            return job
    raise AssertionError("the other ended")


async def stop(desk: Desk, job: Job) -> Cancelled:
    """Cancels it, twice; what it says last."""
    assert await desk.jobs.cancel(job.id) is True
    await desk.jobs.cancel(job.id)
    last = (await desk.story(job))[-1]
    assert isinstance(last, Cancelled)
    assert await desk.jobs.cancel(job.id) is False
    return last


@pytest.mark.usefixtures("slow_hand")
@pytest.mark.parametrize("recipe", [ENDLESS, LBFGS], ids=["adam", "lbfgs"])
async def test_who_waits_stops_at_once_and_who_is_painted_after_the_iteration(desk: Desk, recipe: Recipe) -> None:
    painted = await painting(desk, recipe)
    begun = await starting(desk, painted)
    queued = await desk.order(ENDLESS, user="cid")
    assert await stop(desk, queued) == Cancelled(job=queued.id, iteration=0)
    assert await stop(desk, begun) == Cancelled(job=begun.id, iteration=0)
    fields = await desk.jobs.fields(painted.id)
    assert (bool(fields["worker"]), fields["iteration"]) == (True, "0")  # still in its first slice
    last = await stop(desk, painted)
    assert 0 < last.iteration < recipe.iterations
    assert last.picture is not None
    assert await desk.spent("ann") > 0
    assert await desk.jobs.open() == []


@pytest.mark.usefixtures("slow_hand")
async def test_between_two_slices_it_stops_with_the_next(desk: Desk) -> None:
    job = await desk.order(ENDLESS, queued=False)
    claim = await desk.jobs.start(job.id, 0, 0, "another worker")
    assert claim is not None
    await desk.jobs.commit(claim, 0, None)
    assert await desk.jobs.cancel(job.id) is True
    await desk.queue.enqueue(job, 0, claim.epoch, 1.0)
    assert await desk.story(job) == [Cancelled(job=job.id, iteration=0)]


@pytest.mark.usefixtures("slow_hand")
async def test_while_the_film_is_made_it_ends_once_either_way(desk: Desk) -> None:
    job = await painting(desk, light(40, snapshots=(40,)))
    await desk.until(job, 40)
    await desk.jobs.cancel(job.id)
    story = await desk.story(job)
    assert sum(isinstance(event, Last) for event in story) == 1
    assert await desk.jobs.cancel(job.id) is False
    assert await desk.jobs.state(job.id) in (JobState.DONE, JobState.CANCELLED)


async def test_a_worker_asked_to_end_hands_over_what_it_paints_and_what_it_has_in_hand(
    desk: Desk, slow_hand: Hand
) -> None:
    painted = await painting(desk, ENDLESS)
    begun = await starting(desk, painted)
    slow_hand.send(signal.SIGTERM)
    assert slow_hand.ended() == 0
    for job, moved in ((painted, True), (begun, False)):
        fields = await desk.jobs.fields(job.id)
        assert (fields["worker"], fields["deaths"], int(fields["iteration"]) > 0) == ("", "0", moved)
        assert await desk.queue.waiting(slice_id(job.id, int(fields["iteration"]), int(fields["epoch"])), SLICE_TIMEOUT)


@pytest.mark.parametrize("recipe", [light(60, snapshots=(20,)), LBFGS], ids=["adam", "lbfgs"])
def test_the_loop_looks_up_after_every_iteration(recipe: Recipe) -> None:
    painter, stop = Painter(recipe, CONTENT, [STYLE]), threading.Event()
    session = PaintSession(painter, painter.begin())

    def tell(look: LoopReport) -> None:
        if look.snapshot:
            stop.set()

    done = run_slice_loop("a job", session, stop, 60, tell, pulse=Pulse())
    assert (done.first, done.last) == (0, 20)
