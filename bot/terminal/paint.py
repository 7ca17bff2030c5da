"""`impasto paint`: the real way from two pictures to a painting, for one person at a terminal."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot import intake
from bot.requests.from_recipe_code import note_on_styles
from bot.terminal.content_files import read_content
from bot.terminal.local_stack import open_stack
from bot.terminal.output_folder import OutputFolder
from bot.terminal.paint_arguments import PaintArguments
from bot.terminal.paint_job import (
    check_redis_of,
    fixed_weights,
    follow,
    note_on_size,
    recipe_of,
    reopen,
    submit,
    take_in,
    weights_in,
)
from bot.terminal.worker_process import WorkerError
from engine.contract.settings import Settings


async def paint(arguments: PaintArguments, folder: Path, settings: Settings, *, as_json: bool) -> int:
    """Paint what the arguments ask for in `folder`; the exit status: 0, 1 when it failed, 130 when it was interrupted.

    Raises the one-sentence errors of what it uses: pictures, recipe, output, stack, store.
    """
    arguments.check(settings)  # before anything is started
    content = read_content(arguments.content, still=arguments.still)
    blobs = [intake.read_picture_file(path) for path in arguments.files]
    output = OutputFolder(folder)
    with output.reserved():
        output.check([*content.paths, *arguments.files], arguments.format, video=content.video)
        with _told_how_to_go_on(output):
            taking = asyncio.ensure_future(take_in(content, arguments, blobs))
            try:
                async with open_stack(settings, output.work, arguments.weights) as stack:
                    weights = weights_in(stack, arguments)
                    arguments.recipe_for(weights, worker=stack.worker)  # before the pictures are waited for
                    pictures = await taking
                    recipe = recipe_of(stack, arguments, pictures[0])
                    if note := note_on_size(arguments, recipe, pictures[0]):
                        print(note, file=sys.stderr)
                    output.clear()
                    output.keep_sound(content.video, pictures[0].sound)
                    job = await submit(stack, arguments, recipe, pictures)
                    if arguments.code and (note := await note_on_styles(stack.store, arguments.code, job)):
                        print(note, file=sys.stderr)
                    fixed = fixed_weights(arguments.weights, weights)
                    output.remember(job, fixed, settings.impasto_weights_input, own_redis=stack.own)
                    return (await follow(stack, output, job, as_json=as_json)).status
            finally:
                taking.cancel()
                await asyncio.gather(taking, return_exceptions=True)  # its child has ended then


async def resume(folder: Path, settings: Settings, *, as_json: bool) -> int:
    """Go on with the folder's unfinished painting; the exit status as of `paint`."""
    output = OutputFolder(folder)
    note = output.remembered()
    settings = note.settings(settings)
    check_redis_of(note, output, own=settings.redis_url is None)
    with output.reserved(), _told_how_to_go_on(output):
        async with open_stack(settings, output.work, note.weights) as stack:
            job = await reopen(stack, note, output)
            output.remember(job, note.weights, note.weights_input, own_redis=stack.own)
            return (await follow(stack, output, job, as_json=as_json)).status


@contextmanager
def _told_how_to_go_on(output: OutputFolder) -> Iterator[None]:
    """Whoever is told that the painting broke off is told how to go on, where there is something to go on with."""
    try:
        yield
    except WorkerError as error:
        if output.unfinished and str(error):
            raise WorkerError(f"{error} When that is mended, go on with: {output.resume_command}") from error
        raise
