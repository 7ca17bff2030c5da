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
from bot.terminal.paint_arguments import PaintArguments, weights_asked
from bot.terminal.paint_job import (
    INTERRUPTED,
    check_redis_of,
    fixed_weights,
    follow,
    note_on_size,
    recipe_of,
    reopen,
    submit,
    take_in,
    unheard,
    weights_in,
)
from bot.terminal.paint_options import refuse_device
from bot.terminal.worker_process import WorkerError
from bot.text.formatting import exact_duration
from engine.contract.jobs import Jobs
from engine.contract.models import Job
from engine.contract.settings import Settings
from engine.recipe.recipe import RecipeError


async def batch(
    arguments: PaintArguments, contents: Sequence[Path], styles: Sequence[Path], folder: Path, settings: Settings,
    *, weights: str | None, as_json: bool,
) -> int:  # fmt: skip
    """Paint each content in each style, as the arguments say; the exit status: 0, 1 when some failed, 130.

    `weights` are those of the option, if it was given. Raises the one-sentence errors that stop all of it.
    """
    arguments.check(settings)
    pairs = pairs_of(contents, styles)
    output = BatchFolder(folder)
    with output.reserved():
        output.check_table()
        output.recall(pairs)
        run = Batch(arguments, output, pairs, settings, weights=weights, as_json=as_json)
        try:
            return await run.paint()
        except WorkerError as error:
            if str(error):
                raise WorkerError(f"{error} When that is mended, the same command goes on.") from error
            raise


