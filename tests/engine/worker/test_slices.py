"""What a slice holds of its worker, and for how long."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from arq.connections import ArqRedis
from support.jobs import JobClient, light

from engine.contract.models import JobState
from engine.contract.settings import read_settings
from engine.contract.store import Store
from engine.worker.context import WorkerContext
from engine.worker.slices import paint_slice
from engine.worker.weights.load import load_weights

PATIENCE = 15  # s, for what needs milliseconds


@pytest.fixture
def context(redis: ArqRedis, tmp_path: Path) -> WorkerContext:
    """A worker's in this process, which takes no slice by itself."""
    settings = read_settings(store_url=(tmp_path / "store").as_uri())
    return WorkerContext(settings, redis, load_weights("random", tmp_path), "cpu")


@pytest.fixture
def client(context: WorkerContext) -> JobClient:
    return JobClient(context.redis, context.store)


async def test_others_have_the_device_while_what_was_painted_is_stored(
    context: WorkerContext, client: JobClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = Store.put

    async def once_the_device_is_free(store: Store, key: str, data: bytes) -> str:
        if "snapshot" in key:
            async with asyncio.timeout(PATIENCE), context.device_lock:
                pass
        return await put(store, key, data)

    monkeypatch.setattr(Store, "put", once_the_device_is_free)
    job = await client.submit(light(12, snapshots=(6,)))
    await paint_slice({"context": context}, job.id, 0, 0)
    assert await client.jobs.state(job.id) is JobState.DONE
