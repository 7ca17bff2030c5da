"""A scene whose jobs are seen in Redis too, and a worker that paints what a test tells it to."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from discord_server.driver import Interaction, WorldView
from discord_server.message_text import buttons_of, files_of
from PIL import Image
from scene import LONG, Json, Scene, scene

from engine.contract.connection import BLOCK, connect
from engine.contract.events import Best, Cancelled, Done, Failed, Notice, Progress, Snapshot, Started, follow
from engine.contract.models import CONTROL, Claim
from engine.contract.store import Store
from support.jobs import JobClient
from support.pictures import noise
from support.workers import WorkerPool

TAKING = ("POST", "PATCH")
"""The methods by which the bot shows something."""


class Stage:
    """A scene, and its jobs as workers see them."""

    def __init__(self, made: Scene, client: JobClient) -> None:
        self.scene, self.discord, self.client = made, made.discord, client
        self.manual_workers: list[ManualWorker] = []

    async def painting(self, asked: Interaction | None = None) -> Json:
        """The card of a painting that does not end by itself, once its thread is open and the bot knows that it is."""
        asked = asked or await self.scene.stylize(**LONG)
        await self.scene.private_reply(asked)
        card = await self.scene.card(asked)
        assert card["id"] in [thread["id"] for thread in self.discord.world.threads(self.scene.channel)]
        return card

    async def manual_painting(self, **options: Any) -> tuple[Json, ManualWorker]:
        """A card whose thread is open, and the worker by hand that its painting waits for."""
        asked = await self.scene.stylize(**options)
        card = await self.painting(asked)
        return card, await self.manual_worker(asked.id)

    async def manual_worker(self, job: str) -> ManualWorker:
        """Begins the job, as a worker would; there must be no other worker."""
        self.manual_workers.append(await ManualWorker.take(self.client, job))
        return self.manual_workers[-1]

    async def posted(self, where: Json | str, *ends: str) -> Json:
        """The message whose files' names end so, once it is there."""
        return await self.discord.until(lambda world: posted(world, where, *ends)[0])

    async def outcome(self, job: str) -> Done | Failed | Cancelled:
        """The last that is told of the job."""
        async for _, event in follow(self.client.redis, job):
            last = event
        assert isinstance(last, Done | Failed | Cancelled)
        return last

    async def cancelled(self, job: str) -> None:
        """Returns when nobody paints the job any more, for it was cancelled."""
        assert isinstance(await self.outcome(job), Cancelled)
        assert await self.client.jobs.state(job) == "cancelled"

    async def clear(self) -> None:
        """Nothing is left to be painted, so that the pool is free for others."""
        for manual_worker in self.manual_workers:
            await manual_worker.finish()
        self.manual_workers.clear()
        for job in await self.client.jobs.open():
            await self.client.jobs.cancel(job)
            await self.outcome(job)


@asynccontextmanager
async def open_stage(pool: WorkerPool, folder: Path, **settings: str) -> AsyncIterator[Stage]:
    """Everything started, for all tests of a file; ended with the block."""
    async with scene(pool, folder, 20, **settings) as made, connect(pool.url) as client:
        yield Stage(made, JobClient(client, Store(pool.store_url)))


def job_of(card: Json) -> str:
    """The job's id, as the card's buttons have it."""
    return str(buttons_of(card)[0]["custom_id"]).split(":")[2]


def posted(world: WorldView, where: Any, *ends: str) -> list[Json]:
    """The messages there whose first file's name has one of these ends."""
    return [one for one in world.messages(where) if any(name.endswith(ends) for name in list(files_of(one))[:1])]


def refused(world: WorldView, *places: str) -> list[int]:
    """The codes with which the bot was refused at these channels or messages, in order."""
    lines = [one for one in world.requests if one["status"] >= 400 and one["method"] in TAKING]
    return [one["code"] for one in lines if set(one["path"].split("/")) & set(places)]


