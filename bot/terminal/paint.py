"""`impasto paint`: the real way from two pictures to a painting, for one person at a terminal."""

from __future__ import annotations

import asyncio
import getpass
import signal
from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from bot import intake
from bot.terminal.canvas import Canvas, CanvasError
from bot.terminal.content import Content, read_content
from bot.terminal.display import Display, choose_display
from bot.terminal.hand import WorkshopError
from bot.terminal.order import Order
from bot.terminal.workshop import Workshop, open_workshop
from bot.text.cap_messages import cap_message
from engine.contract import events
from engine.contract.fair_queue import FairQueue
from engine.contract.jobs import Jobs
from engine.contract.models import Job, JobState, StoredPicture, TooMany, new_id
from engine.contract.settings import Settings
from engine.forecast import first_cost, retry_time
from engine.recipe.presets import STAND_INS
from engine.recipe.recipe import Recipe

_INTERRUPTED = 130


async def paint(order: Order, folder: Path, settings: Settings, *, as_json: bool) -> int:
    """Paint the order in `folder`; the exit status: 0, 1 when it failed, 130 when it was interrupted.

    Raises the one-sentence errors of the rooms below: pictures, recipe, canvas, workshop, store.
    """
    order.check(settings)  # before anything is started
    content = read_content(order.content, still=order.still)
    blobs = [intake.read_picture_file(path) for path in order.files]
    canvas = Canvas(folder)
    canvas.begin([*content.paths, *order.files])
    taking = asyncio.ensure_future(_take_in(content, order, blobs))
    try:
        async with open_workshop(settings, canvas.work, order.weights) as workshop:
            weights = order.weights if order.weights in STAND_INS else workshop.worker.weights
            order.recipe_for(weights, worker=workshop.worker)  # before the pictures are waited for
            pictures = await taking
            recipe = order.recipe_for(weights, frames=pictures[0].frames)
            job = await _submit(workshop, order, recipe, pictures)
            canvas.remember(job, _fixed(order.weights, weights), settings.impasto_weights_input)
            status = await _follow(workshop, canvas, job, as_json=as_json)
    except BaseException:
        taking.cancel()
        if not canvas.unfinished:
            canvas.clean()
        raise
    if status == 0:
        canvas.clean()
    return status


async def resume(folder: Path, settings: Settings, *, as_json: bool) -> int:
    """Go on with the folder's unfinished painting; the exit status as of `paint`."""
    canvas = Canvas(folder)
    job_id, weights, input_ = canvas.remembered()
    settings = settings.model_copy(update={"impasto_weights_input": input_})
    async with open_workshop(settings, canvas.work, weights) as workshop:
        job = await _reopen(workshop, job_id, folder)
        canvas.remember(job, weights, input_)
        status = await _follow(workshop, canvas, job, as_json=as_json)
    if status == 0:
        canvas.clean()
    return status


async def _take_in(content: Content, order: Order, blobs: Sequence[bytes]) -> list[intake.Picture]:
    """The content, and the others. One after the other: each may take a gigabyte of memory."""
    first = await content.take_in(order.fps)
    return [first, *[await intake.take_in(blob, path.name) for path, blob in zip(order.files, blobs, strict=True)]]


def _fixed(asked: str, found: str) -> str:
    """The `--weights` to go on with: what `auto` turned out to be must not change in between."""
    return found if asked == "auto" else asked


async def _submit(workshop: Workshop, order: Order, recipe: Recipe, pictures: Sequence[intake.Picture]) -> Job:
    """`pictures` are the content, then the order's files."""
    job_id = new_id()
    stored = []
    for number, picture in enumerate(pictures):
        key = await workshop.store.put(f"jobs/{job_id}/picture-{number}.png", picture.png)
        name = order.names[number] if number < len(order.names) else picture.name
        stored.append(StoredPicture(key=key, name=name, width=picture.width, height=picture.height))
    rest = iter(stored)
    content, styles, over, of, begun = (
        tuple(islice(rest, count))
        for count in (1, len(order.styles), len(order.content_masks), len(order.style_masks), 1)
    )
    job = Job(
        id=job_id, guild="terminal", user=getpass.getuser(), recipe=recipe, content=content[0], styles=styles,
        content_masks=over, style_masks=of, start=begun[0] if begun else None, draft_of=order.draft_of,
    )  # fmt: skip
    await _create(workshop, job)
    return job


async def _create(workshop: Workshop, job: Job) -> None:
    try:
        await Jobs(workshop.redis).create(job, workshop.caps)
    except TooMany as full:
        assert workshop.caps is not None  # noqa: S101 - without any, nothing is too many
        full.until = await retry_time(workshop.redis, full, job.user, job.guild, workshop.caps)
        await workshop.store.delete_folder(f"jobs/{job.id}")
        raise WorkshopError(cap_message(full, _at)) from full
    await FairQueue(workshop.redis).enqueue(job, 0, 0, await first_cost(workshop.redis, job))


def _at(instant: float) -> str:
    return f"at {datetime.fromtimestamp(instant):%Y-%m-%d %H:%M}"


async def _reopen(workshop: Workshop, job_id: str, folder: Path) -> Job:
    """The job itself while it is open; a child that goes on from its checkpoint when it was stopped."""
    jobs = Jobs(workshop.redis)
    job, state = await jobs.get(job_id), await jobs.state(job_id)
    if job is None:
        raise CanvasError(f"This Redis does not know the painting of {folder}: set REDIS_URL as it was.")
    if state in (JobState.FAILED, JobState.QUARANTINED):
        raise CanvasError("The painting failed, so there is nothing to go on with: start a new one.")
    if state is not JobState.CANCELLED:
        return job
    saved = (await jobs.fields(job_id))["checkpoints"].split()
    checkpoint = saved[0] if saved else job.checkpoint
    child = job.model_copy(update={"id": new_id(), "parent": job.id, "checkpoint": checkpoint})
    await _create(workshop, child)
    return child


async def _follow(workshop: Workshop, canvas: Canvas, job: Job, *, as_json: bool) -> int:
    """Show the job's events to its last, and fetch what they tell of."""
    display = choose_display(job.recipe.iterations, as_json=as_json)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, _interrupt, workshop, job, display, set())
    try:
        last: events.Event | None = None
        async for _, event in events.follow(workshop.redis, job.id):
            display.show(event, await canvas.take(workshop.store, event))
            last = event
        return await _end(workshop, canvas, job, last, display)
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        display.close()


def _interrupt(workshop: Workshop, job: Job, display: Display, asked: set[asyncio.Task[Any]]) -> None:
    """Ctrl-C: once to stop in order, twice to leave at once."""
    if asked:
        raise KeyboardInterrupt
    display.say("Stopping after this iteration …")
    asked.add(asyncio.ensure_future(Jobs(workshop.redis).cancel(job.id)))


async def _end(workshop: Workshop, canvas: Canvas, job: Job, last: events.Event | None, display: Display) -> int:
    match last:
        case events.Done():
            page = await canvas.finish(workshop.store, job)
            display.say(f"Done: {page}")
            if job.draft_of is not None:
                display.say(f"A draft; finish it with: impasto paint --finish '{canvas.folder}'")
            return 0
        case events.Cancelled():
            display.say(f"Stopped at iteration {last.iteration}; go on with: impasto paint --resume '{canvas.folder}'")
            return _INTERRUPTED
        case events.Failed():
            canvas.clean()
            display.say(last.reason)
    return 1
