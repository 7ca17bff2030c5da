"""`impasto paint`: the real way from two pictures to a painting, for one person at a terminal."""

from __future__ import annotations

import asyncio
import getpass
import os
import shlex
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from bot import intake
from bot.requests.study_parts import recipe_maker, with_study
from bot.terminal.content_files import ContentFiles, read_content
from bot.terminal.display import Display, choose_display
from bot.terminal.local_stack import Stack, open_stack
from bot.terminal.output_folder import FolderError, OutputFolder
from bot.terminal.paint_arguments import PaintArguments
from bot.terminal.worker_process import WorkerError
from bot.text.cap_messages import cap_message
from engine.contract import events
from engine.contract.fair_queue import FairQueue
from engine.contract.jobs import Jobs
from engine.contract.models import Job, JobState, StoredPicture, TooMany, new_id
from engine.contract.redis_check import await_redis
from engine.contract.settings import Settings, SettingsError
from engine.forecast import first_cost, retry_time
from engine.recipe.presets import STAND_INS
from engine.recipe.recipe import Recipe

_INTERRUPTED = 130
_WATCH = 5.0  # s between two looks at Redis


async def paint(arguments: PaintArguments, folder: Path, settings: Settings, *, as_json: bool) -> int:
    """Paint what they ask for in `folder`; the exit status: 0, 1 when it failed, 130 when it was interrupted.

    Raises the one-sentence errors of the rooms below: pictures, recipe, output, stack, store.
    """
    arguments.check(settings)  # before anything is started
    content = read_content(arguments.content, still=arguments.still)
    blobs = [intake.read_picture_file(path) for path in arguments.files]
    output = OutputFolder(folder)
    with output.reserved():
        output.check([*content.paths, *arguments.files])
        with _told_how_to_go_on(output):
            taking = asyncio.ensure_future(_take_in(content, arguments, blobs))
            try:
                async with open_stack(settings, output.work, arguments.weights) as stack:
                    weights = arguments.weights if arguments.weights in STAND_INS else stack.worker.weights
                    arguments.recipe_for(weights, worker=stack.worker)  # before the pictures are waited for
                    pictures = await taking
                    arguments = arguments.sized(pictures[0])
                    recipe = arguments.recipe_for(weights, frames=pictures[0].frames, worker=stack.worker)
                    output.clear()
                    job = await _submit(stack, arguments, recipe, pictures)
                    output.remember(job, _fixed(arguments.weights, weights), settings.impasto_weights_input)
                    return await _follow(stack, output, job, as_json=as_json)
            finally:
                taking.cancel()
                await asyncio.gather(taking, return_exceptions=True)  # its child has ended then


async def resume(folder: Path, settings: Settings, *, as_json: bool) -> int:
    """Go on with the folder's unfinished painting; the exit status as of `paint`."""
    output = OutputFolder(folder)
    job_id, weights, input_ = output.remembered()
    settings = settings.model_copy(update={"impasto_weights_input": input_})
    with output.reserved(), _told_how_to_go_on(output):
        async with open_stack(settings, output.work, weights) as stack:
            job = await _reopen(stack, job_id, folder)
            output.remember(job, weights, input_)
            return await _follow(stack, output, job, as_json=as_json)


@contextmanager
def _told_how_to_go_on(output: OutputFolder) -> Iterator[None]:
    """Whoever is told that the painting broke off is told how to go on, where there is something to go on with."""
    try:
        yield
    except WorkerError as error:
        if output.unfinished and str(error):
            raise WorkerError(f"{error} When that is mended, go on with: {output.resume_command}") from error
        raise


async def _take_in(content: ContentFiles, arguments: PaintArguments, blobs: Sequence[bytes]) -> list[intake.Picture]:
    """The content, and the others. One after the other: each may take a gigabyte of memory."""
    masks = (*arguments.content_masks, *arguments.style_masks)
    taken = [await content.take_in(arguments.fps)]
    for path, blob in zip(arguments.files, blobs, strict=True):
        taken.append(await intake.take_in(blob, path.name, mask=path in masks))
    return taken


def _fixed(asked: str, found: str) -> str:
    """The `--weights` to go on with: what `auto` turned out to be must not change in between."""
    return found if asked == "auto" else asked