class ManualWorker:
    """Paints one job by hand: it tells the audience what a test wants told, when the test wants it."""

    def __init__(self, client: JobClient, claim: Claim) -> None:
        self._client, self._claim, self._job = client, claim, claim.job

    @classmethod
    async def take(cls, client: JobClient, job: str) -> ManualWorker:
        """Begins the job."""
        claim = await client.jobs.start(job, 0, 0, "by hand")
        assert claim is not None
        await client.jobs.emit(claim, Started(job=job, iteration=0, device="a hand", width=96, height=72))
        return cls(client, claim)

    async def finish(self) -> None:
        """Ends the job if it is still open."""
        if await self._client.jobs.state(self._job.id) == "painting":
            await self._client.jobs.finish(self._claim, Cancelled(job=self._job.id, iteration=0))

    async def progress(self, iteration: int) -> None:
        """How far it is."""
        event = Progress(job=self._job.id, iteration=iteration, loss=3, content=1, style=2, rate=5, eta=60)
        await self._client.jobs.emit(self._claim, event)

    async def snapshot(self, iteration: int, picture: bytes | None = None) -> None:
        """A promised picture, PNG."""
        key = await self._put(f"{iteration:05d}.png", picture or small_png())
        event = Snapshot(job=self._job.id, iteration=iteration, picture=key, loss=1.0)
        await self._client.jobs.emit(self._claim, event)

    async def no_better(self, iteration: int, best: int) -> str:
        """That it gets no better than it was after `best` iterations, in the sentence that it returns."""
        text = f"The loss has not improved by a hundredth since iteration {best:,}."
        kept = Best(iteration=best, picture=await self._put(f"best-{best:05d}.png", small_png()), loss=2.0)
        await self._client.jobs.emit(self._claim, Notice(job=self._job.id, iteration=iteration, text=text, best=kept))
        return text

    async def notice(self, iteration: int, text: str) -> None:
        """Something else that the audience should know."""
        await self._client.jobs.emit(self._claim, Notice(job=self._job.id, iteration=iteration, text=text))

    async def done(self, picture: bytes | None = None, *, best: int = 0, note: str = "") -> None:
        """The end, with all that comes with it; the iteration of the best picture, where there is one."""
        png = picture or small_png()
        losses = {"columns": ["total"], "rows": [[1.0]]}
        kept = {"file": "best.png", "iteration": best, "loss": 2.0, "why": note} if best else None
        run = json.dumps({"losses": losses, "width": 96, "height": 72, "best": kept, "measured": {}}).encode()
        blobs = {"final.png": png, "loss.png": small_png(), "film.webp": small_film(), "run.json": run}
        blobs |= {"best.png": small_png()} if best else {}
        files = {name: await self._put(name, blob) for name, blob in blobs.items()}
        event = Done(job=self._job.id, iteration=self._job.recipe.iterations, files=files, note=note)
        await self._client.jobs.finish(self._claim, event)

    async def failed(self, reason: str) -> None:
        """It cannot be painted."""
        await self._client.jobs.finish(self._claim, Failed(job=self._job.id, iteration=0, reason=reason))

    async def stopped(self, iteration: int) -> None:
        """Waits until it is cancelled, and then does what a worker does."""
        told = "0"
        while True:
            reply: Any = await self._client.redis.xread({CONTROL: told}, block=BLOCK)
            for entry, fields in (line for _, lines in reply for line in lines):
                told = entry
                if fields[b"job"].decode() == self._job.id:
                    key = await self._put("stopped.png", small_png())
                    event = Cancelled(job=self._job.id, iteration=iteration, picture=key, checkpoint=key)
                    await self._client.jobs.finish(self._claim, event)
                    return

    async def _put(self, name: str, blob: bytes) -> str:
        return await self._client.store.put(f"jobs/{self._job.id}/{name}", blob)


def png_of(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def small_png() -> bytes:
    return png_of(noise(3, 24).resize((96, 72)))


def small_film() -> bytes:
    buffer = io.BytesIO()
    frames = [noise(seed, 24) for seed in (1, 2)]
    frames[0].save(buffer, "WEBP", save_all=True, append_images=frames[1:], duration=100)
    return buffer.getvalue()
