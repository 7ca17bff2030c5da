"""Jobs small enough for tests: their recipes, what is done with them, and the uncut result."""

from __future__ import annotations

import asyncio
import functools
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from arq.connections import ArqRedis
from PIL import Image

from engine.contract.events import STREAM, Done, Event, follow, parse
from engine.contract.fair_queue import FairQueue
from engine.contract.jobs import Jobs
from engine.contract.models import SPENT, Asked, Job, StoredPicture, new_id
from engine.contract.settings import Settings, read_settings
from engine.contract.store import Store
from engine.contract.study import Part, Study
from engine.painting.painter import paint
from engine.painting.pictures import pixels_sha256
from engine.recipe.recipe import Recipe
from engine.worker.context import WorkerContext
from engine.worker.weights.named_weights import load_weights
from support.pictures import CONTENT, STYLE

SLICE_TIMEOUT = Settings().slice_timeout


def light(iterations: int, **fields: Any) -> Recipe:
    """A recipe of a few milliseconds an iteration that uses all there is to be saved: two scales, an average."""
    small = {"size": 32, "scales": 2, "content_layers": ("conv1_1",), "style_layers": ("relu1_1",)}
    rest = {"style_layer_weights": (1.0,), "noise": 0.5, "average": 0.9, "clamp": True, "snapshots": ()}
    return Recipe(**{"weights": "random", "iterations": iterations, **small, **rest, **fields})


def a_job(user: str = "someone", guild: str = "a guild") -> Job:
    """A job that nobody is going to paint: its pictures are nowhere."""
    picture = StoredPicture(key="nowhere", name="a picture", width=32, height=32)
    return Job(id=new_id(), guild=guild, user=user, recipe=light(100), content=picture, styles=(picture,))


def child_of(parent: Job) -> Job:
    """One that goes on from a checkpoint, of which it has a copy of its own."""
    child = a_job()
    came_from = (parent.id, *parent.came_from)
    checkpoint = f"jobs/{child.id}/checkpoint-start.safetensors"
    return child.model_copy(update={"parent": parent.id, "came_from": came_from, "checkpoint": checkpoint})


async def newest_event(redis: ArqRedis) -> str:
    """The id of the stream's newest entry: who follows from here hears only what comes."""
    newest: Any = await redis.xrevrange(STREAM, count=1)
    return newest[0][0].decode() if newest else "0"


@contextmanager
def one_thread() -> Iterator[None]:
    """What `ONE_THREAD` is to a process, to a few lines of this one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@functools.cache
def uncut_sha256(recipe: Recipe) -> str:
    """Of the picture that the plain loop paints in one go: no worker, no slices, no checkpoints."""
    with one_thread():
        *_, state = paint(recipe, CONTENT, [STYLE])
    levels = state.shown(recipe.average).round().clamp(0, 255).to(torch.uint8)[0].permute(1, 2, 0)
    return pixels_sha256(Image.fromarray(levels.contiguous().numpy()))


def study(vary: str, recipes: Sequence[Recipe], content: StoredPicture, styles: tuple[StoredPicture, ...]) -> Study:
    """One whose paintings have these recipes."""
    parts = [
        Part(label=f"recipe {number}", recipe=recipe, content=content, styles=styles)
        for number, recipe in enumerate(recipes, 1)
    ]
    return Study(vary=vary, parts=tuple(parts))


def idle_context(redis: ArqRedis, folder: Path) -> WorkerContext:
    """A worker's in this process, which takes no slice by itself; its store is in the folder."""
    settings = read_settings(store_url=(folder / "store").as_uri())
    return WorkerContext(settings, redis, load_weights("random", folder), "cpu")


class JobClient:
    """A test's own connection to Redis and the store, and what is done with them."""

    def __init__(self, redis: ArqRedis, store: Store) -> None:
        self.redis, self.store = redis, store
        self.jobs, self.queue = Jobs(redis), FairQueue(redis)

    async def submit(
        self,
        recipe: Recipe,
        *,
        user: str = "someone",
        parent: str | None = None,
        checkpoint: str | None = None,
        start: Image.Image | None = None,
        draft_of: Asked | None = None,
        vary: Sequence[Recipe] = (),
        film: bool = True,
        queued: bool = True,
    ) -> Job:
        """A job with its pictures, accepted and queued; a study where there are recipes to `vary`."""
        job_id, stored = new_id(), []
        pictures = {"content.png": CONTENT, "style.png": STYLE} | ({"start.png": start} if start else {})
        for name, picture in pictures.items():
            buffer = io.BytesIO()
            picture.save(buffer, "PNG")
            key = await self.store.put(f"jobs/{job_id}/{name}", buffer.getvalue())
            stored.append(StoredPicture(key=key, name=name, width=picture.width, height=picture.height))
        content, style, *begun = stored
        job = Job(
            id=job_id, guild="a guild", user=user, recipe=recipe, content=content, styles=(style,),
            parent=parent, checkpoint=checkpoint, start=begun[0] if begun else None,
            draft_of=draft_of, film=film, study=study("swap", vary, content, (style,)) if vary else None,
        )  # fmt: skip
        await self.jobs.create(job)
        if queued:
            await self.queue.enqueue(job, 0, 0, 1.0)
        return job

    async def events(self, job: Job) -> list[Event]:
        """Every event, once the job has ended."""
        return [event async for _, event in follow(self.redis, job.id)]

    async def run(self, job: Job) -> dict[str, Any]:
        """The run.json of the painting, once it is done."""
        last = (await self.events(job))[-1]
        assert isinstance(last, Done), last
        record: dict[str, Any] = json.loads(await self.store.get(last.files["run.json"]))
        return record

    async def spent(self, user: str) -> float:
        """Seconds that were painted for the user, by the books."""
        days = await self.redis.keys(f"{SPENT}:*")
        return sum([float(await self.redis.hget(day, f"user:{user}") or 0) for day in days])  # type: ignore[misc]

    async def told(self, after: str, jobs: set[str]) -> list[Event]:
        """What the stream holds of these jobs after an entry, in the order in which it was told."""
        entries: Any = await self.redis.xrange(STREAM, min=f"({after}")
        return [event for _, fields in entries if (event := parse(fields)).job in jobs]

    async def until(self, job: Job, iteration: int) -> Event:
        """The first event at `iteration` or later."""
        async for _, event in follow(self.redis, job.id):
            if event.iteration >= iteration:
                return event
        raise AssertionError(f"{job.id} ended before iteration {iteration}")

    async def given_back(self, job: Job) -> dict[str, str]:
        """The job's fields, once the slice that is being painted has ended, and is not passed on."""
        while (fields := await self.jobs.fields(job.id))["epoch"] == "0" or fields["worker"]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # nobody is told of it
        return fields

    async def until_it_has_checkpoints(self, job: Job, count: int) -> None:
        async for _ in follow(self.redis, job.id):
            if len((await self.jobs.fields(job.id))["checkpoints"].split()) == count:
                return
        raise AssertionError(f"{job.id} ended before it had {count} checkpoints")