async def _submit(stack: Stack, arguments: PaintArguments, recipe: Recipe, pictures: Sequence[intake.Picture]) -> Job:
    """`pictures` are the content, then the files of the arguments."""
    job_id = new_id()
    stored = []
    for number, picture in enumerate(pictures):
        key = await stack.store.put(f"jobs/{job_id}/picture-{number}.png", picture.png)
        name = arguments.names[number] if number < len(arguments.names) else picture.name
        stored.append(StoredPicture(key=key, name=name, width=picture.width, height=picture.height))
    rest = iter(stored)
    content, styles, over, of, begun = (
        tuple(islice(rest, count))
        for count in (1, len(arguments.styles), len(arguments.content_masks), len(arguments.style_masks), 1)
    )
    job = Job(
        id=job_id, guild="terminal", user=_user(), recipe=recipe, content=content[0], styles=styles,
        content_masks=over, style_masks=of, start=begun[0] if begun else None, draft_of=arguments.draft_of,
    )  # fmt: skip
    if arguments.vary is not None:
        make = recipe_maker(arguments.recipe, recipe.weights, recipe.network)
        job = await with_study(job, arguments.vary, arguments.fields, make, stack.store)
    await _create(stack, job)
    return job


def _user() -> str:
    """Who asks: a name, or the number of a user who has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


async def _create(stack: Stack, job: Job) -> None:
    try:
        await Jobs(stack.redis).create(job, stack.caps)
    except TooMany as full:
        assert stack.caps is not None  # noqa: S101 - without any, nothing is too many
        full.until = await retry_time(stack.redis, full, job.user, job.guild, stack.caps)
        await stack.store.delete_folder(f"jobs/{job.id}")
        raise WorkerError(cap_message(full, _at)) from full
    await FairQueue(stack.redis).enqueue(job, 0, 0, await first_cost(stack.redis, job))


def _at(instant: float) -> str:
    return f"at {datetime.fromtimestamp(instant):%Y-%m-%d %H:%M}"


async def _reopen(stack: Stack, job_id: str, folder: Path) -> Job:
    """The job itself while it is open; a child that goes on from its checkpoint when it was stopped."""
    jobs = Jobs(stack.redis)
    job, state = await jobs.get(job_id), await jobs.state(job_id)
    if job is None:
        raise FolderError(f"This Redis does not know the painting of {folder}: set REDIS_URL as it was.")
    if state in (JobState.FAILED, JobState.QUARANTINED):
        raise FolderError("The painting failed, so there is nothing to go on with: start a new one.")
    if state is not JobState.CANCELLED:
        return job
    saved = (await jobs.fields(job_id))["checkpoints"].split()
    checkpoint = saved[0] if saved else job.checkpoint
    child = job.model_copy(update={"id": new_id(), "parent": job.id, "checkpoint": checkpoint})
    await _create(stack, child)
    return child


async def _follow(stack: Stack, output: OutputFolder, job: Job, *, as_json: bool) -> int:
    """Show the job's events to its last, and fetch what they tell of."""
    display = choose_display(job.iterations, as_json=as_json)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, _interrupt, stack, job, display, set())
    watching = asyncio.create_task(_watch(stack.url, display))
    try:
        last: events.Event | None = None
        async for _, event in events.follow(stack.redis, job.id):
            display.show(event, await output.save(stack.store, event))
            last = event
        return await _end(stack, output, job, last, display)
    finally:
        watching.cancel()
        loop.remove_signal_handler(signal.SIGINT)
        display.close()


async def _watch(redis_url: str, display: Display) -> None:
    """Say why the painting stands still, where it is for Redis: it has gone, or cannot write to a disk that is full."""
    while True:
        with suppress(SettingsError):
            await await_redis(redis_url, display.say)
        await asyncio.sleep(_WATCH)


def _interrupt(stack: Stack, job: Job, display: Display, asked: set[asyncio.Task[Any]]) -> None:
    """Ctrl-C: once to stop in order, twice to leave at once."""
    if asked:
        raise KeyboardInterrupt
    display.say("Stopping after this iteration …")
    asked.add(asyncio.ensure_future(Jobs(stack.redis).cancel(job.id)))


async def _end(stack: Stack, output: OutputFolder, job: Job, last: events.Event | None, display: Display) -> int:
    match last:
        case events.Done():
            page = await output.finish(stack.store, job)
            output.forget()
            display.say(f"Done: {page}")
            if job.draft_of is not None:
                display.say(f"A draft; finish it with: impasto paint --finish {shlex.quote(str(output.folder))}")
            return 0
        case events.Cancelled():
            display.say(f"Stopped at iteration {last.iteration}; go on with: {output.resume_command}")
            return _INTERRUPTED
        case events.Failed():
            output.forget()
            display.say(last.reason)
    return 1
