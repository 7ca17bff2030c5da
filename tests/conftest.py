"""What the tests of the contract, the worker and the command share: a Redis, workers, jobs, and the uncut result."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hypothesis
import pytest
import structlog
import torch
from arq.connections import ArqRedis
from own_redis import OwnRedis
from redis import Redis
from support.jobs import JobClient
from support.workers import WorkerPool

from engine.contract.connection import connect
from engine.contract.store import Store
from engine.process import redaction
from engine.process.local_redis import embedded_redis

# With it, jsonschema builds a grammar of addresses as it is imported: a second, for formats that nobody checks here.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

# By itself it fails an example that takes 200 ms, as any may on a machine with other work.
hypothesis.settings.register_profile("no time limit", deadline=None)
hypothesis.settings.load_profile("no time limit")

pytest_plugins = ["torchvision_files", "support.delivery_fixtures"]


LONGEST = (
    "test_chaos.py", "test_redis_lost.py", "test_study.py", "test_stylize.py", "test_batch_command.py",
    "test_interrupt.py", "test_bot_restarted.py", "test_redis_restarted.py", "test_study_killed.py",
)  # fmt: skip
"""The files that take longest, each of which one process runs from end to end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """These begin first, in this order: at the end everything else would wait for them."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))


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


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of the one Redis of this session."""
    with embedded_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def empty_redis_url(redis_server: str) -> Iterator[str]:
    """URL of a database that holds nothing before the test, and nothing after it; another one than `redis` is."""
    url = f"{redis_server}?db=3"
    with Redis.from_url(url) as client:
        client.flushdb()
        yield url
        client.flushdb()


@pytest.fixture
async def redis(redis_server: str) -> AsyncIterator[ArqRedis]:
    """An empty Redis that no worker looks at."""
    async with connect(redis_server) as client:
        await client.flushdb()
        yield client


@pytest.fixture(scope="session")
def busy_pool(redis_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerPool]:
    """One worker, for all tests that leave it alive; of each user one job runs at a time."""
    pool = WorkerPool(f"{redis_server}?db=1", tmp_path_factory.mktemp("pool"))
    pool.start_worker(seconds=0.15, IMPASTO_USER_RUNNING="1").ready()
    yield pool
    pool.close()


@pytest.fixture
async def busy_client(busy_pool: WorkerPool) -> AsyncIterator[JobClient]:
    async with connect(busy_pool.url) as client:
        yield JobClient(client, Store(busy_pool.store_url))


@pytest.fixture(scope="module")
def pool(redis_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerPool]:
    """For the tests of one file, without workers yet."""
    pool = WorkerPool(f"{redis_server}?db=2", tmp_path_factory.mktemp("pool"))
    yield pool
    pool.close()
    with Redis.from_url(pool.url) as client:
        client.flushdb()


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[OwnRedis]:
    """For one test, which may end it and bring it back."""
    made = OwnRedis(tmp_path)
    yield made
    made.kill()


@pytest.fixture(scope="module")
def late_worker(pool: WorkerPool) -> None:
    """For the tests that come after those that paint by hand."""
    pool.start_worker(seconds=0.15).ready()


@pytest.fixture
async def client(pool: WorkerPool) -> AsyncIterator[JobClient]:
    async with connect(pool.url) as client:
        yield JobClient(client, Store(pool.store_url))
