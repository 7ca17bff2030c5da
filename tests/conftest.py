"""What the tests of the contract, the worker and the command share: a Redis, workers, jobs, and the uncut result."""

from __future__ import annotations

import asyncio
import functools
import io
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import structlog
import torch
from arq.connections import ArqRedis
from PIL import Image
from redis import Redis

from engine.contract.connection import connect
from engine.contract.events import STREAM, Done, Event, follow, parse
from engine.contract.fair_queue import FairQueue
from engine.contract.jobs import Jobs
from engine.contract.models import SPENT, Asked, Job, StoredPicture, new_id
from engine.contract.settings import Settings
from engine.contract.store import Store
from engine.contract.study import Part, Study
from engine.painting.painter import paint
from engine.painting.pictures import pixels_sha256
from engine.process import redaction
from engine.process.child_process import child_command
from engine.process.local_redis import embedded_redis
from engine.recipe.recipe import Recipe

pytest_plugins = ["torchvision_files"]

WORKER = ("-m", "engine.worker")
ONE_THREAD = {"OMP_NUM_THREADS": "1"}
"""Tiny pictures are painted fastest, and always alike, on one thread."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files of few tests that take minutes begin first: at the end everything else would wait for them."""
    items.sort(key=lambda item: item.path.name not in ("test_chaos.py", "test_redis_lost.py"))


@pytest.fixture(autouse=True, scope="session")
def no_proxy() -> None:
    """Whatever is on this machine's way to the network: what the tests talk to is on it."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]


@pytest.fixture(autouse=True, scope="session")
def single_thread() -> None:
    """In this process; the workers and commands it starts choose for themselves."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def nothing_is_hidden_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test hides as a secret may be an innocent word in the log of another."""
    monkeypatch.setattr(redaction, "_known", set())


@pytest.fixture(autouse=True)
def logged_as_before() -> Iterator[None]:
    """A command that a test runs in this process sets up the log for itself."""
    level, hook, structured = logging.getLogger().level, sys.excepthook, structlog.get_config()
    yield
    structlog.configure(**structured)
    logging.getLogger().setLevel(level)
    sys.excepthook = hook


def noise(seed: int, side: int = 32) -> Image.Image:
    levels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    return Image.fromarray(levels)


CONTENT, STYLE = noise(1), noise(2)
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


class Hand:
    """A worker process."""

    def __init__(self, environment: dict[str, str], program: Sequence[str], weights: str = "random") -> None:
        self._process = subprocess.Popen(
            child_command([sys.executable, *program, "--weights", weights, "--device", "cpu"]),
            env=environment,
            stdout=subprocess.PIPE,
        )
        self.said = ""
        """Its first line, once it is ready."""

    def ready(self) -> Hand:
        """Waits until it can be given work."""
        assert self._process.stdout is not None
        self.said = self._process.stdout.readline().decode().strip()
        assert self.said.startswith("ready")
        return self

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def ended(self) -> int:
        """Waits for the end; the exit status."""
        assert self._process.stdout is not None
        self._process.stdout.close()
        return self._process.wait(120)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def dismiss(self) -> None:
        if self.alive:
            self._process.kill()
            self.ended()


class House:
    """One database of the Redis, one store; jobs are asked for here, and workers hired."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder, self.store_url = url, folder, (folder / "store").as_uri()
        self.hands: list[Hand] = []

    def hire(
        self, seconds: float = 0.5, program: Sequence[str] = WORKER, *, weights: str = "random", **settings: str
    ) -> Hand:
        """A new worker whose slices take `seconds`; not ready yet."""
        ours = {"REDIS_URL": self.url, "STORE_URL": self.store_url, "IMPASTO_SLICE_SECONDS": str(seconds)}
        self.hands.append(Hand({**os.environ, **ONE_THREAD, **ours, **settings}, program, weights))
        return self.hands[-1]

    def only_worker(self, seconds: float) -> Hand:
        """The one that is there, else a new one; ready."""
        alive = [hand for hand in self.hands if hand.alive]
        assert len(alive) < 2
        return alive[0] if alive else self.hire(seconds).ready()

    def close(self) -> None:
        for hand in self.hands:
            hand.dismiss()


def study(vary: str, recipes: Sequence[Recipe], content: StoredPicture, styles: tuple[StoredPicture, ...]) -> Study:
    """One whose paintings have these recipes."""
    parts = [
        Part(label=f"recipe {number}", recipe=recipe, content=content, styles=styles)
        for number, recipe in enumerate(recipes, 1)
    ]
    return Study(vary=vary, parts=tuple(parts))


class Desk:
    """The house as a test sees it: a connection of its own, and what is done with it."""

    def __init__(self, redis: ArqRedis, store: Store) -> None:
        self.redis, self.store = redis, store
        self.jobs, self.queue = Jobs(redis), FairQueue(redis)

    async def order(
        self,
        recipe: Recipe,
        *,
        user: str = "someone",
        parent: str | None = None,
        checkpoint: str | None = None,
        start: Image.Image | None = None,
        draft_of: Asked | None = None,
        vary: Sequence[Recipe] = (),
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
            draft_of=draft_of, study=study("swap", vary, content, (style,)) if vary else None,
        )  # fmt: skip
        await self.jobs.create(job)
        if queued:
            await self.queue.enqueue(job, 0, 0, 1.0)
        return job

    async def story(self, job: Job) -> list[Event]:
        """Every event, once the job has ended."""
        return [event async for _, event in follow(self.redis, job.id)]

    async def run(self, job: Job) -> dict[str, Any]:
        """The run.json of the painting, once it is done."""
        last = (await self.story(job))[-1]
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


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of the one Redis of this session."""
    with embedded_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
async def redis(redis_server: str) -> AsyncIterator[ArqRedis]:
    """An empty Redis that no worker looks at."""
    async with connect(redis_server) as client:
        await client.flushdb()
        yield client


@pytest.fixture(scope="session")
def busy_house(redis_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house with one worker, for all tests that leave it alive; of each user one job runs at a time."""
    house = House(f"{redis_server}?db=1", tmp_path_factory.mktemp("house"))
    house.hire(seconds=0.15, IMPASTO_USER_RUNNING="1").ready()
    yield house
    house.close()


@pytest.fixture
async def busy_desk(busy_house: House) -> AsyncIterator[Desk]:
    async with connect(busy_house.url) as client:
        yield Desk(client, Store(busy_house.store_url))


@pytest.fixture(scope="module")
def house(redis_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house for the tests of one file, without workers yet."""
    house = House(f"{redis_server}?db=2", tmp_path_factory.mktemp("house"))
    yield house
    house.close()
    with Redis.from_url(house.url) as client:
        client.flushdb()


@pytest.fixture
async def desk(house: House) -> AsyncIterator[Desk]:
    async with connect(house.url) as client:
        yield Desk(client, Store(house.store_url))
