"""`impasto batch`: every content in every style, by one worker, whose network is loaded once."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from bot import intake
from bot.intake import BadPicture
from bot.terminal.batch_folder import BatchFolder, Pair, key_of, pairs_of
from bot.terminal.content_files import read_content
from bot.terminal.local_stack import Stack, open_stack
from bot.terminal.output_folder import FolderError, OutputFolder
from bot.terminal.paint_arguments import PaintArguments
from bot.terminal.paint_job import (
    INTERRUPTED,
    check_redis_of,
    fixed_weights,
    follow,
    recipe_of,
    reopen,
    submit,
    take_in,
    unheard,
    weights_in,
)
from bot.terminal.worker_process import WorkerError
from bot.text.formatting import exact_duration
from engine.contract.jobs import Jobs
from engine.contract.models import Job
from engine.contract.settings import Settings
from engine.recipe.recipe import RecipeError


async def batch(
    arguments: PaintArguments, contents: Sequence[Path], styles: Sequence[Path], folder: Path, settings: Settings,
    *, as_json: bool,
) -> int:  # fmt: skip
    """Paint each content in each style, as the arguments say; the exit status: 0, 1 when some failed, 130.

    Raises the one-sentence errors that stop all of it.
    """
    arguments.check(settings)
    pairs = pairs_of(contents, styles)
    output = BatchFolder(folder)
    with output.reserved():
        output.check_table()
        output.recall(pairs)
        run = Batch(arguments, output, pairs, settings, as_json=as_json)
        try:
            return await run.paint()
        except WorkerError as error:
            if str(error):
                raise WorkerError(f"{error} When that is mended, the same command goes on.") from error
            raise


class Batch:
    """The paintings of one command, one after the other."""

    def __init__(
        self, arguments: PaintArguments, output: BatchFolder, pairs: Sequence[Pair], settings: Settings, *,
        as_json: bool,
    ) -> None:  # fmt: skip
        self._arguments, self._output, self._pairs, self._settings = arguments, output, pairs, settings
        self._json = as_json
        self._digests: dict[Path, str] = {}
        self._weights = _file_of_weights(arguments.weights, settings.impasto_weights_input)

    async def paint(self) -> int:
        """All that is not painted yet; the exit status."""
        missing = [pair for pair in self._pairs if not self._painted(pair)]
        self._output.write_table(self._pairs)
        status = 0
        try:
            if any(pair.status != "failed" for pair in missing):
                async with open_stack(self._as_begun(missing), self._output.work, self._arguments.weights) as stack:
                    for pair in missing:
                        if pair.status != "failed" and await self._paint(stack, pair) == INTERRUPTED:
                            status = INTERRUPTED
                            break
        except asyncio.CancelledError:  # Ctrl-C while no painting is followed
            status = INTERRUPTED
        with unheard(interrupted=status == INTERRUPTED):
            self._tell()
        return status or int(any(pair.status != "done" for pair in self._pairs))

    def _of(self, pair: Pair) -> PaintArguments:
        return dataclasses.replace(self._arguments, content=pair.content, styles=(pair.style,))

    def _painted(self, pair: Pair) -> bool:
        """Whether it need not be painted; notes what its files are now, and where they cannot be read."""
        arguments, before = self._of(pair), pair.key
        try:
            content = read_content(pair.content, still=arguments.still)
            digests = [self._digest(path, content.read) for path in content.paths]
            digests += [self._digest(path, intake.read_picture_file) for path in arguments.files]
            pair.key = key_of(arguments, digests + self._weights)
            if before == key_of(arguments, digests):  # as it was written until 0.2.0, without the weights' file
                before = pair.key
        except BadPicture as bad:
            self._fail(pair, str(bad))
            return False
        if pair.key != before:
            pair.status = "waiting"
        done = pair.status == "done" and (self._output.folder / pair.folder / "run.json").exists()
        pair.status = "done" if done else "begun" if pair.status == "begun" else "waiting"
        return done

    def _digest(self, path: Path, read: Callable[[Path], bytes]) -> str:
        if path not in self._digests:
            self._digests[path] = hashlib.sha256(read(path)).hexdigest()
        return self._digests[path]

    def _as_begun(self, missing: Sequence[Pair]) -> Settings:
        """The settings with the Redis that one of the paintings was begun with, where that is in the batch's folder."""
        for pair in missing:
            with suppress(FolderError):  # of one that has no note any more
                if pair.status == "begun" and self._output.painting(pair).remembered().own_redis:
                    return self._settings.model_copy(update={"redis_url": None})
        return self._settings

    async def _paint(self, stack: Stack, pair: Pair) -> int:
        """One painting; what is wrong with it is noted, and stops no other."""
        self._announce(pair)
        output = self._output.painting(pair)
        try:
            with output.reserved():
                status = await self._paint_in(stack, pair, output)
        except (BadPicture, RecipeError, FolderError) as error:
            self._fail(pair, str(error), begun=output.unfinished)
            print(error, file=sys.stderr, flush=True)
            status = 1
        self._output.write_table(self._pairs)
        return status

    async def _paint_in(self, stack: Stack, pair: Pair, output: OutputFolder) -> int:
        job = await self._begun(stack, pair, output) or await self._new(stack, pair, output)
        pair.status = "begun"
        self._output.write_table(self._pairs)
        status = await follow(stack, output, job, as_json=self._json)
        if status == 0:
            pair.status, pair.reason = "done", ""
            pair.seconds = json.loads((output.folder / "run.json").read_text())["seconds"]
            if stack.own:  # nobody else will look at what it leaves there
                await stack.store.delete_folder(f"jobs/{job.id}")
        elif status != INTERRUPTED:
            self._fail(pair, "The painting failed; the lines above say why.")
        return status

    async def _begun(self, stack: Stack, pair: Pair, output: OutputFolder) -> Job | None:
        """The job to go on with, if there is one; what is open of other batches in a Redis of our own is stopped."""
        job = None
        if output.unfinished and pair.status == "begun":
            note = output.remembered()
            check_redis_of(note, output, own=stack.own)
            try:
                job = await reopen(stack, note, output)
                output.remember(job, note.weights, note.weights_input, own_redis=stack.own)
            except FolderError:
                print(f"{pair.title} is begun anew: what was painted of it is not known any more.", file=sys.stderr)
        if stack.own:
            jobs = Jobs(stack.redis)
            for other in await jobs.open():
                if job is None or other != job.id:
                    await jobs.cancel(other)
        return job

    async def _new(self, stack: Stack, pair: Pair, output: OutputFolder) -> Job:
        arguments = self._of(pair)
        output.forget()
        content = read_content(arguments.content, still=arguments.still)
        output.check([*content.paths, *arguments.files], arguments.format, video=content.video)
        blobs = [intake.read_picture_file(path) for path in arguments.files]
        pictures = await take_in(content, arguments, blobs)
        recipe = recipe_of(stack, arguments, pictures[0])
        output.clear()
        output.keep_sound(content.video, pictures[0].sound)
        job = await submit(stack, arguments, recipe, pictures)
        weights = fixed_weights(arguments.weights, weights_in(stack, arguments))
        output.remember(job, weights, self._settings.impasto_weights_input, own_redis=stack.own)
        return job

    def _announce(self, pair: Pair) -> None:
        number = 1 + self._pairs.index(pair)
        if self._json:
            about = {"number": number, "of": len(self._pairs), "folder": str(self._output.folder / pair.folder)}
            print(json.dumps({"kind": "painting", "title": pair.title, **about}), flush=True)
        else:
            print(f"{number} of {len(self._pairs)}: {pair.title}", flush=True)

    def _fail(self, pair: Pair, reason: str, *, begun: bool = False) -> None:
        """Where it is `begun`, the next run goes on with it."""
        pair.status, pair.reason = "begun" if begun else "failed", reason

    def _tell(self) -> None:
        """What was done, a line for each painting, and where the table is."""
        page = self._output.write_table(self._pairs)
        if self._json:
            for pair in self._pairs:
                print(json.dumps({"kind": "result", "title": pair.title, "status": pair.status, "reason": pair.reason}))
            return
        width = max(len(pair.title) for pair in self._pairs)
        for pair in self._pairs:
            about = exact_duration(pair.seconds) if pair.status == "done" else pair.reason
            print(f"{pair.status:8} {pair.title:{width}}  {about}".rstrip())
        if any(pair.status in ("begun", "waiting") for pair in self._pairs):
            print("The same command goes on with what is missing.")
        print(f"{sum(pair.status == 'done' for pair in self._pairs)} of {len(self._pairs)} painted: {page}", flush=True)


def _file_of_weights(weights: str, weights_input: str) -> list[str]:
    """The file's SHA-256 and whose input it expects; of weights that are known by name, nothing."""
    try:
        with Path(weights).open("rb") as file:
            return [hashlib.file_digest(file, "sha256").hexdigest(), weights_input]
    except OSError:
        return []
