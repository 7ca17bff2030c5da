"""From pictures to a job in the queue, and from its events to the files: what `paint` and `batch` have in common."""

from __future__ import annotations

import asyncio
import getpass
import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from bot import intake
from bot.requests.study_parts import recipe_maker, with_study
from bot.terminal.content_files import ContentFiles
from bot.terminal.display import Display, choose_display
from bot.terminal.local_stack import Stack
from bot.terminal.output_folder import FolderError, OutputFolder
from bot.terminal.paint_arguments import PaintArguments
from bot.terminal.unfinished import Unfinished
from bot.terminal.worker_process import WorkerError
from bot.text.cap_messages import cap_message
from engine.contract import events
from engine.contract.fair_queue import FairQueue
from engine.contract.jobs import Jobs
from engine.contract.models import KEEP_DAYS, Job, JobState, StoredPicture, TooMany, new_id
from engine.contract.redis_check import await_redis
from engine.contract.settings import SettingsError
from engine.contract.stored_blobs import note
from engine.forecast import first_cost, retry_time
from engine.recipe.presets import STAND_INS
from engine.recipe.recipe import MAX_SIZE, Recipe

INTERRUPTED = 130
"""The exit status of a command that was stopped by Ctrl-C."""
_WATCH = 5.0  # s between two looks at Redis


async def take_in(content: ContentFiles, arguments: PaintArguments, blobs: Sequence[bytes]) -> list[intake.Picture]:
    """The content, the other files in their order, and how opaque the content is, where that is to be kept.

    One after the other: each may take a gigabyte of memory. Raises `BadPicture`.
    """
    taken = [await content.take_in(arguments.fps)]
    for (path, wanted), blob in zip(arguments.wanted, blobs, strict=True):
        taken.append(await intake.take_in(blob, path.name, wanted=wanted))
    if arguments.keep_transparency and taken[0].frames == 1 and not content.video:
        taken.append(await content.take_in_alpha())
    return taken


def weights_in(stack: Stack, arguments: PaintArguments) -> str:
    """The weights that are painted with, by the name that the worker knows them by."""
    return arguments.weights if arguments.weights in STAND_INS else stack.worker.weights


def fixed_weights(asked: str, found: str) -> str:
    """The `--weights` to go on with: what `auto` turned out to be must not change in between."""
    return found if asked == "auto" else asked


def recipe_of(stack: Stack, arguments: PaintArguments, content: intake.Picture) -> Recipe:
    """What is painted of this content. Raises `RecipeError`."""
    weights = weights_in(stack, arguments)
    return arguments.sized(content).recipe_for(weights, frames=content.frames, worker=stack.worker)


def note_on_size(arguments: PaintArguments, recipe: Recipe, content: intake.Picture) -> str:
    """A sentence where a film's pictures are smaller than they are to be painted; empty where they are not."""
    own = max(content.original_width, content.original_height)
    asked = min(own, MAX_SIZE if arguments.original_size else recipe.size)
    if content.frames == 1 or max(content.width, content.height) >= asked:
        return ""
    return (
        f"{content.name} is painted from pictures of {content.width} × {content.height} px, less than --size asks for: "
        f"all {content.frames} together may have {intake.FILM.max_film_pixels:,} pixels, so give fewer of them, or of "
        "a video a lower --fps."
    )