class Batch:
    """The paintings of one command, one after the other.

    What was begun goes on where it was begun, by a worker of our own or by those of `REDIS_URL`; the settings say who
    paints all else. So do they say which weights are meant where no option does.
    """

    def __init__(
        self, arguments: PaintArguments, output: BatchFolder, pairs: Sequence[Pair], settings: Settings, *,
        weights: str | None, as_json: bool,
    ) -> None:  # fmt: skip
        self._arguments, self._output, self._pairs, self._settings = arguments, output, pairs, settings
        self._json = as_json
        self._digests: dict[Path, str] = {}
        """The digest of every pair's pictures, by their files."""
        self._own = settings.redis_url is None
        meant = {True: weights or settings.impasto_weights, False: weights or "auto"}
        self._weights = {own: weights_asked(name, settings) for own, name in meant.items()}
        """What is painted with by a worker of our own, and by those of a `REDIS_URL`."""
        of = settings.impasto_weights_input
        self._files = {name: _file_of_weights(name, of) for name in set(self._weights.values())}

    async def paint(self) -> int:
        """All that is not painted yet; the exit status."""
        missing = [pair for pair in self._pairs if not self._painted(pair)]
        missing = [pair for pair in missing if pair.status != "failed"]
        ours = [pair for pair in missing if self._own or pair.own_redis]
        theirs = [pair for pair in missing if not (self._own or pair.own_redis)]
        if theirs:
            refuse_device(self._settings)
        self._output.write_table(self._pairs)
        status = 0
        try:
            for pairs, redis_url in ((ours, None), (theirs, self._settings.redis_url)):
                if pairs and not status:
                    status = await self._paint_all(pairs, redis_url)
        except asyncio.CancelledError:  # Ctrl-C while no painting is followed
            status = INTERRUPTED
        with unheard(interrupted=status == INTERRUPTED):
            self._tell()
        if all(pair.status == "done" for pair in self._pairs):
            return 0
        return status or 1

    def _of(self, pair: Pair, *, own: bool) -> PaintArguments:
        """The arguments for the pair, where a worker of our own paints it, or another."""
        weights = self._weights[own]
        return dataclasses.replace(self._arguments, content=pair.content, styles=(pair.style,), weights=weights)

    def _painted(self, pair: Pair) -> bool:
        """Whether it need not be painted; notes what its files are now, and where they cannot be read."""
        arguments = self._of(pair, own=self._own)
        try:
            content = read_content(pair.content, still=arguments.still)
            digests = [self._digest(path, content.read) for path in content.paths]
            digests += [self._digest(path, intake.read_picture_file) for path in arguments.files]
        except BadPicture as bad:
            self._fail(pair, str(bad))
            return False
        if pair.status == "done" and not (self._output.folder / pair.folder / "run.json").exists():
            pair.status = "waiting"
        # As it would be painted now, and as it was, with or without a REDIS_URL.
        for own in (self._own, not self._own if pair.own_redis is None else pair.own_redis):
            if pair.status != "waiting" and pair.key in self._keys(pair, digests, own=own):
                pair.own_redis = own if pair.own_redis is None else pair.own_redis
                break
        else:
            pair.status, pair.own_redis, own = "waiting", self._own, self._own
        pair.key, _ = self._keys(pair, digests, own=own)
        return pair.status == "done"

    def _keys(self, pair: Pair, digests: list[str], *, own: bool) -> tuple[str, str]:
        """The pair's key, and how it was written until 0.2.0: without the file of weights."""
        arguments = self._of(pair, own=own)
        return key_of(arguments, digests + self._files[arguments.weights]), key_of(arguments, digests)

    def _digest(self, path: Path, read: Callable[[Path], bytes]) -> str:
        if path not in self._digests:
            self._digests[path] = hashlib.sha256(read(path)).hexdigest()
        return self._digests[path]

    async def _paint_all(self, pairs: Sequence[Pair], redis_url: str | None) -> int:
        """Paint them by the workers of this Redis, or by one of our own; 130 where Ctrl-C stopped it, else 0."""
        settings = self._settings.model_copy(update={"redis_url": redis_url})
        weights = self._weights[False] if redis_url else self._own_weights(pairs)
        async with open_stack(settings, self._output.work, weights) as stack:
            for pair in pairs:
                if await self._paint(stack, pair) == INTERRUPTED:
                    return INTERRUPTED
        return 0

    def _own_weights(self, pairs: Sequence[Pair]) -> str:
        """For a worker of our own: those that a painting was begun with, since `auto` may have become others."""
        for pair in pairs:
            with suppress(FolderError):  # of one that has no note any more
                if pair.status == "begun" and (note := self._output.painting(pair).remembered()).own_redis:
                    return note.weights
        return self._weights[True]

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
        pair.status, pair.own_redis = "begun", stack.own
        self._output.write_table(self._pairs)
        status, interrupted = await follow(stack, output, job, as_json=self._json)
        if status == 0:
            pair.status, pair.reason = "done", ""
            pair.seconds = json.loads((output.folder / "run.json").read_text())["seconds"]
            if stack.own:  # nobody else will look at what it leaves there
                await stack.store.delete_folder(f"jobs/{job.id}")
        elif status != INTERRUPTED:
            self._fail(pair, "The painting failed; the lines above say why.")
        return INTERRUPTED if interrupted else status

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
                failed = not output.unfinished
                if not failed and not note.own_redis:
                    raise
                why = "its painting failed" if failed else "what was painted of it is not known any more"
                print(f"{pair.title} is begun anew: {why}.", file=sys.stderr)
        if stack.own:
            jobs = Jobs(stack.redis)
            for other in await jobs.open():
                if job is None or other != job.id:
                    await jobs.cancel(other)
        return job

    async def _new(self, stack: Stack, pair: Pair, output: OutputFolder) -> Job:
        arguments = self._of(pair, own=stack.own)
        output.forget()
        content = read_content(arguments.content, still=arguments.still)
        # The others' pictures may lie here too.
        output.check({*content.paths, *arguments.files, *self._digests}, arguments.format, video=content.video)
        blobs = [intake.read_picture_file(path) for path in arguments.files]
        pictures = await take_in(content, arguments, blobs)
        recipe = recipe_of(stack, arguments, pictures[0])
        if note := note_on_size(arguments, recipe, pictures[0]):
            print(note, file=sys.stderr, flush=True)
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