async def submit(stack: Stack, arguments: PaintArguments, recipe: Recipe, pictures: Sequence[intake.Picture]) -> Job:
    """A new job in the queue; `pictures` as `take_in` has them. Raises `WorkerError` or `StoreError`."""
    arguments = arguments.sized(pictures[0])
    job_id = new_id()
    stored = []
    await note(stack.redis, stack.store, f"jobs/{job_id}")  # where this command is killed, the sweep deletes them
    for number, picture in enumerate(pictures):
        key = await stack.store.put(f"jobs/{job_id}/picture-{number}.png", picture.png)
        name = arguments.names[number] if number < len(arguments.names) else picture.name
        stored.append(StoredPicture(key=key, name=name, width=picture.width, height=picture.height))
    rest = iter(stored)
    counts = (
        1, len(arguments.styles), len(arguments.content_masks), len(arguments.style_masks),
        int(arguments.canvas is not None),
    )  # fmt: skip
    content, styles, over, of, begun, alpha = (tuple(islice(rest, count)) for count in (*counts, 1))
    job = Job(
        id=job_id, guild="terminal", user=_user(), recipe=recipe, content=content[0], styles=styles,
        content_masks=over, style_masks=of, start=begun[0] if begun else None, alpha=alpha[0] if alpha else None,
        format=arguments.format, draft_of=arguments.draft_of, film=arguments.film,
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


def check_redis_of(note: Unfinished, output: OutputFolder, *, own: bool) -> None:
    """Raises `FolderError` where the Redis is our `own`, and the painting was begun with one of `REDIS_URL`."""
    if own and note.own_redis is False:
        raise FolderError(
            f"The painting of {output.folder} was begun by the workers of a REDIS_URL: set that as it was, or delete "
            f"{output.work} and start a new one."
        )


async def reopen(stack: Stack, note: Unfinished, output: OutputFolder) -> Job:
    """The job itself while it is open; a child that goes on from its checkpoint when it was stopped.

    Raises `FolderError` where there is nothing to go on with.
    """
    jobs = Jobs(stack.redis)
    job, state = await jobs.get(note.job), await jobs.state(note.job)
    if job is None:
        unset = ", or leave it out where it was not set" if note.own_redis is None else ""
        where = "" if note.own_redis else f" set REDIS_URL as it was{unset}; where it is so,"
        raise FolderError(
            f"This Redis does not know the painting of {output.folder}:{where} it was kept for {KEEP_DAYS} days, so "
            f"delete {output.work} and start a new one."
        )
    if state in (JobState.FAILED, JobState.QUARANTINED):
        output.forget()
        raise FolderError("The painting failed, so there is nothing to go on with: start a new one.")
    if state is not JobState.CANCELLED:
        return job
    saved = (await jobs.fields(note.job))["checkpoints"].split()
    checkpoint = saved[0] if saved else job.checkpoint
    came_from = (job.id, *job.came_from) if checkpoint else ()
    own = {"id": new_id(), "parent": job.id, "came_from": came_from, "checkpoint": checkpoint}
    child = job.model_copy(update=own)
    await _create(stack, child)
    return child


class Ended(NamedTuple):
    """How a painting that was followed has ended."""

    status: int
    """The exit status, as of `paint`."""
    interrupted: bool
    """Whether Ctrl-C was pressed meanwhile: what was in its last touches then is finished all the same."""


async def follow(stack: Stack, output: OutputFolder, job: Job, *, as_json: bool) -> Ended:
    """Show the job's events to its last, and fetch what they tell of."""
    display = choose_display(job.iterations, as_json=as_json)
    watching = asyncio.create_task(_watch(stack.url, display))
    stopping: set[asyncio.Task[Any]] = set()
    try:
        with _on_interrupt(lambda: _interrupt(stack, job, display, stopping)):
            if (task := asyncio.current_task()) and task.cancelling():
                _interrupt(stack, job, display, stopping)  # Ctrl-C came before, and a timeout of redis-py swallowed it
            last: events.Event | None = None
            async for _, event in events.follow(stack.redis, job.id):
                path = await output.save(stack.store, event)
                with unheard(interrupted=bool(stopping)):
                    display.show(event, path)
                last = event
            status = await _end(stack, output, job, last, display, stopping=stopping)
            return Ended(status, bool(stopping))
    finally:
        watching.cancel()
        display.close()


def unheard(*, interrupted: bool) -> AbstractContextManager[None]:
    """For what is said after Ctrl-C: the pipe's reader may have ended by it too (`| tee log`), and all else goes on."""
    return suppress(OSError) if interrupted else nullcontext()


@contextmanager
def _on_interrupt(handler: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C calls the handler meanwhile. Before and after it cancels the task, as asyncio has it."""
    loop, before = asyncio.get_running_loop(), signal.getsignal(signal.SIGINT)
    loop.add_signal_handler(signal.SIGINT, handler)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        signal.signal(signal.SIGINT, before)


async def _watch(redis_url: str, display: Display) -> None:
    """Say why the painting stands still, where it is for Redis: it has gone, or cannot write to a disk that is full."""
    while True:
        with suppress(SettingsError):
            await await_redis(redis_url, display.say)
        await asyncio.sleep(_WATCH)


def _interrupt(stack: Stack, job: Job, display: Display, stopping: set[asyncio.Task[Any]]) -> None:
    """Ctrl-C: once to stop in order, twice to leave at once."""
    if stopping:
        raise KeyboardInterrupt
    stopping.add(asyncio.ensure_future(Jobs(stack.redis).cancel(job.id)))
    with unheard(interrupted=True):
        display.say("Stopping after this iteration …")


async def _end(
    stack: Stack, output: OutputFolder, job: Job, last: events.Event | None, display: Display,
    *, stopping: set[asyncio.Task[Any]],
) -> int:  # fmt: skip
    match last:
        case events.Done():
            page = await output.finish(stack.store, job)
            film = await output.film_of_video(job.recipe)
            output.forget()
            with unheard(interrupted=bool(stopping)):
                if film:
                    display.say(f"With its sound: {film}")
                if output.recipe_code:
                    display.say(f"Recipe code: {output.recipe_code}")
                display.say(f"Done: {page}")
                if job.draft_of is not None:
                    display.say(f"A draft; finish it with: impasto paint --finish {shlex.quote(str(output.folder))}")
            return 0
        case events.Cancelled():
            with unheard(interrupted=True):
                display.say(f"Stopped at iteration {last.iteration}; go on with: {output.resume_command}")
            return INTERRUPTED
        case events.Failed():
            output.forget()
            display.close()  # so that it does not take what is said on standard error for its own
            with unheard(interrupted=bool(stopping)):
                print(last.reason, file=sys.stderr, flush=True)
    return 1
